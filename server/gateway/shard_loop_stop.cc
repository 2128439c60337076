// How ShardLoop lets its connections go: for a drain, after which it may take new ones, and for
// good.
#include <algorithm>
#include <utility>

#include "gateway/shard_loop.h"

namespace wsrouter {
namespace {

constexpr auto kRestart = static_cast<uint16_t>(CloseCode::kServiceRestart);

// A window closes at least so many connections a second: a few do not take the whole of it.
constexpr int64_t kDrainPerSecond = 50;

// Nobody who is closed faster is kept away for longer than this.
constexpr absl::Duration kRestartSpreadMax = absl::Seconds(10);

}  // namespace

void ShardLoop::Drain(absl::Duration window) {
  mailbox_->PostAnswer(Task([this, window] {
    if (stopping_) return;
    draining_ = true;
    BeginWindow(window);
  }));
}

void ShardLoop::Undrain() {
  mailbox_->PostAnswer(Task([this] { draining_ = false; }));
}

void ShardLoop::BeginStop(absl::Duration window) {
  mailbox_->PostAnswer(Task([this, window] {
    stopping_ = true;
    for (Session* session : sessions_) {
      if (session->state == Session::State::kHead) Doom(*session);
    }
    BeginWindow(window);
  }));
}

void ShardLoop::BeginWindow(absl::Duration window) {
  window_begin_ = now_.uptime;
  window_connections_ = shard_.connections();
  const auto enough = absl::Seconds(static_cast<int64_t>(window_connections_) / kDrainPerSecond);
  window_ = hurried_ ? absl::ZeroDuration() : std::min(window, enough);
  if (window_ > absl::ZeroDuration()) shard_.AnnounceDrain(window_);
  for (Session* session : sessions_) {
    if (session->state == Session::State::kAsking) {
      Unhold(*session);
      Deny(*session, {kRestart, {}}, RetryAfter(*session, kRestart));
    }
    if (session->state == Session::State::kEcho) CloseWithFrame(*session, kRestart, {}, false);
  }
  ContinueWindow();
}

void ShardLoop::Hurry() {
  mailbox_->PostAnswer(Task([this] { EndWindow(); }));
}

void ShardLoop::EndWindow() {
  hurried_ = true;
  window_ = absl::ZeroDuration();
  if (stopping_) ContinueWindow();
}

void ShardLoop::ContinueWindow() {
  const double left = window_ == absl::ZeroDuration()
                          ? 0.0
                          : 1.0 - absl::FDivDuration(now_.uptime - window_begin_, window_);
  if (left > 0.0) {
    shard_.Drain(static_cast<size_t>(static_cast<double>(window_connections_) * left));
  } else if (!stopping_) {
    shard_.Drain(0);
  } else if (!std::exchange(drained_, true)) {
    shard_.Stop();
  }
}

absl::Duration ShardLoop::RestartSpread() const {
  if (!draining_ && !stopping_) return absl::ZeroDuration();
  const auto calm = absl::Seconds(static_cast<int64_t>(window_connections_) / kDrainPerSecond);
  return std::clamp(calm - window_, absl::ZeroDuration(), kRestartSpreadMax);
}

void ShardLoop::FinishStop(absl::Duration deadline) {
  if (!ended_.WaitForNotificationWithTimeout(deadline - clock_.Now().uptime)) {
    mailbox_->PostAnswer(Task([this] {
      EndWindow();
      for (Session* session : sessions_) Doom(*session);
    }));
    ended_.WaitForNotification();
  }
  thread_.join();
}

}  // namespace wsrouter
