#include "control/push_calls.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "control/checks.h"
#include "control/convert.h"
#include "control/read_push.h"
#include "core/error.h"
#include "core/rate_limit.h"

namespace wsrouter {
namespace {

// Whose receipts a push to many waits for. A push to one client or connection always waits for all.
template <typename Request>
Receipts ReceiptsOf(const Request& request) {
  return request.options().wait() == v1::WAIT_ROUTED ? Receipts::kRouted : Receipts::kLocal;
}

// The pushes to the rooms of one call, answered when the last receipt is in. Each receipt has a
// place of its own, so that they may come on several threads at a time.
struct RoomPushes {
  RoomPushes(std::vector<RoomName> names, Answer<v1::PushResponse> when_done)
      : rooms(std::move(names)), receipts(rooms.size()), answer(std::move(when_done)) {}

  ~RoomPushes() {
    const auto failed = [](const Receipt& receipt) { return !Verdict(receipt).ok(); };
    if (std::ranges::all_of(receipts, failed)) {
      std::move(answer)(Verdict(receipts.front()));
      return;
    }
    v1::PushResponse response;
    for (size_t i = 0; i < rooms.size(); ++i) {
      v1::RoomOutcome& row = *response.add_rooms();
      row.set_room(rooms[i].value);
      *row.mutable_outcome() = ToProto(receipts[i]);
      const Kept& kept = receipts[i].kept;
      row.set_offset(kept.position.offset);
      row.set_epoch(kept.position.epoch);
      row.set_duplicate(kept.fate == Kept::Fate::kDuplicate);
      row.set_stale(kept.fate == Kept::Fate::kStale);
      if (!failed(receipts[i])) continue;
      const absl::Status verdict = Verdict(receipts[i]);
      row.mutable_outcome()->set_partial(true);
      row.set_reason(ReasonOf(verdict));
      if (const absl::Duration wait = RetryAfter(verdict); wait > absl::ZeroDuration()) {
        *row.mutable_retry_after() = ToProto(wait);
      }
    }
    std::move(answer)(std::move(response));
  }

  const std::vector<RoomName> rooms;
  std::vector<Receipt> receipts;
  Answer<v1::PushResponse> answer;
};

}  // namespace

void PushCalls::Push(const v1::PushRequest& request, Answer<v1::PushResponse> answer) {
  Checks checks;
  std::vector<RoomName> rooms = ReadRooms(checks, request);
  Deliver deliver = ReadDeliver(checks, request, payload_bytes_max_);
  ReadExceptions(checks, request, deliver);
  const auto keep = ReadKeep(checks, request);
  if (!checks.ok()) return std::move(answer)(checks.status());
  counters_.Add(Counter::kRoomPushes, rooms.size());
  const auto pushes = std::make_shared<RoomPushes>(std::move(rooms), std::move(answer));
  for (size_t i = 0; i < pushes->rooms.size(); ++i) {
    broker_.Publish({.to = pushes->rooms[i],
                     .action = deliver,
                     .receipts = ReceiptsOf(request),
                     .from = {request.from_client_id()},
                     .keep = keep},
                    [pushes, i](Receipt receipt) { pushes->receipts[i] = std::move(receipt); });
  }
}

void PushCalls::SendToClient(const v1::SendToClientRequest& request,
                             Answer<v1::SendToClientResponse> answer) {
  Checks checks;
  ClientId client = checks.Required<ClientId>("client_id", request.client_id());
  Deliver deliver = ReadDeliver(checks, request, payload_bytes_max_);
  if (!checks.ok()) return std::move(answer)(checks.status());
  counters_.Add(Counter::kSendToClient);
  broker_.Publish(
      {.to = std::move(client), .action = std::move(deliver), .from = {request.from_client_id()}},
      [this, answer = std::move(answer)](Receipt receipt) mutable {
        const absl::Status verdict = Verdict(receipt);
        if (!verdict.ok()) return std::move(answer)(verdict);
        v1::SendToClientResponse response;
        response.set_delivered(receipt.queued);
        response.set_owner_missing(receipt.matched == 0 && !IsPartial(receipt));
        *response.mutable_outcome() = ToProto(receipt);
        if (response.owner_missing()) {
          counters_.Add(Counter::kSendToClientOwnerMissing);
        }
        std::move(answer)(std::move(response));
      });
}

void PushCalls::SendToConnection(const v1::SendToConnectionRequest& request,
                                 Answer<v1::SendToConnectionResponse> answer) {
  Checks checks;
  auto connection = checks.Connection("connection_id", request.connection_id());
  Deliver deliver = ReadDeliver(checks, request, payload_bytes_max_);
  if (!checks.ok()) return std::move(answer)(checks.status());
  if (!connection.has_value()) return std::move(answer)(ConnectionGone());
  broker_.Publish({.to = *std::move(connection), .action = std::move(deliver)},
                  [answer = std::move(answer)](Receipt receipt) mutable {
                    const absl::Status verdict = ConnectionVerdict(receipt);
                    if (!verdict.ok()) return std::move(answer)(verdict);
                    v1::SendToConnectionResponse response;
                    *response.mutable_outcome() = ToProto(receipt);
                    std::move(answer)(std::move(response));
                  });
}

void PushCalls::Broadcast(const v1::BroadcastRequest& request,
                          Answer<v1::BroadcastResponse> answer) {
  Checks checks;
  ChannelName channel = checks.Required<ChannelName>("channel", request.channel());
  FramePtr frame = checks.Payload(request.payload(), payload_bytes_max_);
  if (!checks.ok()) return std::move(answer)(checks.status());
  broker_.Publish({.to = std::move(channel),
                   .action = ToChannel{.frame = std::move(frame)},
                   .receipts = Receipts::kLocal},
                  [answer = std::move(answer)](Receipt receipt) mutable {
                    if (!receipt.status.ok()) return std::move(answer)(receipt.status);
                    v1::BroadcastResponse response;
                    response.set_receivers(receipt.queued);
                    std::move(answer)(std::move(response));
                  });
}

void PushCalls::PushAll(const v1::PushAllRequest& request, Answer<v1::PushAllResponse> answer) {
  Checks checks;
  Deliver deliver = ReadDeliver(checks, request, payload_bytes_max_);
  ReadExceptions(checks, request, deliver);
  if (!checks.ok()) return std::move(answer)(checks.status());
  broker_.Publish({.to = Everyone{}, .action = std::move(deliver), .receipts = ReceiptsOf(request)},
                  [answer = std::move(answer)](Receipt receipt) mutable {
                    const absl::Status verdict = Verdict(receipt);
                    if (!verdict.ok()) return std::move(answer)(verdict);
                    v1::PushAllResponse response;
                    *response.mutable_outcome() = ToProto(receipt);
                    std::move(answer)(std::move(response));
                  });
}

}  // namespace wsrouter
