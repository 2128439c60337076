// How ShardLoop writes what waits in outboxes, and what it measures of that.
#include <algorithm>
#include <utility>

#include "gateway/shard_loop.h"

namespace wsrouter {
namespace {

// How long a peer may take to end its side after everything was said.
constexpr absl::Duration kLinger = absl::Seconds(1);

// Pushes of which it is still looked for when all is written; of others it is taken for written.
constexpr size_t kUnwrittenMax = 4096;

}  // namespace

void ShardLoop::WantWrite(Connection& connection) {
  writes_.Add(static_cast<Session&>(connection));
}

// No longer backlogged: it has waited, and goes on waiting where others are before it.
void ShardLoop::OnWritable(Session& session) { writes_.AddBehind(session); }

void ShardLoop::OnTurnEnd() {
  while (Session* session = writes_.Next()) WriteOut(*session);
  const bool left = writes_.EndTurn();
  if (left) {
    loop_->Wake();  // not before sockets and the mailbox had their turn
  } else {
    batch_.Forget();
  }
  counters_.Add(Counter::kWrites, std::exchange(turn_writes_, 0));
  for (size_t i = 0; i < doomed_.size(); ++i) {  // the list may grow meanwhile
    if (doomed_[i] == nullptr) continue;
    if (doomed_[i]->state == Session::State::kParked) {
      Forget(*doomed_[i]);
    } else {
      SocketLoop::Kill(*doomed_[i]);
    }
  }
  doomed_.clear();
  MeasureTurn();
  shard_.EndTurn();
  if (drained_ && sessions_.empty()) loop_->Break();
}

void ShardLoop::WriteOut(Session& session) {
  if (session.state == Session::State::kOpening) return;  // once it is admitted
  if (session.backlogged || session.doomed_place != Session::kNowhere) return;
  if (!session.outbox.empty()) {
    const std::string_view front = batch_.Front(session.outbox);
    ++turn_writes_;
    writes_.Charge(front.size());
    if (!SocketLoop::Write(session, front)) {
      Doom(session);
      return;
    }
    shard_.OnSent(session, front.size());
    if (session.backlogged) backlog_.Add(session, now_.uptime);
    // One piece at a time: the others who wait for the same octets get them while they are joined.
    if (!session.outbox.empty()) return writes_.AddBehind(session);
  }
  if (session.state == Session::State::kClosing && session.peer_done) EndOutput(session);
}

void ShardLoop::EndOutput(Session& session) {
  if (session.backlogged) return;
  // Closing with unread input would reset the connection and could take our last frames with it.
  SocketLoop::ShutWrite(session);
  session.state = Session::State::kLingering;
  session.end_uptime = std::min(session.end_uptime, now_.uptime + kLinger);
  timers_.Set(session, session.end_uptime);
}

void ShardLoop::MeasureTurn() {
  // One look at the clock for everything that was written in this turn.
  const absl::Duration end = clock_.Now().uptime;
  measures_.Add(Measure::kTurn, end - now_.uptime);
  for (const Shard::Delivered& push : shard_.delivered()) {
    if (push.connections == 0) continue;
    measures_.Add(Measure::kFanOut, static_cast<double>(push.connections));
    // Who is left now gets it by the time that they all had their turn.
    unwritten_.push_back({writes_.lefts(), push});
  }
  while (!unwritten_.empty() && (unwritten_.front().left_to <= writes_.lefts_served() ||
                                 unwritten_.size() > kUnwrittenMax)) {
    const Shard::Delivered& push = unwritten_.front().push;
    measures_.Add(Measure::kDelivery, end - push.posted, push.connections);
    unwritten_.pop_front();
  }
}

}  // namespace wsrouter
