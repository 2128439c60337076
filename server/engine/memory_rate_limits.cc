#include "engine/memory_rate_limits.h"

#include <utility>

#include "engine/rate_refusal.h"

namespace wsrouter {

void MemoryRateLimits::Set(const RateSubject& subject, std::optional<RateLimit> limit, Done done) {
  const bool set = rules_.Set(subject, limit);
  std::move(done)(set ? absl::OkStatus() : TooManyLimits());
}

absl::Status MemoryRateLimits::Spend(const Envelope& envelope, Broker& broker) {
  const std::optional<RateCharge> charge = rules_.ChargeOf(envelope);
  if (!charge.has_value()) return absl::OkStatus();
  RateVerdict verdict;
  {
    absl::MutexLock lock(&mutex_);
    // Read under the lock, so that the log's times come in their order.
    verdict = log_.Spend(*charge, clock_.Now().uptime);
  }
  return FollowRateVerdict(verdict, *charge, broker, counters_);
}

}  // namespace wsrouter
