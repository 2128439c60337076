// Whose word counts on where a client comes from.
#include "gateway/forwarded.h"

#include <string>

#include "gtest/gtest.h"

namespace wsrouter {
namespace {

TrustedProxies Proxies() {
  return TrustedProxies::Parse({"10.0.0.0/8", "192.0.2.1", "2001:db8::/33"}).value();
}

std::string For(const std::string& peer, std::vector<std::string> values) {
  RequestHead head;
  for (std::string& value : values) head.headers.push_back({"x-forwarded-for", std::move(value)});
  return ForwardedFor(head, peer, Proxies());
}

TEST(TrustedProxiesTest, NetworksAreComparedBitByBit) {
  const TrustedProxies proxies = Proxies();
  for (const char* inside : {"10.0.0.0", "10.255.1.2", "192.0.2.1", "2001:db8::1",
                             "2001:db8:7fff::", "::ffff:10.1.2.3"}) {
    EXPECT_TRUE(proxies.Trusts(inside)) << inside;
  }
  for (const char* outside : {"11.0.0.0", "192.0.2.2", "2001:db8:8000::", "::1", "", "x"}) {
    EXPECT_FALSE(proxies.Trusts(outside)) << outside;
  }
  EXPECT_TRUE(TrustedProxies::Parse({"0.0.0.0/0"})->Trusts("203.0.113.7"));
  EXPECT_FALSE(TrustedProxies::Parse({"0.0.0.0/0"})->Trusts("2001:db8::1"));
}

TEST(TrustedProxiesTest, WhatIsNoNetworkIsRefused) {
  for (const char* bad : {"", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8",
                          "2001:db8::/129", "10.0.0.0/8x", "example.org"}) {
    EXPECT_FALSE(TrustedProxies::Parse({bad}).ok()) << bad;
  }
}

TEST(ForwardedForTest, TheLastThatIsNoTrustedProxyIsTheClient) {
  EXPECT_EQ(For("10.0.0.1:4711", {"203.0.113.7"}), "203.0.113.7");
  EXPECT_EQ(For("10.0.0.1:4711", {"1.2.3.4, 203.0.113.7"}), "203.0.113.7");
  EXPECT_EQ(For("10.0.0.1:4711", {"1.2.3.4", "203.0.113.7 , 10.0.0.9"}), "203.0.113.7");
  EXPECT_EQ(For("[2001:db8::7]:4711", {"[2001:db9::1]:99"}), "2001:db9::1");
  EXPECT_EQ(For("10.0.0.1:4711", {"203.0.113.7:1234"}), "203.0.113.7");
}

TEST(ForwardedForTest, AStrangersWordCountsForNothing) {
  EXPECT_EQ(For("203.0.113.9:4711", {"1.2.3.4"}), "");
}

TEST(ForwardedForTest, WhatMakesNoSenseEndsTheReading) {
  EXPECT_EQ(For("10.0.0.1:4711", {}), "");
  EXPECT_EQ(For("10.0.0.1:4711", {"unknown"}), "");
  EXPECT_EQ(For("10.0.0.1:4711", {"1.2.3.4, unknown, 10.0.0.9"}), "10.0.0.9");
  EXPECT_EQ(For("10.0.0.1:4711", {"10.0.0.8, 10.0.0.9"}), "10.0.0.8");
}

}  // namespace
}  // namespace wsrouter
