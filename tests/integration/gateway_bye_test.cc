// When clients of wsrouter.v1.json that are closed are told to come back, where the node knows.
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/client_frames.h"
#include "tests/support/fake_backend.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

constexpr char kOffer[] = "Sec-WebSocket-Protocol: wsrouter.v1.json\r\n";

TestGateway::Settings Speaking() {
  TestGateway::Settings settings;
  settings.gateway.client_protocol = true;
  settings.gateway.shards = 1;
  return settings;
}

// The body of the bye that comes next but for other frames.
nlohmann::json ByeOf(RawClient& client) {
  for (std::string frame = client.ReadFrame(); frame.starts_with("text ");
       frame = client.ReadFrame()) {
    const auto json = nlohmann::json::parse(frame.substr(5));
    if (json.contains("bye")) return json["bye"];
  }
  ADD_FAILURE() << "no bye came";
  return {};
}

TEST(GatewayByeTest, PingsCountLikeOtherFramesAndWhoSendsTooManyComesBackWhenItMayAgain) {
  TestGateway::Settings settings = Speaking();
  settings.gateway.frames_rate = 10;
  settings.gateway.frames_burst = 20;
  TestGateway gateway(settings);
  TestConnection alice = gateway.Open({}, kOffer);
  std::string pings;
  for (int i = 0; i < 200; ++i) pings += ClientText(R"({"ping":{}})");
  (void)alice.socket.SendSome(pings);
  const auto bye = ByeOf(alice.socket);
  EXPECT_EQ(bye["code"], 4029);
  EXPECT_EQ(bye["advice"], "ADVICE_LATER");
  EXPECT_GE(bye["retryAfterMs"], 2000);
  EXPECT_LT(bye["retryAfterMs"], 4000);
}

TEST(GatewayByeTest, WhomADrainWithoutAWindowClosesComeBackSpreadOverTheTimeThatItSaved) {
  TestGateway gateway(Speaking());
  std::vector<TestConnection> clients;
  for (int i = 0; i < 150; ++i) clients.push_back(gateway.Open({}, kOffer));
  gateway.gateway().Drain(absl::ZeroDuration());
  std::set<int> later;
  for (TestConnection& client : clients) {
    const auto bye = ByeOf(client.socket);
    EXPECT_EQ(bye["code"], 1012);
    EXPECT_EQ(bye["advice"], "ADVICE_AT_ONCE");
    const int after = bye.value("retryAfterMs", 0);
    EXPECT_LT(after, 3000);
    later.insert(after);
  }
  EXPECT_GT(later.size(), 75u);
  EXPECT_GT(*later.rbegin() - *later.begin(), 1500);
}

TEST(GatewayByeTest, ADrainThatTakesItsTimeSpreadsThemByItself) {
  TestGateway gateway(Speaking());
  std::vector<TestConnection> clients;
  for (int i = 0; i < 60; ++i) clients.push_back(gateway.Open({}, kOffer));
  gateway.gateway().Drain(absl::Minutes(1));
  for (TestConnection& client : clients) {
    EXPECT_FALSE(ByeOf(client.socket).contains("retryAfterMs"));
  }
}

TEST(GatewayByeTest, WhenAServiceSaysWhenItIsTold) {
  FakeBackend backend;
  TestGateway::Settings settings = Speaking();
  settings.backend = &backend;
  TestGateway gateway(settings);
  for (const absl::Duration after : {absl::Seconds(7), absl::ZeroDuration()}) {
    RawClient client = gateway.Connect();
    ASSERT_TRUE(client.Send(UpgradeRequest("/ws", kOffer)));
    std::move(backend.AwaitConnect().answer)(Denial{.close = {1013, "full"}, .retry_after = after});
    EXPECT_EQ(client.ReadHttp().status, 101);
    const auto bye = ByeOf(client);
    EXPECT_EQ(bye["code"], 1013);
    EXPECT_EQ(bye.value("retryAfterMs", 0), absl::ToInt64Milliseconds(after));
  }
}

TEST(GatewayByeTest, WhereNobodyKnowsNothingIsSaid) {
  TestGateway gateway(Speaking());
  for (const uint16_t code : {1012, 1013, 4014, 4029}) {
    TestConnection alice = gateway.Open({}, kOffer);
    gateway.Ask(alice.id, Disconnect{{code, "by a service"}});
    EXPECT_FALSE(ByeOf(alice.socket).contains("retryAfterMs")) << code;
  }
}

}  // namespace
}  // namespace wsrouter
