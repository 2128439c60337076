#ifndef WSROUTER_CONTROL_CALL_RATES_H_
#define WSROUTER_CONTROL_CALL_RATES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/clock.h"
#include "core/rate_log.h"

namespace wsrouter {

// How many calls each caller may make at this node, in any window. Any thread.
class CallRates {
 public:
  CallRates(RateLimit limit, const Clock& clock) : limit_(limit), log_(clock) {}

  bool on() const { return limit_.on(); }
  // RESOURCE_EXHAUSTED, RATE_CALLER, with the time to wait.
  absl::Status Admit(std::string_view caller);

 private:
  const RateLimit limit_;
  SharedRateLog log_;
};

// The address in what gRPC says of a peer: "ipv4:10.0.0.7" of "ipv4:10.0.0.7:4711", so that all
// connections of a host are one caller. Of IPv6 the /64, of which a customer usually has the whole.
std::string PeerHost(std::string_view peer);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CALL_RATES_H_
