#include "control/push_streams.h"

#include <memory>
#include <utility>

#include "control/attach_stream.h"
#include "control/errors.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {

PushStreams::PushStreams(PushCalls& calls, ControlMeasures& measures, size_t request_bytes_max,
                         uint32_t streams_max)
    : calls_(calls),
      measures_(measures),
      request_bytes_max_(request_bytes_max),
      streams_(streams_max,
               OfLimit(Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHERS",
                               fmt::format("{} streams of pushes are open, the most that may be",
                                           streams_max)),
                       "control.push_streams_max")) {}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* PushStreams::Open(
    grpc::CallbackServerContext& call, AccessCheck::Standing standing, AccessCheck::Charge charge) {
  auto stream = std::make_shared<PushStream>(
      PushStream::Parts{
          .calls = calls_, .charge = std::move(charge), .request_bytes_max = request_bytes_max_},
      [this](PushStream& ended) {
        streams_.Forget(ended);
        measures_.push_streams.fetch_sub(1, std::memory_order_relaxed);
      });
  const absl::Status kept = streams_.Keep(stream, call, std::move(standing));
  if (!kept.ok()) return RefusedAttach(kept);
  measures_.push_streams.fetch_add(1, std::memory_order_relaxed);
  stream->ReadOn();
  return stream.get();
}

}  // namespace wsrouter
