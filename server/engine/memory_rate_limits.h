#ifndef WSROUTER_ENGINE_MEMORY_RATE_LIMITS_H_
#define WSROUTER_ENGINE_MEMORY_RATE_LIMITS_H_

#include "base/clock.h"
#include "core/broker.h"
#include "core/counters.h"
#include "core/rate_limits.h"
#include "core/rate_log.h"

namespace wsrouter {

// The limits of a cluster of one node: for the life of the process.
class MemoryRateLimits final : public RateLimits {
 public:
  MemoryRateLimits(Namespaces namespaces, Counters& counters, const Clock& clock)
      : rules_(std::move(namespaces)), counters_(counters), log_(clock) {}

  void Set(const RateSubject& subject, std::optional<RateLimit> limit, Done done) override;
  RateLimitsPage Get(std::string_view cursor, uint32_t count) const override {
    return rules_.Page(cursor, count);
  }

  // From the engine. Any thread.
  void SetNamespaces(const Namespaces& namespaces) { rules_.SetNamespaces(namespaces); }

  // From the broker: what an envelope is charged to, whether it may go, and what that means; Follow
  // publishes, so the broker must not hold a lock.
  std::optional<RateCharge> ChargeOf(const Envelope& envelope) const {
    return rules_.ChargeOf(envelope);
  }
  RateVerdict Spend(const RateCharge& charge) { return log_.Spend(charge); }
  absl::Status Follow(const RateVerdict& verdict, const RateCharge& charge, Broker& broker);

 private:
  RateRules rules_;
  Counters& counters_;
  SharedRateLog log_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_MEMORY_RATE_LIMITS_H_
