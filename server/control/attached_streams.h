#ifndef WSROUTER_CONTROL_ATTACHED_STREAMS_H_
#define WSROUTER_CONTROL_ATTACHED_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "control/access_check.h"
#include "control/attach_stream.h"
#include "control/kept_streams.h"

namespace wsrouter {

// The open streams of Events.Attach, at most `streams_max` of them. Any thread.
class AttachedStreams {
 public:
  // Without a desk nobody may attach.
  AttachedStreams(AttachDesk* desk, uint32_t streams_max, size_t answer_bytes_max)
      : desk_(desk), streams_max_(streams_max), answer_bytes_max_(answer_bytes_max) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Open(AccessCheck::Standing standing);
  // Ends every stream with NODE_STOPPING and opens no new ones.
  void Stop();
  // Ends those whose callers may not have them any more.
  void EndFallen();

 private:
  absl::Status Keep(const std::shared_ptr<AttachStream>& stream, AccessCheck::Standing standing);
  void Forget(AttachStream& stream);

  AttachDesk* const desk_;
  const uint32_t streams_max_;
  const size_t answer_bytes_max_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  KeptStreams<AttachStream> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ATTACHED_STREAMS_H_
