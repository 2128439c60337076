#include "control/membership_calls.h"

#include <algorithm>
#include <utility>

#include "control/checks.h"
#include "control/convert.h"
#include "control/read_push.h"
#include "core/error.h"

namespace wsrouter {
namespace {

// Whom a request is about; nothing, without a failure, where nobody can be meant.
template <typename Request>
std::optional<Topic> TargetOf(Checks& checks, const Request& request) {
  switch (request.target_case()) {
    case Request::kConnectionId: {
      auto id = checks.Connection("connection_id", request.connection_id());
      return id.has_value() ? std::optional<Topic>(*std::move(id)) : std::nullopt;
    }
    case Request::kClientId:
      return checks.Required<ClientId>("client_id", request.client_id());
    default:
      break;
  }
  if constexpr (requires { request.room(); }) {
    if (request.target_case() == Request::kRoom) {
      return checks.Required<RoomName>("room", request.room());
    }
    checks.FailMissing("target", "is not set, want connection_id, client_id or room");
  } else {
    checks.FailMissing("target", "is not set, want connection_id or client_id");
  }
  return std::nullopt;
}

template <typename Response>
void AddRows(const std::vector<RoomName>& rooms, const Receipt& receipt, Response& response) {
  for (v1::RoomResult& row : FoldRooms(rooms, receipt.rooms)) {
    *response.add_rooms() = std::move(row);
  }
}

absl::Status ClientOffline() {
  return Refusal(absl::StatusCode::kNotFound, "CLIENT_OFFLINE", "the client has no connection");
}

// A Join fails as a whole when nobody was there to join, or when no room took anybody.
absl::Status JoinVerdict(const Topic& to, const Receipt& receipt) {
  const absl::Status verdict = Verdict(receipt);
  if (!verdict.ok()) return verdict;
  if (receipt.matched == 0) {
    return std::holds_alternative<ClientId>(to) ? ClientOffline() : ConnectionGone();
  }
  const bool refused = std::ranges::all_of(receipt.rooms, [](const RoomChange& change) {
    return ResultOf(change) == RoomChange::Result::kRefused;
  });
  return refused && !receipt.rooms.empty() ? receipt.rooms.front().refusal : absl::OkStatus();
}

}  // namespace

void MembershipCalls::Own(const v1::OwnRequest& request, Answer<v1::OwnResponse> answer) {
  Checks checks;
  auto connection = checks.Connection("connection_id", request.connection_id());
  wsrouter::Own own = ReadOwn(checks, request, clock_.Now().wall);
  if (!checks.ok()) return std::move(answer)(checks.status());
  if (!connection.has_value()) return std::move(answer)(ConnectionGone());
  std::vector<RoomName> rooms = own.rooms;
  broker_.Publish({.to = *std::move(connection), .action = std::move(own)},
                  [rooms = std::move(rooms), answer = std::move(answer)](Receipt receipt) mutable {
                    const absl::Status verdict = ConnectionVerdict(receipt);
                    if (!verdict.ok()) return std::move(answer)(verdict);
                    v1::OwnResponse response;
                    for (const ConnectionId& id : receipt.displaced) {
                      response.add_displaced_connection_ids(id.ToString());
                    }
                    AddRows(rooms, receipt, response);
                    std::move(answer)(std::move(response));
                  });
}

void MembershipCalls::Release(const v1::ReleaseRequest& request,
                              Answer<v1::ReleaseResponse> answer) {
  Checks checks;
  std::optional<Topic> target = TargetOf(checks, request);
  wsrouter::Release release;
  if (request.has_close()) {
    release.close = checks.Closing("close.", request.close().code(), request.close().reason());
  }
  if (!checks.ok()) return std::move(answer)(checks.status());
  if (!target.has_value()) return std::move(answer)(v1::ReleaseResponse());
  broker_.Publish({.to = *std::move(target), .action = std::move(release)},
                  [answer = std::move(answer)](Receipt receipt) mutable {
                    const absl::Status verdict = Verdict(receipt);
                    if (!verdict.ok()) return std::move(answer)(verdict);
                    v1::ReleaseResponse response;
                    response.set_released(static_cast<uint32_t>(receipt.matched));
                    response.set_partial(IsPartial(receipt));
                    std::move(answer)(std::move(response));
                  });
}

void MembershipCalls::Join(const v1::JoinRequest& request, Answer<v1::JoinResponse> answer) {
  Checks checks;
  std::optional<Topic> target = TargetOf(checks, request);
  std::vector<RoomName> rooms = checks.NonEmptyList<RoomName>("rooms", request.rooms());
  if (!checks.ok()) return std::move(answer)(checks.status());
  if (!target.has_value()) return std::move(answer)(ConnectionGone());
  Envelope envelope = {.to = *target, .action = wsrouter::Join{.rooms = rooms}};
  broker_.Publish(std::move(envelope), [rooms = std::move(rooms), to = *std::move(target),
                                        answer = std::move(answer)](Receipt receipt) mutable {
    const absl::Status verdict = JoinVerdict(to, receipt);
    if (!verdict.ok()) return std::move(answer)(verdict);
    v1::JoinResponse response;
    AddRows(rooms, receipt, response);
    response.set_partial(IsPartial(receipt));
    std::move(answer)(std::move(response));
  });
}

void MembershipCalls::Leave(const v1::LeaveRequest& request, Answer<v1::LeaveResponse> answer) {
  Checks checks;
  std::optional<Topic> target = TargetOf(checks, request);
  std::vector<RoomName> rooms = checks.NonEmptyList<RoomName>("rooms", request.rooms());
  if (!checks.ok()) return std::move(answer)(checks.status());
  if (!target.has_value()) {
    v1::LeaveResponse response;
    AddRows(rooms, {}, response);
    return std::move(answer)(std::move(response));
  }
  Envelope envelope = {.to = *std::move(target), .action = wsrouter::Leave{.rooms = rooms}};
  broker_.Publish(std::move(envelope),
                  [rooms = std::move(rooms), answer = std::move(answer)](Receipt receipt) mutable {
                    const absl::Status verdict = Verdict(receipt);
                    if (!verdict.ok()) return std::move(answer)(verdict);
                    v1::LeaveResponse response;
                    AddRows(rooms, receipt, response);
                    response.set_partial(IsPartial(receipt));
                    std::move(answer)(std::move(response));
                  });
}

void MembershipCalls::Disconnect(const v1::DisconnectRequest& request,
                                 Answer<v1::DisconnectResponse> answer) {
  Checks checks;
  std::optional<Topic> target = TargetOf(checks, request);
  wsrouter::Disconnect end = {.close = checks.Closing("", request.code(), request.reason())};
  if (!checks.ok()) return std::move(answer)(checks.status());
  if (!target.has_value()) return std::move(answer)(v1::DisconnectResponse());
  broker_.Publish({.to = *std::move(target), .action = std::move(end)},
                  [answer = std::move(answer)](Receipt receipt) mutable {
                    const absl::Status verdict = Verdict(receipt);
                    if (!verdict.ok()) return std::move(answer)(verdict);
                    v1::DisconnectResponse response;
                    response.set_disconnected(receipt.matched);
                    response.set_partial(IsPartial(receipt));
                    std::move(answer)(std::move(response));
                  });
}

}  // namespace wsrouter
