#include "engine/memory_rate_limits.h"

#include <utility>

#include "engine/rate_refusal.h"

namespace wsrouter {

void MemoryRateLimits::Set(const RateSubject& subject, std::optional<RateLimit> limit, Done done) {
  const bool set = rules_.Set(subject, limit);
  std::move(done)(set ? absl::OkStatus() : TooManyLimits());
}

absl::Status MemoryRateLimits::Follow(const RateVerdict& verdict, const RateCharge& charge,
                                      Broker& broker) {
  return FollowRateVerdict(verdict, charge, broker, counters_);
}

}  // namespace wsrouter
