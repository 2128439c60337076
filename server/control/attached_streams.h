#ifndef WSROUTER_CONTROL_ATTACHED_STREAMS_H_
#define WSROUTER_CONTROL_ATTACHED_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "control/access_check.h"
#include "control/attach_stream.h"
#include "control/kept_streams.h"

namespace wsrouter {

// The open streams of Events.Attach, at most `streams_max` of them. Any thread.
class AttachedStreams {
 public:
  // Without a desk nobody may attach.
  AttachedStreams(AttachDesk* desk, uint32_t streams_max, size_t answer_bytes_max);

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Open(
      grpc::CallbackServerContext& call, AccessCheck::Standing standing);
  // As KeptStreams.
  void Stop() { streams_.Stop(); }
  void EndFallen() { streams_.EndFallen(); }

 private:
  AttachDesk* const desk_;
  const size_t answer_bytes_max_;
  KeptStreams<AttachStream> streams_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ATTACHED_STREAMS_H_
