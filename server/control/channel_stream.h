#ifndef WSROUTER_CONTROL_CHANNEL_STREAM_H_
#define WSROUTER_CONTROL_CHANNEL_STREAM_H_

#include <atomic>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "control/event_stream.h"
#include "control/stream_queue.h"
#include "core/broker.h"
#include "core/counters.h"

namespace wsrouter {

// Events.Subscribe: a subscriber of channels at the broker.
class ChannelStream final : public EventStream, public Subscriber {
 public:
  ChannelStream(std::vector<ChannelName> channels, Broker& broker, Counters& counters,
                const Clock& clock, StreamQueueLimits limits, StreamPump& pump, Closed closed)
      : EventStream(pump, std::move(closed)),
        channels_(std::move(channels)),
        broker_(broker),
        counters_(counters),
        clock_(clock),
        queue_(limits) {}

  // Subscribes; the stream says `ready` when every channel is live.
  void Start();

  void Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) override;

 private:
  struct Received {
    std::shared_ptr<const Envelope> envelope;
    absl::Time at;
  };
  struct Subscribing;

  bool Next(grpc::ByteBuffer& response) override;
  void Unsubscribe() override;

  const std::vector<ChannelName> channels_;
  Broker& broker_;
  Counters& counters_;
  const Clock& clock_;
  std::atomic<bool> live_{false};
  bool ready_told_ = false;  // touched by Next only
  StreamQueue<Received> queue_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CHANNEL_STREAM_H_
