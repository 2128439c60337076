#ifndef WSROUTER_CONTROL_POLICY_H_
#define WSROUTER_CONTROL_POLICY_H_

#include <optional>

#include "core/limits.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

// Nothing where it is unspecified.
constexpr std::optional<SlowConsumerPolicy> ToPolicy(v1::SlowConsumerPolicy policy) {
  switch (policy) {
    case v1::SLOW_CONSUMER_POLICY_DROP:
      return SlowConsumerPolicy::kDrop;
    case v1::SLOW_CONSUMER_POLICY_DISCONNECT:
      return SlowConsumerPolicy::kDisconnect;
    case v1::SLOW_CONSUMER_POLICY_DROP_OLD:
      return SlowConsumerPolicy::kDropOld;
    case v1::SLOW_CONSUMER_POLICY_CONFLATE:
      return SlowConsumerPolicy::kConflate;
    default:
      return std::nullopt;
  }
}

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_POLICY_H_
