#include "control/call_gate.h"

#include <algorithm>

namespace wsrouter {

absl::Duration CallGate::PauseLeft(absl::Duration now) const {
  return paused_ ? std::max(absl::ZeroDuration(), pause_end_ - now) : absl::ZeroDuration();
}

bool CallGate::Refuses(absl::Duration now) const {
  return paused_ && (probe_.has_value() || now < pause_end_);
}

bool CallGate::MayStart(absl::Duration now) const {
  return running_.size() < options_.concurrency_max && !Refuses(now);
}

void CallGate::Start(uint64_t call, size_t octets) {
  running_.emplace(call, octets);
  if (paused_) probe_ = call;
}

CallGate::Verdict CallGate::Enter(uint64_t call, size_t octets, absl::Duration deadline,
                                  absl::Duration now) {
  if (Refuses(now)) return Verdict::kPaused;
  const size_t left = options_.octets_max - std::min(octets_, options_.octets_max);
  const bool alone = running_.empty() && waiting_.empty();
  if (octets > left && !alone) return Verdict::kHeavy;
  if (MayStart(now) && waiting_.empty()) {
    octets_ += octets;
    Start(call, octets);
    return Verdict::kStart;
  }
  if (waiting_.size() >= options_.queue_max) return Verdict::kFull;
  // Those that were withdrawn are cleared away here, so that the queue stays bounded.
  if (queue_.size() >= 2 * waiting_.size() + 16) {
    std::erase_if(queue_, [this](uint64_t one) { return !waiting_.contains(one); });
  }
  queue_.push_back(call);
  octets_ += octets;
  waiting_.emplace(call, Waiting{.deadline = deadline, .octets = octets});
  return Verdict::kWait;
}

bool CallGate::Withdraw(uint64_t call) {
  const auto found = waiting_.find(call);
  if (found == waiting_.end()) return false;
  octets_ -= found->second.octets;
  waiting_.erase(found);
  return true;
}

std::optional<CallGate::Turn> CallGate::Next(absl::Duration now) {
  while (!queue_.empty()) {
    const uint64_t call = queue_.front();
    const auto found = waiting_.find(call);
    if (found != waiting_.end()) {
      const bool late = found->second.deadline <= now;
      const bool refused = Refuses(now);
      if (!late && !refused && !MayStart(now)) return std::nullopt;
      queue_.pop_front();
      const size_t octets = found->second.octets;
      waiting_.erase(found);
      if (late || refused) {
        octets_ -= octets;
        return Turn{call, late ? Verdict::kLate : Verdict::kPaused};
      }
      Start(call, octets);
      return Turn{call, Verdict::kStart};
    }
    queue_.pop_front();
  }
  return std::nullopt;
}

void CallGate::Leave(uint64_t call, Outcome outcome, absl::Duration now) {
  const auto found = running_.find(call);
  octets_ -= found->second;
  running_.erase(found);
  const bool was_probe = probe_ == call;
  if (was_probe) probe_.reset();
  if (outcome == Outcome::kWithdrawn) return;
  const bool failure = outcome == Outcome::kFailure;
  if (was_probe && !failure) {
    paused_ = false;
    pause_ = absl::ZeroDuration();
    failures_in_row_ = window_calls_ = window_failures_ = 0;
  } else if (was_probe) {
    Pause(now);
  } else if (!paused_) {
    Count(failure, now);
  }
}

void CallGate::Count(bool failure, absl::Duration now) {
  if (now >= window_end_) {
    window_end_ = now + options_.rate_window;
    window_calls_ = window_failures_ = 0;
  }
  ++window_calls_;
  window_failures_ += failure ? 1 : 0;
  failures_in_row_ = failure ? failures_in_row_ + 1 : 0;
  const bool half =
      window_calls_ >= options_.rate_calls_min && 2 * window_failures_ >= window_calls_;
  if (failure && (failures_in_row_ >= options_.failures_max || half)) Pause(now);
}

void CallGate::Pause(absl::Duration now) {
  paused_ = true;
  pause_ = std::clamp(2 * pause_, options_.pause_min, options_.pause_max);
  pause_end_ = now + pause_;
}

}  // namespace wsrouter
