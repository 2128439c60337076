#ifndef WSROUTER_GATEWAY_FORWARDED_H_
#define WSROUTER_GATEWAY_FORWARDED_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/request_head.h"

namespace wsrouter {

// The proxies whose word on addresses counts. Immutable; any thread.
class TrustedProxies {
 public:
  // Networks: "10.0.0.0/8", "2001:db8::/32", an address by itself.
  static absl::StatusOr<TrustedProxies> Parse(const std::vector<std::string>& networks);

  bool empty() const { return networks_.empty(); }
  bool Trusts(std::string_view address) const;

 private:
  using Address = std::array<uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d
  struct Network {
    Address address;
    unsigned bits;
  };

  std::vector<Network> networks_;
};

// The address of the client as the proxies before `peer` ("address:port") tell it in
// X-Forwarded-For: each has appended whom it heard, so it is read from its end, and the first that
// is no trusted proxy is the client. Empty where `peer` is none, or nothing sensible is said: what
// stands further in front is whatever the client wished to write.
std::string ForwardedFor(const RequestHead& head, std::string_view peer,
                         const TrustedProxies& proxies);

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_FORWARDED_H_
