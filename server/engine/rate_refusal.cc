#include "engine/rate_refusal.h"

#include <utility>

#include "core/close_code.h"
#include "core/error.h"

namespace wsrouter {

absl::Status FollowRateVerdict(const RateVerdict& verdict, const RateCharge& charge, Broker& broker,
                               Counters& counters) {
  absl::Status status = RateStatus(verdict, charge);
  if (status.ok()) return status;
  const bool by_sender = verdict.result == RateVerdict::Result::kClient;
  counters.Add(by_sender ? Counter::kClientRateLimitDrops : Counter::kRateLimitDrops);
  // Never for a room that is full: that may be all the others' doing.
  if (by_sender && charge.on_limit == OnRateLimit::kDisconnect) {
    const CloseWith close = {.code = static_cast<uint16_t>(CloseCode::kRateLimited),
                             .reason = ReasonOf(status)};
    broker.Publish({.to = charge.sender, .action = Disconnect{close}}, [](const Receipt&) {});
  }
  return status;
}

}  // namespace wsrouter
