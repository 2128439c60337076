// What ShardLoop does when time passes for a session: half a request, the end of a deadline,
// silence, the end of patience.
#include <algorithm>

#include "base/scatter.h"
#include "gateway/shard_loop.h"

namespace wsrouter {

void ShardLoop::OnTick() {
  lag_.Tick(now_.uptime);
  EndSlowHeads();
  if (draining_ || stopping_) ContinueWindow();
  CheckBacklog();
  timers_.Advance(now_.uptime, [this](Timer& timer) { OnTimer(static_cast<Session&>(timer)); });
}

absl::Duration ShardLoop::DueOf(const Session& session) const {
  switch (session.state) {
    case Session::State::kOpen:
      return std::min(session.deadline, PingDueOf(session));
    case Session::State::kOpening:
    case Session::State::kParked:
      return session.deadline;
    case Session::State::kEcho:
      return PingDueOf(session);
    default:
      return session.end_uptime;
  }
}

absl::Duration ShardLoop::PingDueOf(const Session& session) const {
  if (options_->ping_interval == absl::ZeroDuration()) return absl::InfiniteDuration();
  if (session.ping_pending) return session.ping_uptime + options_->pong_timeout;
  // A tenth more or less, anew after each silence, so that those who came together do not stay
  // together.
  const uint64_t heard = static_cast<uint64_t>(absl::ToInt64Nanoseconds(session.heard_uptime));
  const uint64_t scattered = Scatter(heard ^ static_cast<uint64_t>(session.fd)) % 1024;
  return session.heard_uptime +
         options_->ping_interval * (0.9 + 0.2 / 1023 * static_cast<double>(scattered));
}

void ShardLoop::OnTimer(Session& session) {
  const bool over = now_.uptime >= session.end_uptime;
  switch (session.state) {
    case Session::State::kHead:
      if (over && session.opening->parser.started()) {
        Refuse(session, RefuseUpgrade(408, "the request did not come in time"));
      } else if (over) {
        Doom(session);
      }
      break;
    case Session::State::kOpening:
    case Session::State::kParked:
      if (now_.uptime >= session.deadline) shard_.OnDeadline(session);
      break;
    case Session::State::kOpen:
      if (now_.uptime >= session.deadline) shard_.OnDeadline(session);
      [[fallthrough]];
    case Session::State::kEcho:
      if (!session.closing) Heartbeat(session);
      break;
    default:
      if (over) Doom(session);
  }
  timers_.Set(session, DueOf(session));
}

void ShardLoop::Heartbeat(Session& session) {
  // It has said something else instead: a Pong that comes now answers nothing.
  if (!session.ping_pending && now_.uptime >= session.ping_uptime + options_->pong_timeout) {
    session.pong_awaited = false;
  }
  if (now_.uptime < PingDueOf(session)) return;
  if (session.backlogged || session.paused) {
    // No input is read while output, or a service, is waited for, so silence says nothing.
    // TCP_USER_TIMEOUT judges a peer that takes nothing at all.
    session.ping_pending = false;
    session.heard_uptime = now_.uptime;
    return;
  }
  const uint32_t unacked_bytes = SocketLoop::UnackedBytes(session);
  if (!session.ping_pending) {
    session.ping_pending = shard_.Reply(session, Frame::Make(Opcode::kPing, {}));
    session.ping_uptime = now_.uptime;
    session.ping_sent_us = MicrosecondsOf(now_.uptime);
    session.pong_awaited = session.ping_pending;
    session.unacked_bytes = unacked_bytes;
  } else if (unacked_bytes < session.unacked_bytes) {
    // A Ping may wait behind megabytes in the kernel: who goes on taking them is alive.
    session.ping_uptime = now_.uptime;
    session.unacked_bytes = unacked_bytes;
  } else {
    counters_.Add(Counter::kClosedIdle);
    if (session.state == Session::State::kEcho) {
      CloseWithFrame(session, static_cast<uint16_t>(CloseCode::kIdle), "no answer to a Ping", true);
    } else {
      shard_.Close(session, CloseCause::kIdle, CloseCode::kIdle, "no answer to a Ping");
    }
  }
}

}  // namespace wsrouter
