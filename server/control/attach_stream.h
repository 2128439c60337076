#ifndef WSROUTER_CONTROL_ATTACH_STREAM_H_
#define WSROUTER_CONTROL_ATTACH_STREAM_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "control/backend_options.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "wsrouter/v1/events.pb.h"

namespace wsrouter {

class AttachStream;

// What a service said of itself when it attached.
struct AttachTerms {
  std::string prefix;
  uint32_t questions_max = 0;
  BackendMethodSet methods;
};
absl::StatusOr<AttachTerms> ReadAttachment(const v1::Attachment& attachment);

// Where the streams of services that attach hand in what these say. Any thread.
class AttachDesk {
 public:
  virtual ~AttachDesk() = default;
  // Answered by Send with `ready`.
  virtual void Attach(std::shared_ptr<AttachStream> stream, AttachTerms terms) = 0;
  // The stream reads on when it is told to.
  virtual void Answer(std::shared_ptr<AttachStream> stream, v1::AttachAnswer answer) = 0;
  // No answer follows. May be told twice. `why`: what makes no sense of what it sent, which is then
  // what becomes of its questions; OK where it goes without that.
  virtual void Detach(AttachStream& stream, const absl::Status& why) = 0;
};

// The stream of a service that attached. gRPC uses the object until OnDone, so whoever owns it
// keeps it until `closed` is called. Any thread.
class AttachStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                           public std::enable_shared_from_this<AttachStream> {
 public:
  using Closed = absl::AnyInvocable<void(AttachStream&) &&>;

  // A larger answer than so fails its question.
  AttachStream(AttachDesk& desk, size_t answer_bytes_max, Closed closed)
      : desk_(desk), answer_bytes_max_(answer_bytes_max), closed_(std::move(closed)) {}

  // Reads one request; the next when it is called again.
  void ReadOn();
  // `call` is the question that it is, 0 for another response.
  void Send(uint64_t call, const v1::AttachResponse& response);
  // A question that has not been written yet is not written any more; otherwise the service is
  // told.
  void Withdraw(uint64_t call);
  void End(const absl::Status& status);
  // Ends it, and nothing counts that it says from now on.
  void Cut(const absl::Status& status);

 private:
  struct Waiting {
    uint64_t call = 0;
    grpc::ByteBuffer octets;
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  absl::Status OnRequest();
  // Writes what waits first, or ends the stream.
  void Pump();

  AttachDesk& desk_;
  const size_t answer_bytes_max_;
  Closed closed_;
  bool attached_ = false;     // the reader's
  grpc::ByteBuffer request_;  // gRPC's while it reads
  absl::Mutex mutex_;
  std::deque<Waiting> queue_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;  // gRPC was told of the end
  std::optional<grpc::Status> ended_ ABSL_GUARDED_BY(mutex_);
  grpc::ByteBuffer response_;  // gRPC's while writing_
};

// A stream that ends at once, for services that are refused.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RefusedAttach(
    const absl::Status& status);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ATTACH_STREAM_H_
