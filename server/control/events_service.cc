#include "control/events_service.h"

#include <utility>
#include <vector>

#include "control/channel_stream.h"
#include "control/checks.h"
#include "control/watch_stream.h"
#include "core/error.h"

namespace wsrouter {
namespace {

// Adds `kind` to the filter; false for a number that no kind has.
bool AddKind(int kind, EventFilter& filter) {
  switch (kind) {
    case v1::EVENT_KIND_CONNECTED:
      filter.kinds.set(kEventKind<event::Connected>);
      return true;
    case v1::EVENT_KIND_OWNED:
      filter.kinds.set(kEventKind<event::Owned>);
      return true;
    case v1::EVENT_KIND_RELEASED:
      filter.kinds.set(kEventKind<event::Released>);
      return true;
    case v1::EVENT_KIND_MESSAGE:
      filter.kinds.set(kEventKind<event::Message>);
      return true;
    case v1::EVENT_KIND_JOINED:
      filter.kinds.set(kEventKind<event::Joined>);
      return true;
    case v1::EVENT_KIND_LEFT:
      filter.kinds.set(kEventKind<event::Left>);
      return true;
    case v1::EVENT_KIND_DISCONNECTED:
      filter.kinds.set(kEventKind<event::Disconnected>);
      return true;
    case v1::EVENT_KIND_SLOW:
      filter.kinds.set(kEventKind<event::Slow>);
      return true;
    case v1::EVENT_KIND_RESUMED:
      filter.kinds.set(kEventKind<event::Resumed>);
      return true;
    case v1::EVENT_KIND_MISSED:
    case v1::EVENT_KIND_READY:
      return true;  // always told
    default:
      return false;
  }
}

}  // namespace

absl::StatusOr<EventFilter> ReadFilter(const v1::WatchRequest& request) {
  Checks checks;
  EventFilter filter;
  if (request.kinds_size() > kNamesMax) {
    checks.Fail(
        BadField("kinds", "TOO_MANY_ITEMS",
                 fmt::format("has {} entries, want at most {}", request.kinds_size(), kNamesMax)));
  }
  if (request.kinds().empty()) filter.kinds.set().reset(kEventKind<event::Message>);
  for (int i = 0; i < request.kinds_size() && checks.ok(); ++i) {
    if (!AddKind(request.kinds(i), filter)) checks.Known(fmt::format("kinds[{}]", i), false);
  }
  if (request.include_messages()) filter.kinds.set(kEventKind<event::Message>);
  for (RoomName& room : checks.List<RoomName>("rooms", request.rooms())) {
    filter.rooms.insert(std::move(room));
  }
  for (ClientId& client : checks.List<ClientId>("client_ids", request.client_ids())) {
    filter.clients.insert(std::move(client));
  }
  if (!checks.ok()) return checks.status();
  return filter;
}

EventsService::EventsService(AccessCheck& access, const Parts& parts, const Limits& limits)
    : RawService(access),
      parts_(parts),
      queue_limits_(limits.queue),
      attached_(parts.desk, limits.attached_max, limits.answer_bytes_max),
      streams_(limits.streams_max,
               Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHERS",
                       fmt::format("{} streams are open, the most that there may be",
                                   limits.streams_max))),
      log_calls_(parts.log),
      consumers_(parts.log, parts.history, parts.measures.log_groups, parts.counters, parts.clock,
                 parts.node, limits.consumers_max) {
  BindStream("Watch", [this](grpc::CallbackServerContext* context, const grpc::ByteBuffer* octets) {
    return Watch(*context, *octets);
  });
  BindStream("Subscribe",
             [this](grpc::CallbackServerContext* context, const grpc::ByteBuffer* octets) {
               return Subscribe(*context, *octets);
             });
  BindBidi(
      "Attach",
      [this](grpc::CallbackServerContext* context) {
        return attached_.Open(*context, StandingOf(*context, "Attach"));
      },
      RefusedAttach);
  BindBidi(
      "Consume",
      [this](grpc::CallbackServerContext* context) {
        return consumers_.Open(*context, StandingOf(*context, "Consume"));
      },
      RefusedAttach);
  Bind("ConsumerGroups", log_calls_, &LogCalls::ConsumerGroups);
  Bind("DeleteGroup", log_calls_, &LogCalls::DeleteGroup);
  Bind("DeadLetters", log_calls_, &LogCalls::DeadLetters);
  Bind("RequeueDeadLetters", log_calls_, &LogCalls::RequeueDeadLetters);
  Bind("DropDeadLetters", log_calls_, &LogCalls::DropDeadLetters);
}

EventsService::Reactor* EventsService::Watch(grpc::CallbackServerContext& context,
                                             const grpc::ByteBuffer& octets) {
  v1::WatchRequest request;
  const absl::Status parsed = ParseRequest(octets, request);
  if (!parsed.ok()) return RefusedStream(parsed);
  absl::StatusOr<EventFilter> filter = ReadFilter(request);
  if (!filter.ok()) return RefusedStream(filter.status());
  std::atomic<uint64_t>& open = parts_.measures.watchers;
  auto stream = WatchStream::Make(parts_.hub, *std::move(filter), queue_limits_, pump_,
                                  [this, &open](EventStream& ended) { Forget(ended, open); });
  const absl::Status kept = Keep(stream, context, StandingOf(context, "Watch"), open);
  if (!kept.ok()) return RefusedStream(kept);
  stream->Start(request.include_pending(), parts_.broker);
  return stream.get();
}

EventsService::Reactor* EventsService::Subscribe(grpc::CallbackServerContext& context,
                                                 const grpc::ByteBuffer& octets) {
  v1::SubscribeRequest request;
  const absl::Status parsed = ParseRequest(octets, request);
  if (!parsed.ok()) return RefusedStream(parsed);
  Checks checks;
  std::vector<ChannelName> channels =
      checks.NonEmptyList<ChannelName>("channels", request.channels(), kChannelsMax);
  if (!checks.ok()) return RefusedStream(checks.status());
  std::atomic<uint64_t>& open = parts_.measures.subscribers;
  auto stream = std::make_shared<ChannelStream>(
      std::move(channels), parts_.broker, parts_.counters, parts_.clock, queue_limits_, pump_,
      [this, &open](EventStream& ended) { Forget(ended, open); });
  const absl::Status kept = Keep(stream, context, StandingOf(context, "Subscribe"), open);
  if (!kept.ok()) return RefusedStream(kept);
  stream->Start();
  return stream.get();
}

absl::Status EventsService::Keep(const std::shared_ptr<EventStream>& stream,
                                 grpc::CallbackServerContext& call, AccessCheck::Standing standing,
                                 std::atomic<uint64_t>& open) {
  const absl::Status kept = streams_.Keep(stream, call, std::move(standing));
  if (kept.ok()) open.fetch_add(1, std::memory_order_relaxed);
  return kept;
}

void EventsService::Forget(EventStream& stream, std::atomic<uint64_t>& open) {
  streams_.Forget(stream);
  open.fetch_sub(1, std::memory_order_relaxed);
}

void EventsService::EndFallen() {
  streams_.EndFallen();
  attached_.EndFallen();
  consumers_.EndFallen();
}

void EventsService::Stop() {
  attached_.Stop();
  consumers_.Stop();
  streams_.Stop();
}

}  // namespace wsrouter
