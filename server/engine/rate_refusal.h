#ifndef WSROUTER_ENGINE_RATE_REFUSAL_H_
#define WSROUTER_ENGINE_RATE_REFUSAL_H_

#include "absl/status/status.h"
#include "core/broker.h"
#include "core/counters.h"
#include "core/rate_limit.h"

namespace wsrouter {

// What every engine does with a verdict: counts a refusal, has the connections of a sender that
// is over its own limit closed where its namespace wants that, and says what the receipt says. OK
// where allowed.
absl::Status FollowRateVerdict(const RateVerdict& verdict, const RateCharge& charge, Broker& broker,
                               Counters& counters);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_RATE_REFUSAL_H_
