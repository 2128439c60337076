#include "control/attached_streams.h"

#include <utility>

#include "control/errors.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {

AttachedStreams::AttachedStreams(AttachDesk* desk, uint32_t streams_max, size_t answer_bytes_max)
    : desk_(desk),
      answer_bytes_max_(answer_bytes_max),
      streams_(streams_max,
               OfLimit(Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHERS",
                               fmt::format("{} services are attached, the most that may be",
                                           streams_max)),
                       "control.attached_max")) {}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AttachedStreams::Open(
    grpc::CallbackServerContext& call, AccessCheck::Standing standing) {
  if (desk_ == nullptr) return RefusedAttach(NodeStopping());
  auto stream = std::make_shared<AttachStream>(
      *desk_, answer_bytes_max_, [this](AttachStream& ended) { streams_.Forget(ended); });
  const absl::Status kept = streams_.Keep(stream, call, std::move(standing));
  if (!kept.ok()) return RefusedAttach(kept);
  stream->ReadOn();
  return stream.get();
}

}  // namespace wsrouter
