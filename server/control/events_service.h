#ifndef WSROUTER_CONTROL_EVENTS_SERVICE_H_
#define WSROUTER_CONTROL_EVENTS_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "control/attached_streams.h"
#include "control/consume_streams.h"
#include "control/event_hub.h"
#include "control/event_stream.h"
#include "control/kept_streams.h"
#include "control/log_calls.h"
#include "control/rpc.h"
#include "control/stream_pump.h"
#include "control/timed_thread.h"
#include "core/broker.h"
#include "core/control_measures.h"
#include "core/counters.h"
#include "wsrouter/v1/events.grpc.pb.h"

namespace wsrouter {

// What Watch asks for, as the hub understands it.
absl::StatusOr<EventFilter> ReadFilter(const v1::WatchRequest& request);

// wsrouter.v1.Events on gRPC. Owns the open streams, which are bounded in number.
class EventsService final : public RawService<v1::Events> {
 public:
  struct Limits {
    uint32_t streams_max = 64;   // of Watch and Subscribe
    uint32_t attached_max = 64;  // of Attach
    size_t answer_bytes_max = size_t{4} << 20;
    uint32_t consumers_max = 64;
    StreamQueueLimits queue;
  };

  struct Parts {
    EventHub& hub;
    Broker& broker;
    Counters& counters;
    ControlMeasures& measures;
    AttachDesk* desk;  // takes the services that attach; null: none can
    EventLog& log;     // what is consumed
    History& history;  // ... and what its messages are
    const NodeIdentity& node;
    const Clock& clock;
  };

  EventsService(AccessCheck& access, const Parts& parts, const Limits& limits);
  // After the server has ended.
  ~EventsService() override = default;

  // Ends every stream with NODE_STOPPING and opens no new ones.
  void Stop();

  // Ends the streams whose callers may not have them any more.
  void EndFallen();

  // How many streams of Watch and Subscribe are open.
  const std::atomic<uint64_t>& streams() const { return streams_.open(); }

 private:
  using Reactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

  Reactor* Watch(grpc::CallbackServerContext& context, const grpc::ByteBuffer& octets);
  Reactor* Subscribe(grpc::CallbackServerContext& context, const grpc::ByteBuffer& octets);
  // Keeps the stream until gRPC is done with it, or says why it must not be opened. `open` counts
  // those of its kind.
  absl::Status Keep(const std::shared_ptr<EventStream>& stream, grpc::CallbackServerContext& call,
                    AccessCheck::Standing standing, std::atomic<uint64_t>& open);
  void Forget(EventStream& stream, std::atomic<uint64_t>& open);

  const Parts parts_;
  const StreamQueueLimits queue_limits_;
  AttachedStreams attached_;
  KeptStreams<EventStream> streams_;
  LogCalls log_calls_;
  ConsumeStreams consumers_;
  StreamPump pump_;  // the last member: its thread uses the others
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_EVENTS_SERVICE_H_
