#include "control/watch_stream.h"

#include <utility>

#include "control/convert.h"
#include "control/errors.h"
#include "control/rpc.h"

namespace wsrouter {

std::shared_ptr<WatchStream> WatchStream::Make(EventHub& hub, EventFilter filter,
                                               StreamQueueLimits limits, StreamPump& pump,
                                               Closed closed) {
  const std::shared_ptr<WatchStream> made(new WatchStream(hub, pump, std::move(closed)));
  made->watcher_ = hub.Make(std::move(filter), limits, [stream = made->weak_from_this()] {
    if (const auto alive = stream.lock()) alive->Wake();
  });
  return made;
}

void WatchStream::Start(bool include_pending, Broker& broker) {
  const std::weak_ptr<EventStream> stream = weak_from_this();
  hub_.Add(watcher_);
  const uint64_t id = watcher_->id();
  if (!include_pending) {
    hub_.EmitReady(id);
    return;
  }
  broker.Publish({.to = ThisNode{}, .action = AnnouncePending{.watcher = id}},
                 [&hub = hub_, id, stream](Receipt receipt) {
                   if (receipt.dropped_mailbox_full == 0) {
                     hub.EmitReady(id);
                   } else if (const auto alive = stream.lock()) {
                     alive->End(Overloaded());
                   }
                 });
}

bool WatchStream::Next(grpc::ByteBuffer& response) {
  const auto taken = watcher_->Take();
  if (!taken.has_value()) return false;
  v1::WatchResponse shown;
  v1::Event& event = *shown.mutable_event();
  if (taken->lost > 0) {
    event.set_kind(v1::EVENT_KIND_MISSED);
    event.mutable_missed()->set_events(taken->lost);
  } else if (const auto* ready = std::get_if<EventHub::Ready>(&*taken->item)) {
    event.set_kind(v1::EVENT_KIND_READY);
    event.mutable_ready()->set_pending(ready->pending);
  } else {
    event = ToProto(*std::get<std::shared_ptr<const Event>>(*taken->item));
  }
  event.set_sequence(taken->sequence);
  response = SerializeResponse(shown);
  return true;
}

}  // namespace wsrouter
