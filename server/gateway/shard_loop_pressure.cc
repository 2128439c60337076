// What ShardLoop does so that one client, or too many at once, cost nobody else.
#include "base/scatter.h"
#include "gateway/shard_loop.h"

namespace wsrouter {
namespace {

// When they may come again whom no rate tells: spread, so that they do not all come at once.
constexpr absl::Duration kRetryMin = absl::Seconds(5);
constexpr absl::Duration kRetrySpread = absl::Seconds(20);

}  // namespace

absl::Duration ShardLoop::Jitter(const Session& session, absl::Duration most) const {
  constexpr uint64_t kParts = 1 << 20;
  const uint64_t part = Scatter(static_cast<uint64_t>(session.fd) ^
                                static_cast<uint64_t>(absl::ToInt64Nanoseconds(now_.uptime))) %
                        kParts;
  return most * (static_cast<double>(part) / kParts);
}

absl::Duration ShardLoop::SpreadRetry(const Session& session) const {
  return kRetryMin + absl::Floor(Jitter(session, kRetrySpread), absl::Seconds(1));
}

absl::Duration ShardLoop::RetryAfter(const Session& session, uint16_t code) const {
  switch (static_cast<CloseCode>(code)) {
    case CloseCode::kServiceRestart:
      return Jitter(session, RestartSpread());
    case CloseCode::kTryAgainLater:
    case CloseCode::kCapacity:
    case CloseCode::kSlowConsumer:
      return sheds() ? SpreadRetry(session) : absl::ZeroDuration();
    default:
      return absl::ZeroDuration();
  }
}

bool ShardLoop::MayUpgrade(Session& session) {
  absl::Duration retry_after;
  Counter cause = Counter::kUpgradesShedMemory;
  if (sheds()) {
    if (!pressure_.memory_short()) cause = Counter::kUpgradesShedLag;
    retry_after = SpreadRetry(session);
  } else if (const auto wait = pressure_.TakeUpgrade(now_.uptime)) {
    cause = Counter::kUpgradesShedRate;
    retry_after = *wait;
  } else {
    return true;
  }
  counters_.Add(cause);
  const std::chrono::seconds seconds(
      absl::ToInt64Seconds(absl::Ceil(retry_after, absl::Seconds(1))));
  Refuse(session, RefuseUpgrade(503, "the node has too much to do", seconds));
  return false;
}

void ShardLoop::EndSlowHeads() {
  if (!pressure_.half_open_full()) return;
  for (Session* session : heads_) {
    const absl::Duration came = session->end_uptime - options_->upgrade_timeout;
    if (session->state != Session::State::kHead) continue;  // it is being refused
    if (now_.uptime - came < options_->half_open_patience) return;
    if (session->doomed_place != Session::kNowhere) continue;
    counters_.Add(Counter::kHalfOpenShed);
    Doom(*session);
  }
}

bool ShardLoop::MaySend(Session& session) {
  const int64_t frames = session.decoder.TakeFrames();
  if (frames == 0) return true;
  // The echo path is for conformance suites, which send as fast as they can.
  if (session.state != Session::State::kOpen) return true;
  // Charged when they are read: those that came in a pause came over all of its time.
  const absl::Duration credit =
      session.unread == nullptr ? absl::ZeroDuration() : session.unread->credit.Left(now_.uptime);
  if (frames_rate_.Take(session.frames_full_at, now_.uptime, frames, credit)) return true;
  counters_.Add(Counter::kClosedRateLimited);
  constexpr auto kCode = static_cast<uint16_t>(CloseCode::kRateLimited);
  constexpr std::string_view kReason = "too many frames";
  shard_.OnClose(session, CloseCause::kRateLimited, {kCode, std::string(kReason)});
  const absl::Duration full = absl::Nanoseconds(frames_rate_.slack() + frames_rate_.interval());
  // Nothing more is expected of the peer: what it goes on sending is not even decoded.
  CloseWithFrame(session, kCode, kReason, true, full + Jitter(session, full));
  return false;
}

void ShardLoop::ForgetPause(Session& session) const {
  if (session.unread == nullptr || session.paused) return;
  if (session.unread->credit.Left(now_.uptime) > absl::ZeroDuration()) return;
  session.unread.reset();
}

}  // namespace wsrouter
