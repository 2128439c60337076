#ifndef WSROUTER_CONTROL_PUSH_STREAM_H_
#define WSROUTER_CONTROL_PUSH_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "control/access_check.h"
#include "control/push_calls.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

// One stream of pushes. They are handed to `calls` in the order in which they come, and answered in
// that order, many with one response. A push takes its place from when it is read until its answer
// is written; without a place nothing is read, so a caller that does not read answers waits.
//
// gRPC uses the object until OnDone, so whoever owns it keeps it until `closed` is called; pushes
// keep it until they are answered. Any thread.
class PushStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public std::enable_shared_from_this<PushStream> {
 public:
  using Closed = absl::AnyInvocable<void(PushStream&) &&>;

  struct Parts {
    PushCalls& calls;
    AccessCheck::Charge charge;  // asked before each push; null: it costs nothing
    size_t request_bytes_max = 0;
  };

  // The places, in pushes and in their octets. A request that was begun below them is taken whole.
  static constexpr size_t kPushesMax = 4096;
  static constexpr size_t kBytesMax = size_t{4} << 20;
  static constexpr int kItemsMax = 1000;  // of one request

  PushStream(Parts parts, Closed closed) : parts_(std::move(parts)), closed_(std::move(closed)) {}

  // Reads one request if there is a place for it and none is being read.
  void ReadOn();
  // Ends it behind the answers to what was read.
  void End(const absl::Status& status);
  // Ends it at once: its caller is gone, or may not have the answers.
  void Cut(const absl::Status& status);

 private:
  struct Waiting {
    uint64_t sequence = 0;
    size_t bytes = 0;
    bool wants_result = false;
    bool done = false;
    std::optional<v1::PushResult> result;
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { Cut(absl::CancelledError()); }
  void OnDone() override { std::move(closed_)(*this); }

  absl::Status OnRequest();
  // Its place among all that were read.
  absl::StatusOr<uint64_t> Admit(const v1::PushItem& item, int index);
  void Dispatch(const v1::PushItem& item, uint64_t place);
  template <typename Request, typename Response>
  void Call(void (PushCalls::*call)(const Request&, Answer<Response>), const Request& request,
            Response* (v1::PushResult::*slot)(), uint64_t place);
  void OnAnswer(uint64_t place, bool whole, v1::PushResult result);
  // Writes the answers that are next, or ends the stream.
  void Pump();
  grpc::ByteBuffer TakeAnswers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Parts parts_;
  Closed closed_;
  grpc::ByteBuffer request_;  // gRPC's while it reads
  absl::Mutex mutex_;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;  // gRPC was told of the end
  std::optional<grpc::Status> ended_ ABSL_GUARDED_BY(mutex_);
  uint64_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;      // of what was read last
  std::deque<Waiting> items_ ABSL_GUARDED_BY(mutex_);  // read, and in no response yet
  uint64_t first_place_ ABSL_GUARDED_BY(mutex_) = 0;   // of items_.front()
  size_t pushes_ ABSL_GUARDED_BY(mutex_) = 0;          // that have places
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;           // of these
  size_t pushes_written_ ABSL_GUARDED_BY(mutex_) = 0;  // whose places end with the write
  size_t bytes_written_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::ByteBuffer response_;  // gRPC's while writing_
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_PUSH_STREAM_H_
