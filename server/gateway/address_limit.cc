#include "gateway/address_limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "fmt/format.h"

namespace wsrouter {
namespace {

PeerAddress PeerOfV4(const in_addr& address, in_port_t port) {
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address, text, sizeof(text));
  PeerAddress peer = {.text = fmt::format("{}:{}", text, ntohs(port)), .key = {}};
  peer.key[0] = 4;  // no /64 begins so: 0400::/8 is not assigned
  std::memcpy(peer.key.data() + 4, &address, 4);
  return peer;
}

}  // namespace

PeerAddress PeerOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return PeerOfV4(v4.sin_addr, v4.sin_port);
  }
  if (address.ss_family != AF_INET6) return {.text = "unknown", .key = {}};
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    in_addr v4{};
    std::memcpy(&v4, v6.sin6_addr.s6_addr + 12, 4);
    return PeerOfV4(v4, v6.sin6_port);
  }
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  PeerAddress peer = {.text = fmt::format("[{}]:{}", text, ntohs(v6.sin6_port)), .key = {}};
  std::memcpy(peer.key.data(), v6.sin6_addr.s6_addr, peer.key.size());
  return peer;
}

bool AddressLimit::Enter(const AddressKey& address) {
  if (connections_max_ == 0) return true;
  absl::MutexLock lock(&mutex_);
  uint32_t& connections = connections_[address];
  if (connections >= connections_max_) return false;
  ++connections;
  return true;
}

void AddressLimit::Leave(const AddressKey& address) {
  if (connections_max_ == 0) return;
  absl::MutexLock lock(&mutex_);
  const auto found = connections_.find(address);
  if (--found->second == 0) connections_.erase(found);
}

}  // namespace wsrouter
