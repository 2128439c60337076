#include "control/query_calls.h"

#include <algorithm>
#include <utility>

#include "control/checks.h"
#include "control/convert.h"
#include "control/member_labels.h"
#include "core/limits.h"

namespace wsrouter {
namespace {

absl::Status BadCursor() {
  return BadField("cursor", "CURSOR_INVALID", "is none that this call gave; begin with none");
}

// Answers with what `fill` makes of the directory's answer.
template <typename Response, typename Found, typename Fill>
auto Filling(Answer<Response> answer, Fill fill) {
  return [answer = std::move(answer), fill](absl::StatusOr<Found> found) mutable {
    if (!found.ok()) return std::move(answer)(found.status());
    Response response;
    fill(*found, response);
    std::move(answer)(std::move(response));
  };
}

}  // namespace

void QueryCalls::IsMember(const v1::IsMemberRequest& request, Answer<v1::IsMemberResponse> answer) {
  Checks checks;
  const auto room = checks.Required<RoomName>("room", request.room());
  std::optional<ConnectionId> connection;
  ClientId client;
  const bool by_client = request.target_case() == v1::IsMemberRequest::kClientId;
  if (by_client) {
    client = checks.Required<ClientId>("client_id", request.client_id());
  } else if (request.target_case() == v1::IsMemberRequest::kConnectionId) {
    connection = checks.Connection("connection_id", request.connection_id());
  } else {
    checks.FailMissing("target", "is not set, want connection_id or client_id");
  }
  if (!checks.ok()) return std::move(answer)(checks.status());
  if (connection.has_value()) {
    return IsConnectionMember(room, *std::move(connection), std::move(answer));
  }
  if (!by_client) return std::move(answer)(v1::IsMemberResponse());
  directory_.IsMember(room, client,
                      Filling<v1::IsMemberResponse, bool>(
                          std::move(answer), [](bool member, v1::IsMemberResponse& response) {
                            response.set_member(member);
                          }));
}

void QueryCalls::IsConnectionMember(const RoomName& room, ConnectionId connection,
                                    Answer<v1::IsMemberResponse> answer) {
  broker_.Publish({.to = std::move(connection), .action = Describe{.after = {}, .count = 1}},
                  [room, answer = std::move(answer)](Receipt receipt) mutable {
                    const absl::Status verdict = Verdict(receipt);
                    if (!verdict.ok()) return std::move(answer)(verdict);
                    v1::IsMemberResponse response;
                    response.set_member(std::ranges::any_of(
                        receipt.connections, [&](const ConnectionDescription& described) {
                          return std::ranges::find(described.rooms, room) != described.rooms.end();
                        }));
                    std::move(answer)(std::move(response));
                  });
}

void QueryCalls::RoomSize(const v1::RoomSizeRequest& request, Answer<v1::RoomSizeResponse> answer) {
  Checks checks;
  const auto room = checks.Required<RoomName>("room", request.room());
  if (!checks.ok()) return std::move(answer)(checks.status());
  directory_.Size(room, Filling<v1::RoomSizeResponse, wsrouter::RoomSize>(
                            std::move(answer),
                            [](const wsrouter::RoomSize& size, v1::RoomSizeResponse& response) {
                              response.set_members(size.members);
                              response.set_connections(size.connections);
                            }));
}

void QueryCalls::Members(const v1::MembersRequest& request, Answer<v1::MembersResponse> answer) {
  Checks checks;
  const auto room = checks.Required<RoomName>("room", request.room());
  const bool labels = request.include_labels();
  const uint32_t count =
      checks.PageCount(request.count(), "count", labels ? kLabelledPageMax : kPageMax);
  const bool is_cursor = request.cursor().empty() || CheckName("cursor", request.cursor()).ok();
  if (!is_cursor) checks.Fail(BadCursor());
  if (!checks.ok()) return std::move(answer)(checks.status());
  const auto fill = [ids = request.include_connections()](MembersPage& page,
                                                          v1::MembersResponse& response) {
    for (MemberRow& row : page.members) {
      v1::Member& member = *response.add_members();
      member.set_client_id(std::move(row.client.value));
      if (!ids) continue;
      for (const ConnectionId& id : row.connections) member.add_connection_ids(id.ToString());
    }
    response.set_next_cursor(std::move(page.next_cursor));
  };
  if (labels) {
    answer = [this, room,
              answer = std::move(answer)](absl::StatusOr<v1::MembersResponse> page) mutable {
      if (!page.ok()) return std::move(answer)(page.status());
      AnswerWithLabels(broker_, room, *std::move(page), std::move(answer));
    };
  }
  directory_.Members(room, request.cursor(), count,
                     Filling<v1::MembersResponse, MembersPage>(std::move(answer), fill));
}

void QueryCalls::Rooms(const v1::RoomsRequest& request, Answer<v1::RoomsResponse> answer) {
  Checks checks;
  checks.Optional<RoomName>("prefix", request.prefix());
  const uint32_t count = checks.PageCount(request.count());
  const std::string& cursor = request.cursor();
  const bool is_cursor =
      cursor.empty() || (CheckName("cursor", cursor).ok() && cursor.starts_with(request.prefix()));
  if (!is_cursor) checks.Fail(BadCursor());
  if (!checks.ok()) return std::move(answer)(checks.status());
  directory_.Rooms(request.prefix(), cursor, count,
                   Filling<v1::RoomsResponse, RoomsPage>(
                       std::move(answer), [](RoomsPage& page, v1::RoomsResponse& response) {
                         for (RoomRow& row : page.rooms) {
                           v1::RoomInfo& room = *response.add_rooms();
                           room.set_room(std::move(row.room.value));
                           room.set_members(row.size.members);
                           room.set_connections(row.size.connections);
                         }
                         response.set_next_cursor(std::move(page.next_cursor));
                       }));
}

void QueryCalls::OnlineCount(const v1::OnlineCountRequest&,
                             Answer<v1::OnlineCountResponse> answer) {
  directory_.Count(Filling<v1::OnlineCountResponse, wsrouter::OnlineCount>(
      std::move(answer), [](const wsrouter::OnlineCount& count, v1::OnlineCountResponse& response) {
        response.set_clients(count.clients);
        response.set_connections(count.connections);
      }));
}

void QueryCalls::OnlineByServer(const v1::OnlineByServerRequest&,
                                Answer<v1::OnlineByServerResponse> answer) {
  const auto fill = [](std::vector<NodeRow>& rows, v1::OnlineByServerResponse& response) {
    std::ranges::sort(rows, {}, &NodeRow::node);
    for (const NodeRow& row : rows) {
      v1::ServerOnline& server = *response.add_servers();
      server.set_server_id(row.node.server_id);
      server.set_incarnation(ToProto(row.node));
      server.set_clients(row.online.clients);
      server.set_connections(row.online.connections);
    }
  };
  directory_.Nodes(
      Filling<v1::OnlineByServerResponse, std::vector<NodeRow>>(std::move(answer), fill));
}

void QueryCalls::GetClient(const v1::GetClientRequest& request,
                           Answer<v1::GetClientResponse> answer) {
  Checks checks;
  ClientId client = checks.Required<ClientId>("client_id", request.client_id());
  if (!checks.ok()) return std::move(answer)(checks.status());
  broker_.Publish({.to = std::move(client), .action = Describe{.after = {}, .count = kPageMax}},
                  [answer = std::move(answer)](Receipt receipt) mutable {
                    const absl::Status verdict = Verdict(receipt);
                    if (!verdict.ok()) return std::move(answer)(verdict);
                    std::ranges::sort(receipt.connections, {},
                                      [](const ConnectionDescription& described) {
                                        return std::pair(described.connected_at, described.id);
                                      });
                    v1::GetClientResponse response;
                    for (const ConnectionDescription& described : receipt.connections) {
                      *response.add_connections() = ToProto(described);
                    }
                    response.set_partial(IsPartial(receipt));
                    std::move(answer)(std::move(response));
                  });
}

void QueryCalls::Connections(const v1::ConnectionsRequest& request,
                             Answer<v1::ConnectionsResponse> answer) {
  Checks checks;
  const uint32_t count = checks.PageCount(request.count());
  // One more than the page, from each shard, says whether another page follows.
  Describe describe = {.after = ConnectionId::Parse(request.cursor()), .count = count + 1};
  const bool is_cursor =
      request.cursor().empty() || (describe.after.has_value() && describe.after->node == node_);
  if (!is_cursor) checks.Fail(BadCursor());
  if (!checks.ok()) return std::move(answer)(checks.status());
  broker_.Publish({.to = ThisNode{}, .action = std::move(describe)},
                  [count, answer = std::move(answer)](Receipt receipt) mutable {
                    // A page without one shard's connections would overlook them for good.
                    if (IsPartial(receipt)) return std::move(answer)(Overloaded());
                    if (!receipt.status.ok()) return std::move(answer)(receipt.status);
                    std::vector<ConnectionDescription>& page = receipt.connections;
                    std::ranges::sort(page, {}, &ConnectionDescription::id);
                    v1::ConnectionsResponse response;
                    if (page.size() > count) {
                      page.resize(count);
                      response.set_next_cursor(page.back().id.ToString());
                    }
                    for (const ConnectionDescription& described : page) {
                      *response.add_connections() = ToProto(described);
                    }
                    std::move(answer)(std::move(response));
                  });
}

}  // namespace wsrouter
