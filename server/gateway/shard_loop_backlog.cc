// What ShardLoop does about sockets that do not take what they are given.
#include <algorithm>
#include <utility>

#include "gateway/shard_loop.h"

namespace wsrouter {
namespace {

// How long a slow consumer may take to read what it has begun, and the Close: less than others,
// since it has had its time.
constexpr absl::Duration kSlowPatience = absl::Seconds(3);

}  // namespace

void ShardLoop::CheckBacklog() {
  for (Session* session : backlog_.TooOld(now_.uptime)) EndSlow(*session, SlowCause::kAge);
  if (!budget_.on()) return;
  std::vector<Session*> sessions;
  const bool near = budget_.Near(index_, shard_.outbox_bytes());
  if (near) sessions = backlog_.ByOutbox();
  const auto tell = [&] {
    budget_.Tell(index_, shard_.outbox_bytes(),
                 sessions.empty() ? 0 : sessions.back()->outbox.bytes());
  };
  tell();
  // Not before the others have told of theirs, which they do as often as this shard.
  if (!std::exchange(budget_near_, near)) return;
  while (!sessions.empty() && budget_.Over() && budget_.HoldsLargest(index_)) {
    EndSlow(*sessions.back(), SlowCause::kBudget);
    sessions.pop_back();
    tell();
  }
}

void ShardLoop::EndSlow(Session& session, SlowCause cause) {
  if (session.state == Session::State::kEcho) {
    counters_.Add(Counter::kClosedSlowConsumer);
    counters_.Add(cause == SlowCause::kAge ? Counter::kClosedSlowAge : Counter::kClosedSlowBudget);
    shard_.Discard(session);
    Doom(session);  // a test of conformance is over
    return;
  }
  shard_.EndSlow(session, cause);
  if (cause == SlowCause::kBudget && session.outbox.bytes() > kControlFramesBytesMax) {
    // What is begun is large itself, and would cost others their connections until it is sent.
    shard_.Discard(session);
    return Doom(session);
  }
  session.end_uptime = std::min(session.end_uptime, now_.uptime + kSlowPatience);
  timers_.Set(session, session.end_uptime);
}

}  // namespace wsrouter
