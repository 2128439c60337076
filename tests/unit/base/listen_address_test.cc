#include "base/listen_address.h"

#include "gtest/gtest.h"

namespace wsrouter {
namespace {

TEST(ListenAddressTest, HostAndPortAreToldApart) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:9090")->ToString(), "127.0.0.1:9090");
  EXPECT_EQ(ParseListenAddress("[::1]:0")->host, "::1");
  EXPECT_EQ(ParseListenAddress("[::1]:0")->ToString(), "[::1]:0");
  EXPECT_EQ(ParseListenAddress("localhost:7")->ToString(), "127.0.0.1:7");
  for (const char* text :
       {"", "9090", "::1:9090", "127.0.0.1:", ":9090", "127.0.0.1:65536", "127.0.0.1:9x",
        "127.0.0.1:+9", "[127.0.0.1]:9", "[::1:9", "[]:9", "host:9"}) {
    EXPECT_FALSE(ParseListenAddress(text).has_value()) << text;
  }
}

TEST(ListenAddressTest, OnlyAddressesOfThisMachineAreLoopback) {
  for (const char* host : {"127.0.0.1", "127.8.9.10", "::1"}) {
    EXPECT_TRUE(ListenAddress{.host = host}.IsLoopback()) << host;
  }
  for (const char* host :
       {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "example.org", "127.0.0.1.x"}) {
    EXPECT_FALSE(ListenAddress{.host = host}.IsLoopback()) << host;
  }
}

}  // namespace
}  // namespace wsrouter
