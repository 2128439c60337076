#include "control/channel_stream.h"

#include <utility>

#include "control/convert.h"
#include "control/rpc.h"

namespace wsrouter {

// The answers that Start waits for; the last one lets go of it.
struct ChannelStream::Subscribing {
  ~Subscribing() {
    if (status.ok()) {
      stream->live_.store(true);
      stream->Wake();
    } else {
      stream->End(status);
    }
  }

  std::shared_ptr<ChannelStream> stream;
  absl::Mutex mutex;
  absl::Status status ABSL_GUARDED_BY(mutex);  // the first failure
};

void ChannelStream::Start() {
  auto all = std::make_shared<Subscribing>();
  all->stream = std::static_pointer_cast<ChannelStream>(shared_from_this());
  for (const ChannelName& channel : channels_) {
    broker_.Subscribe(*this, channel, [all](absl::Status live) {
      absl::MutexLock lock(&all->mutex);
      if (all->status.ok()) all->status = std::move(live);
    });
  }
}

void ChannelStream::Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) {
  const auto* message = std::get_if<ToChannel>(&envelope->action);
  if (message == nullptr) return part.Finish({});
  const size_t bytes = message->frame->payload().size();
  switch (queue_.Put({.envelope = std::move(envelope), .at = clock_.Now().wall}, bytes)) {
    case StreamQueue<Received>::Add::kFirst:
      Wake();
      break;
    case StreamQueue<Received>::Add::kQueued:
      break;
    case StreamQueue<Received>::Add::kLost:
      counters_.Add(Counter::kEventsMissed);
      return part.Finish({.matched = 1, .dropped_slow_consumer = 1});
  }
  part.Finish({.matched = 1, .queued = 1});
}

bool ChannelStream::Next(grpc::ByteBuffer& response) {
  if (!live_.load()) return false;
  v1::SubscribeResponse shown;
  if (!ready_told_) {
    ready_told_ = true;
    shown.mutable_ready();
    response = SerializeResponse(shown);
    return true;
  }
  const auto taken = queue_.Take();
  if (!taken.has_value()) return false;
  if (taken->lost > 0) {
    shown.mutable_missed()->set_events(taken->lost);
  } else {
    const Envelope& envelope = *taken->item->envelope;
    const Frame& frame = *std::get<ToChannel>(envelope.action).frame;
    v1::ChannelMessage& message = *shown.mutable_message();
    message.set_channel(std::get<ChannelName>(envelope.to).value);
    *message.mutable_payload() = ToPayload(frame.opcode(), frame.payload());
    message.set_sequence(taken->sequence);
    *message.mutable_at() = ToProto(taken->item->at);
  }
  response = SerializeResponse(shown);
  return true;
}

void ChannelStream::Unsubscribe() {
  for (const ChannelName& channel : channels_) broker_.Unsubscribe(*this, channel);
}

}  // namespace wsrouter
