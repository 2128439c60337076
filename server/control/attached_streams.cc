#include "control/attached_streams.h"

#include <utility>
#include <vector>

#include "control/errors.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AttachedStreams::Open(
    AccessCheck::Standing standing) {
  if (desk_ == nullptr) return RefusedAttach(NodeStopping());
  auto stream = std::make_shared<AttachStream>(*desk_, answer_bytes_max_,
                                               [this](AttachStream& ended) { Forget(ended); });
  const absl::Status kept = Keep(stream, std::move(standing));
  if (!kept.ok()) return RefusedAttach(kept);
  stream->ReadOn();
  return stream.get();
}

absl::Status AttachedStreams::Keep(const std::shared_ptr<AttachStream>& stream,
                                   AccessCheck::Standing standing) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return NodeStopping();
  if (streams_.size() >= streams_max_) {
    return OfLimit(
        Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHERS",
                fmt::format("{} services are attached, the most that may be", streams_max_)),
        "control.attached_max");
  }
  streams_.Keep(stream, std::move(standing));
  return absl::OkStatus();
}

void AttachedStreams::Forget(AttachStream& stream) {
  // Freed outside the lock.
  std::shared_ptr<AttachStream> forgotten;
  absl::MutexLock lock(&mutex_);
  forgotten = streams_.Forget(stream);
}

void AttachedStreams::Stop() {
  std::vector<std::shared_ptr<AttachStream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    streams = streams_.All();
  }
  for (const auto& stream : streams) stream->End(NodeStopping());
}

void AttachedStreams::EndFallen() {
  KeptStreams<AttachStream>::Fallen fallen;
  {
    absl::MutexLock lock(&mutex_);
    fallen = streams_.TakeFallen();
  }
  for (const auto& [stream, status] : fallen) stream->Cut(status);
}

}  // namespace wsrouter
