#ifndef WSROUTER_GATEWAY_ADDRESS_LIMIT_H_
#define WSROUTER_GATEWAY_ADDRESS_LIMIT_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

struct sockaddr_storage;

namespace wsrouter {

// What one peer is counted by: an IPv4 address, or the /64 of an IPv6 one, since a single customer
// usually has a whole /64 to choose addresses from.
using AddressKey = std::array<uint8_t, 8>;

struct PeerAddress {
  std::string text;  // "203.0.113.7:4711", "[2001:db8::1]:4711"; mapped IPv4 as IPv4
  AddressKey key{};
};
PeerAddress PeerOf(const sockaddr_storage& address);

// How many connections each address has. Any thread.
class AddressLimit {
 public:
  explicit AddressLimit(uint32_t connections_max) : connections_max_(connections_max) {}

  // False when the address has as many as it may; otherwise one more until Leave.
  [[nodiscard]] bool Enter(const AddressKey& address);
  void Leave(const AddressKey& address);

 private:
  const uint32_t connections_max_;  // 0: nothing is counted
  absl::Mutex mutex_;
  absl::flat_hash_map<AddressKey, uint32_t> connections_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_ADDRESS_LIMIT_H_
