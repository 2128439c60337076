#include "engine/rate_refusal.h"

#include <utility>

#include "core/close_code.h"
#include "core/error.h"

namespace wsrouter {

absl::Status FollowRateVerdict(const RateVerdict& verdict, const RateCharge& charge, Broker& broker,
                               Counters& counters) {
  absl::Status status = RateStatus(verdict, charge);
  if (status.ok()) return status;
  counters.Add(verdict.result == RateVerdict::Result::kRoom ? Counter::kRateLimitDrops
                                                            : Counter::kClientRateLimitDrops);
  if (charge.on_limit == OnRateLimit::kDisconnect && !charge.sender.value.empty()) {
    const CloseWith close = {.code = static_cast<uint16_t>(CloseCode::kRateLimited),
                             .reason = ReasonOf(status)};
    broker.Publish({.to = charge.sender, .action = Disconnect{close}}, [](const Receipt&) {});
  }
  return status;
}

}  // namespace wsrouter
