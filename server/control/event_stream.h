#ifndef WSROUTER_CONTROL_EVENT_STREAM_H_
#define WSROUTER_CONTROL_EVENT_STREAM_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "control/stream_pump.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

namespace wsrouter {

// A stream of responses that is fed by a queue and lasts until its caller cancels it or the node
// ends it. One response is on its way at a time; a caller that reads slowly lets the queue fill.
//
// gRPC uses the object until OnDone, so whoever owns it keeps it until `closed` is called. Any
// thread.
class EventStream : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                    public Pumped,
                    public std::enable_shared_from_this<EventStream> {
 public:
  using Closed = absl::AnyInvocable<void(EventStream&) &&>;

  EventStream(StreamPump& pump, Closed closed) : pump_(pump), closed_(std::move(closed)) {}

  // Something waits in the queue after nothing did, or the stream is to end.
  void Wake() { pump_.Wake(shared_from_this()); }

  void Pump() override;
  // Ends the stream behind what waits in the queue. A caller who cancels it, or is gone, gets no
  // more than the response that is on its way.
  void End(const absl::Status& status);
  // Ends it before what waits in the queue: its caller may not have that any more.
  void Cut(const absl::Status& status);

 protected:
  // Makes a response of what waits first; false when nothing waits. Never called twice at a time;
  // may be called as soon as the stream can be ended.
  virtual bool Next(grpc::ByteBuffer& response) = 0;
  // No Next follows. Ends whatever feeds the queue.
  virtual void Unsubscribe() = 0;

 private:
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  StreamPump& pump_;
  Closed closed_;
  absl::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;       // nobody reads any more, or may
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;  // gRPC was told of the end
  std::optional<grpc::Status> ended_ ABSL_GUARDED_BY(mutex_);
  grpc::ByteBuffer response_;  // gRPC's while writing_
};

// A stream that ends at once, for calls that are refused.
grpc::ServerWriteReactor<grpc::ByteBuffer>* RefusedStream(const absl::Status& status);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_EVENT_STREAM_H_
