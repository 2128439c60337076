#ifndef WSROUTER_GATEWAY_CONNECT_RATE_H_
#define WSROUTER_GATEWAY_CONNECT_RATE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "gateway/address_limit.h"
#include "gateway/token_rate.h"

namespace wsrouter {

// How often each address connects. Memory is fixed: where more addresses are busy than there is
// room for, the one that owes least is forgotten, which is in its favour and in nobody's disfavour.
//
// Owned by one thread; not synchronised.
class ConnectRate {
 public:
  static constexpr size_t kAddressesMax = 65'536;  // 16 octets each

  // `seed` keeps strangers from choosing addresses that push each other out.
  ConnectRate(TokenRate rate, uint64_t seed, size_t addresses_max = kAddressesMax);

  // Counts from now on.
  void SetRate(TokenRate rate);

  // False when the address has come too often.
  [[nodiscard]] bool Take(const AddressKey& address, absl::Duration uptime);

 private:
  struct Entry {
    AddressKey address{};
    int64_t full_at = 0;  // 0, or past: as good as free
  };
  static constexpr size_t kPlaces = 8;  // where an address may stand

  TokenRate rate_;
  const uint64_t seed_;
  const size_t entries_max_;
  std::vector<Entry> entries_;  // none while there never was a rate
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_CONNECT_RATE_H_
