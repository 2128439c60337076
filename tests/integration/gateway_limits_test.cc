// How many connections there may be, and that those that have gone leave nothing behind.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

bool IsServed(const std::string& address, const RawClient::Options& options = {}) {
  RawClient client(address, options);
  return client.connected() && client.Send(UpgradeRequest("/echo")) &&
         client.ReadHttp().status == 101;
}

TEST(GatewayLimitsTest, NodeTakesAsManyConnectionsAsItMayAlsoInABurst) {
  TestGateway::Settings settings;
  settings.gateway.connections_max = 20;
  settings.gateway.shards = 2;
  TestGateway gateway(settings);
  std::vector<RawClient> burst;
  for (int i = 0; i < 60; ++i) burst.push_back(gateway.Connect());
  size_t served = 0;
  std::set<std::string> retries;
  for (RawClient& client : burst) {
    ASSERT_TRUE(client.Send(UpgradeRequest("/echo")));
    const auto answer = client.ReadHttp();
    if (answer.status == 101) {
      ++served;
      continue;
    }
    EXPECT_EQ(answer.status, 503);
    retries.insert(answer.Header("retry-after"));
  }
  EXPECT_EQ(served, 20u);
  EXPECT_GT(retries.size(), 5u);  // spread
  EXPECT_EQ(gateway.Total(Counter::kAcceptsRefused), 40u);

  burst.clear();
  EXPECT_TRUE(Eventually([&] { return IsServed(gateway.address()); }));
}

TEST(GatewayLimitsTest, AddressHasAsManyConnectionsAsItMayAndOthersTheirOwn) {
  TestGateway::Settings settings;
  settings.gateway.connections_per_address = 3;
  TestGateway gateway(settings);
  std::vector<RawClient> clients;
  for (const char* source : {"127.0.0.2", "127.0.0.3"}) {
    for (int i = 0; i < 3; ++i) {
      clients.push_back(gateway.OpenEcho({.source = source}));
    }
    EXPECT_FALSE(IsServed(gateway.address(), {.source = source}));
  }
  clients.pop_back();
  EXPECT_TRUE(Eventually([&] { return IsServed(gateway.address(), {.source = "127.0.0.3"}); }));
  EXPECT_FALSE(IsServed(gateway.address(), {.source = "127.0.0.2"}));
}

TEST(GatewayLimitsTest, RefusedUpgradesGiveTheirPlaceBack) {
  TestGateway::Settings settings;
  settings.gateway.connections_per_address = 2;
  TestGateway gateway(settings);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(Eventually([&] {
      RawClient client = gateway.Connect();
      return client.Send(UpgradeRequest("/nowhere")) && client.ReadHttp().status == 404;
    })) << i;
  }
}

TEST(GatewayLimitsTest, ThousandsOpenedAndResetLeaveNothingBehind) {
  TestGateway gateway;
  { RawClient warm = gateway.OpenEcho(); }
  ASSERT_TRUE(Eventually([&] { return gateway.Gauges().connections == 0; }));
  const size_t descriptors = OpenDescriptors();
  for (int i = 0; i < 2000; ++i) {
    RawClient client = gateway.Connect();
    if (i % 4 == 1) client.Send("GET /ws HTTP/1.1\r\n");
    if (i % 4 == 2) client.Send(UpgradeRequest("/ws"));
    if (i % 4 == 3) (void)client.Upgrade("/ws");
    i % 8 == 7 ? client.Close() : client.Reset();
  }
  EXPECT_TRUE(Eventually([&] {
    return OpenDescriptors() <= descriptors && gateway.Gauges().connections == 0;
  })) << OpenDescriptors()
      << " descriptors, " << descriptors << " before";
  EXPECT_EQ(gateway.Total(Counter::kConnectionsOpened), gateway.Total(Counter::kConnectionsClosed));
  EXPECT_GE(gateway.Total(Counter::kConnectionsOpened), 500u);
  EXPECT_TRUE(IsServed(gateway.address()));
}

// No descriptor from here on, but those that others give back.
void TakeAllDescriptors(const rlimit& before) {
  const UniqueFd lowest_free(dup(STDIN_FILENO));
  const rlimit lowered = {.rlim_cur = static_cast<rlim_t>(lowest_free.get()),
                          .rlim_max = before.rlim_max};
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);
}

TEST(GatewayLimitsTest, WithoutDescriptorsAcceptingPausesAndRecovers) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  TestGateway::Settings settings;
  settings.gateway.connections_max = 22;
  TestGateway gateway(settings);
  // Sanitizers want descriptors to look at a type for the first time: nothing may be done for the
  // first time without any, be it logging, an answer or the end of a connection.
  const size_t descriptors = OpenDescriptors();
  ASSERT_TRUE(IsServed(gateway.address()));
  ASSERT_TRUE(Eventually([&] { return OpenDescriptors() == descriptors; }));
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(gateway.OpenEcho());
  RawClient served = gateway.OpenEcho();
  ASSERT_TRUE(served.Send(ClientText("served before")));
  ASSERT_EQ(served.ReadFrame(), "text served before");
  {
    RawClient last = gateway.OpenEcho();
    EXPECT_FALSE(IsServed(gateway.address()));
  }
  ASSERT_TRUE(Eventually([&] { return OpenDescriptors() == descriptors + 2 * 21; }));
  RawClient starved(gateway.address(), {.before_connect = [&] { TakeAllDescriptors(before); }});
  EXPECT_TRUE(starved.connected());
  EXPECT_TRUE(Eventually([&] { return gateway.Total(Counter::kAcceptPauses) >= 4; }));

  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  const absl::Duration cpu = OthersCpuTime();
  EXPECT_TRUE(Eventually([&] { return clock.Now().uptime - begin > absl::Seconds(1); }));
  EXPECT_LT(OthersCpuTime() - cpu, absl::Milliseconds(200));
  EXPECT_TRUE(served.Send(ClientText("served meanwhile")));
  EXPECT_EQ(served.ReadFrame(), "text served meanwhile");

  clients.clear();
  EXPECT_TRUE(starved.Upgrade("/echo"));
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace wsrouter
