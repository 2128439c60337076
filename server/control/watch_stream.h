#ifndef WSROUTER_CONTROL_WATCH_STREAM_H_
#define WSROUTER_CONTROL_WATCH_STREAM_H_

#include <memory>

#include "control/event_hub.h"
#include "control/event_stream.h"
#include "core/broker.h"

namespace wsrouter {

// Events.Watch: one watcher of the hub.
class WatchStream final : public EventStream {
 public:
  static std::shared_ptr<WatchStream> Make(EventHub& hub, EventFilter filter,
                                           StreamQueueLimits limits, StreamPump& pump,
                                           Closed closed);

  // Begins to watch. READY comes once the shards have shown what is pending, where that is asked
  // for; a shard that could not be asked ends the stream, since something would be overlooked.
  void Start(bool include_pending, Broker& broker);

 private:
  WatchStream(EventHub& hub, StreamPump& pump, Closed closed)
      : EventStream(pump, std::move(closed)), hub_(hub) {}

  bool Next(grpc::ByteBuffer& response) override;
  void Unsubscribe() override { hub_.Remove(watcher_->id()); }

  EventHub& hub_;
  std::shared_ptr<EventHub::Watcher> watcher_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_WATCH_STREAM_H_
