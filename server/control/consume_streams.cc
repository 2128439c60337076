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
constexpr absl::Duration kLookEvery = absl::Seconds(5);

}  // namespace

ConsumeStreams::ConsumeStreams(EventLog& log, History& history, LogGroupBoard& groups,
                               Counters& counters, const Clock& clock, const NodeIdentity& node,
                               uint32_t streams_max)
    : log_(log),
      history_(history),
      groups_(groups),
      counters_(counters),
      clock_(clock),
      node_(fmt::format("{}.{:016x}", node.server_id, node.incarnation)),
      streams_(streams_max,
               OfLimit(Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHERS",
                               fmt::format("{} consumers have streams, the most that may be",
                                           streams_max)),
                       "events.consumers_max")),
      thread_(clock, 1) {
  if (!log.on()) return;
  thread_.PostAnswer([this] {
    Tick();
    LookAtGroups();
  });
}

void ConsumeStreams::LookAtGroups() {
  if (groups_.TakeTurn()) {
    log_.Groups([&groups = groups_](absl::StatusOr<LogGroups> found) {
      groups.Write(found.ok() ? std::move(found->groups) : std::vector<LogGroup>{});
    });
  }
  thread_.After(kLookEvery, [this] { LookAtGroups(); });
}

void ConsumeStreams::Tick() {
  for (const auto& stream : streams_.All()) stream->Tick();
  thread_.After(kAskEvery, [this] { Tick(); });
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ConsumeStreams::Open(
    grpc::CallbackServerContext& call, AccessCheck::Standing standing) {
  auto stream =
      std::make_shared<ConsumeStream>(ConsumeStream::Parts{.log = log_,
                                                           .history = history_,
                                                           .thread = thread_,
                                                           .counters = counters_,
                                                           .clock = clock_},
                                      fmt::format("{}.{}", node_, ++opened_),
                                      [this](ConsumeStream& ended) { streams_.Forget(ended); });
  const absl::Status kept = streams_.Keep(stream, call, std::move(standing));
  if (!kept.ok()) return RefusedAttach(kept);
  stream->ReadOn();
  return stream.get();
}

}  // namespace wsrouter
