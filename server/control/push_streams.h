#ifndef WSROUTER_CONTROL_PUSH_STREAMS_H_
#define WSROUTER_CONTROL_PUSH_STREAMS_H_

#include <cstddef>
#include <cstdint>

#include "control/access_check.h"
#include "control/kept_streams.h"
#include "control/push_calls.h"
#include "control/push_stream.h"
#include "core/control_measures.h"

namespace wsrouter {

// The open streams of Router.PushStream, at most `streams_max` of them. Any thread.
class PushStreams {
 public:
  PushStreams(PushCalls& calls, ControlMeasures& measures, size_t request_bytes_max,
              uint32_t streams_max);

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Open(
      grpc::CallbackServerContext& call, AccessCheck::Standing standing,
      AccessCheck::Charge charge);
  // As KeptStreams.
  void Stop() { streams_.Stop(); }
  void EndFallen() { streams_.EndFallen(); }

 private:
  PushCalls& calls_;
  ControlMeasures& measures_;
  const size_t request_bytes_max_;
  KeptStreams<PushStream> streams_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_PUSH_STREAMS_H_
