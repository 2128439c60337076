#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

#include "gateway/address_limit.h"
#include "gateway/connect_rate.h"

namespace wsrouter {
namespace {

PeerAddress PeerOfV6(const char* text) {
  sockaddr_storage storage{};
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(4711);
  EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1) << text;
  std::memcpy(&storage, &address, sizeof(address));
  return PeerOf(storage);
}

TEST(AddressKeyTest, AddressesOfOneSlash64AreCountedTogether) {
  EXPECT_EQ(PeerOfV6("2001:db8:1:2::1").key, PeerOfV6("2001:db8:1:2:ffff:ffff:ffff:ffff").key);
  EXPECT_NE(PeerOfV6("2001:db8:1:2::1").key, PeerOfV6("2001:db8:1:3::1").key);
  EXPECT_NE(PeerOfV6("::ffff:203.0.113.7").key, PeerOfV6("::ffff:203.0.113.8").key);

  ConnectRate connects({1, 2}, 1);
  const absl::Duration now = absl::Hours(1);
  EXPECT_TRUE(connects.Take(PeerOfV6("2001:db8:1:2::1").key, now));
  EXPECT_TRUE(connects.Take(PeerOfV6("2001:db8:1:2::2").key, now));
  EXPECT_FALSE(connects.Take(PeerOfV6("2001:db8:1:2::3").key, now));
  EXPECT_TRUE(connects.Take(PeerOfV6("2001:db8:1:3::3").key, now));
}

}  // namespace
}  // namespace wsrouter
