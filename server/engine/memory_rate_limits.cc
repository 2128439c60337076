#include "engine/memory_rate_limits.h"

#include <utility>

#include "engine/rate_refusal.h"

namespace wsrouter {

void MemoryRateLimits::Set(const RateSubject& subject, std::optional<RateLimit> limit, Done done) {
  const bool set = rules_.Set(subject, limit);
  std::move(done)(set ? absl::OkStatus() : TooManyLimits());
}

RateVerdict MemoryRateLimits::Spend(const RateCharge& charge) {
  absl::MutexLock lock(&mutex_);
  // Read under the lock, so that the log's times come in their order.
  return log_.Spend(charge, clock_.Now().uptime);
}

absl::Status MemoryRateLimits::Follow(const RateVerdict& verdict, const RateCharge& charge,
                                      Broker& broker) {
  return FollowRateVerdict(verdict, charge, broker, counters_);
}

}  // namespace wsrouter
