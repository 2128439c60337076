#include "control/call_rates.h"

#include <arpa/inet.h>

#include <cstring>
#include <string>

#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {

absl::Status CallRates::Admit(std::string_view caller) {
  if (!on()) return absl::OkStatus();
  const RateCharge charge = {.client = {.log = std::string(caller), .limit = limit_}, .room = {}};
  const RateVerdict verdict = log_.Spend(charge);
  if (verdict.result == RateVerdict::Result::kAllowed) return absl::OkStatus();
  return WithRetryAfter(Refusal(absl::StatusCode::kResourceExhausted, "RATE_CALLER",
                                fmt::format("the caller has had its {} calls in {}", limit_.n,
                                            absl::FormatDuration(limit_.window))),
                        verdict.retry_after);
}

std::string PeerHost(std::string_view peer) {
  const bool v6 = peer.starts_with("ipv6:");
  if (!v6 && !peer.starts_with("ipv4:")) return std::string(peer);
  const std::string_view host = peer.substr(0, peer.rfind(':'));
  if (!v6) return std::string(host);
  // gRPC writes "[" and "]" as a URI has them.
  std::string address(host.substr(5));
  for (const std::string_view bracket : {"%5B", "%5D", "[", "]"}) {
    if (const size_t at = address.find(bracket); at != address.npos) {
      address.erase(at, bracket.size());
    }
  }
  in6_addr octets{};
  if (inet_pton(AF_INET6, address.c_str(), &octets) != 1) return std::string(host);
  std::memset(octets.s6_addr + 8, 0, 8);
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &octets, text, sizeof(text));
  return fmt::format("ipv6:{}/64", text);
}

}  // namespace wsrouter
