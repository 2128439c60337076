#ifndef WSROUTER_CONTROL_CONSUME_STREAMS_H_
#define WSROUTER_CONTROL_CONSUME_STREAMS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "control/access_check.h"
#include "control/consume_stream.h"
#include "control/kept_streams.h"
#include "control/timed_thread.h"
#include "core/ids.h"

namespace wsrouter {

// The open streams of Events.Consume, at most `streams_max` of them, and the thread on which they
// do their work. Any thread.
class ConsumeStreams {
 public:
  ConsumeStreams(EventLog& log, Counters& counters, const Clock& clock, const NodeIdentity& node,
                 uint32_t streams_max);

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Open(AccessCheck::Standing standing);
  // Ends every stream with NODE_STOPPING and opens no new ones.
  void Stop();
  // Ends those whose callers may not have them any more.
  void EndFallen();

 private:
  absl::Status Keep(const std::shared_ptr<ConsumeStream>& stream, AccessCheck::Standing standing);
  void Forget(ConsumeStream& stream);
  void Tick();

  EventLog& log_;
  Counters& counters_;
  const Clock& clock_;
  const std::string node_;
  const uint32_t streams_max_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t opened_ ABSL_GUARDED_BY(mutex_) = 0;
  KeptStreams<ConsumeStream> streams_ ABSL_GUARDED_BY(mutex_);
  TimedThread thread_;  // the last member: it uses the others
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CONSUME_STREAMS_H_
