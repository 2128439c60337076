#include "core/rate_log.h"

namespace wsrouter {

RateVerdict RateLog::Spend(const RateCharge& charge, absl::Duration now) {
  Forget(now);
  const absl::Duration client = Wait(charge.client, now);
  if (client > absl::ZeroDuration()) return {RateVerdict::Result::kClient, client};
  const absl::Duration room = Wait(charge.room, now);
  if (room > absl::ZeroDuration()) return {RateVerdict::Result::kRoom, room};
  Remember(charge.client, now);
  Remember(charge.room, now);
  return {};
}

absl::Duration RateLog::Wait(const RateCharge::Part& part, absl::Duration now) const {
  if (!part.limit.on()) return absl::ZeroDuration();
  const auto found = logs_.find(part.log);
  if (found == logs_.end() || found->second.times.size() < part.limit.n) {
    return absl::ZeroDuration();
  }
  const std::deque<absl::Duration>& times = found->second.times;
  return times[times.size() - part.limit.n] + part.limit.window - now;
}

void RateLog::Remember(const RateCharge::Part& part, absl::Duration now) {
  if (!part.limit.on()) return;
  if (logs_.size() >= logs_max_ && !logs_.contains(part.log)) {
    logs_.erase(due_.top().second);
    due_.pop();
  }
  Log& log = logs_[part.log];
  if (log.times.empty()) due_.emplace(now + part.limit.window, part.log);
  log.window = part.limit.window;
  log.times.push_back(now);
  while (log.times.size() > part.limit.n) log.times.pop_front();
}

void RateLog::Forget(absl::Duration now) {
  // A push adds two at most, so that those which are due do not pile up.
  for (int i = 0; i < 4 && !due_.empty() && due_.top().first <= now; ++i) {
    std::string name = due_.top().second;
    due_.pop();
    const auto found = logs_.find(name);
    const absl::Duration end = found->second.times.back() + found->second.window;
    if (end <= now) {
      logs_.erase(found);
    } else {
      due_.emplace(end, std::move(name));
    }
  }
}

}  // namespace wsrouter
