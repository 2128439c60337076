#include "control/call_rates.h"

#include <string>

#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {

absl::Status CallRates::Admit(std::string_view caller) {
  if (!on()) return absl::OkStatus();
  const RateCharge charge = {.client = {.log = std::string(caller), .limit = limit_}, .room = {}};
  RateVerdict verdict;
  {
    absl::MutexLock lock(&mutex_);
    verdict = log_.Spend(charge, clock_.Now().uptime);
  }
  if (verdict.result == RateVerdict::Result::kAllowed) return absl::OkStatus();
  return WithRetryAfter(Refusal(absl::StatusCode::kResourceExhausted, "RATE_CALLER",
                                fmt::format("the caller has had its {} calls in {}", limit_.n,
                                            absl::FormatDuration(limit_.window))),
                        verdict.retry_after);
}

std::string_view PeerHost(std::string_view peer) {
  if (!peer.starts_with("ipv4:") && !peer.starts_with("ipv6:")) return peer;
  return peer.substr(0, peer.rfind(':'));
}

}  // namespace wsrouter
