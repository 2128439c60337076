#include "control/consume_streams.h"

#include <utility>
#include <vector>

#include "control/attach_stream.h"
#include "control/errors.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// How often the log is asked for entries where there were none.
constexpr absl::Duration kAskEvery = absl::Milliseconds(100);

}  // namespace

ConsumeStreams::ConsumeStreams(EventLog& log, Counters& counters, const Clock& clock,
                               const NodeIdentity& node, uint32_t streams_max)
    : log_(log),
      counters_(counters),
      clock_(clock),
      node_(fmt::format("{}.{:016x}", node.server_id, node.incarnation)),
      streams_max_(streams_max),
      thread_(clock, 1) {
  if (log.on()) thread_.PostAnswer([this] { Tick(); });
}

void ConsumeStreams::Tick() {
  std::vector<std::shared_ptr<ConsumeStream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    streams = streams_.All();
  }
  for (const auto& stream : streams) stream->Tick();
  thread_.After(kAskEvery, [this] { Tick(); });
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ConsumeStreams::Open(
    AccessCheck::Standing standing) {
  std::string number;
  {
    absl::MutexLock lock(&mutex_);
    number = fmt::format("{}.{}", node_, ++opened_);
  }
  auto stream = std::make_shared<ConsumeStream>(
      ConsumeStream::Parts{.log = log_, .thread = thread_, .counters = counters_, .clock = clock_},
      std::move(number), [this](ConsumeStream& ended) { Forget(ended); });
  const absl::Status kept = Keep(stream, std::move(standing));
  if (!kept.ok()) return RefusedAttach(kept);
  stream->ReadOn();
  return stream.get();
}

absl::Status ConsumeStreams::Keep(const std::shared_ptr<ConsumeStream>& stream,
                                  AccessCheck::Standing standing) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return NodeStopping();
  if (streams_.size() >= streams_max_) {
    return OfLimit(
        Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHERS",
                fmt::format("{} consumers have streams, the most that may be", streams_max_)),
        "events.consumers_max");
  }
  streams_.Keep(stream, std::move(standing));
  return absl::OkStatus();
}

void ConsumeStreams::Forget(ConsumeStream& stream) {
  // Freed outside the lock.
  std::shared_ptr<ConsumeStream> forgotten;
  absl::MutexLock lock(&mutex_);
  forgotten = streams_.Forget(stream);
}

void ConsumeStreams::Stop() {
  std::vector<std::shared_ptr<ConsumeStream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    streams = streams_.All();
  }
  for (const auto& stream : streams) stream->End(NodeStopping());
}

void ConsumeStreams::EndFallen() {
  KeptStreams<ConsumeStream>::Fallen fallen;
  {
    absl::MutexLock lock(&mutex_);
    fallen = streams_.TakeFallen();
  }
  for (const auto& [stream, status] : fallen) stream->End(status);
}

}  // namespace wsrouter
