// What the gateway measures of real traffic.

#include <gtest/gtest.h>

#include "tests/support/eventually.h"
#include "tests/support/test_gateway.h"
#include "tests/support/wire.h"

namespace wsrouter {
namespace {

TEST(GatewayMeasuresTest, EachDeliveryCountsOnceAndEachPushWithItsFanOut) {
  TestGateway::Settings settings;
  settings.gateway.shards = 1;
  TestGateway gateway(settings);
  TestConnection alice = gateway.Online("alice", {"room"});
  TestConnection bob = gateway.Online("bob", {"room"});
  const uint64_t turns = gateway.Read(Measure::kTurn).count();
  EXPECT_EQ(gateway.Push("room", "one").queued, 2u);
  EXPECT_EQ(gateway.Push("room", "two").queued, 2u);
  EXPECT_EQ(gateway.Push("nobody is here", "three").queued, 0u);
  EXPECT_EQ(gateway.Read(Measure::kFanOut).count(), 2u);
  EXPECT_EQ(gateway.Read(Measure::kFanOut).sum, 4);
  EXPECT_EQ(gateway.Read(Measure::kDelivery).count(), 4u);
  EXPECT_GT(gateway.Read(Measure::kDelivery).sum, 0);
  EXPECT_GE(gateway.Read(Measure::kTurn).count(), turns + 2);
}

TEST(GatewayMeasuresTest, APongIsMeasuredOnceAndOnlyWhereAPingWentOut) {
  TestGateway::Settings settings;
  settings.gateway.ping_interval = absl::Milliseconds(200);
  TestGateway gateway(settings);
  TestConnection alice = gateway.Online("alice");
  const std::string pong = ClientFrameOf(0x8A, "");
  ASSERT_TRUE(alice.socket.Send(pong));  // nobody asked for it
  EXPECT_EQ(alice.socket.ReadFrame(), "ping ");
  EXPECT_EQ(gateway.Read(Measure::kPing).count(), 0u);
  ASSERT_TRUE(alice.socket.Send(pong + pong + ClientPing("behind them")));
  std::string said = alice.socket.ReadFrame();
  while (said == "ping ") said = alice.socket.ReadFrame();  // the next ones may be due already
  EXPECT_EQ(said, "pong behind them");
  EXPECT_EQ(gateway.Read(Measure::kPing).count(), 1u);
  EXPECT_GT(gateway.Read(Measure::kPing).sum, 0);
}

TEST(GatewayMeasuresTest, APongThatComesWhenNobodyWaitsAnyMoreIsNoRoundTrip) {
  TestGateway::Settings settings;
  settings.gateway.ping_interval = absl::Seconds(1);
  settings.gateway.pong_timeout = absl::Seconds(1);
  TestGateway gateway(settings);
  TestConnection alice = gateway.Online("alice");
  EXPECT_EQ(alice.socket.ReadFrame(), "ping ");
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  EXPECT_TRUE(Eventually([&] {  // it talks on, so no other Ping goes out
    EXPECT_TRUE(alice.socket.Send(ClientText("x")));
    return clock.Now().uptime - begin > absl::Milliseconds(1500);
  }));
  ASSERT_TRUE(alice.socket.Send(ClientFrameOf(0x8A, "") + ClientPing("behind it")));
  EXPECT_EQ(alice.socket.ReadFrame(), "pong behind it");
  EXPECT_EQ(gateway.Read(Measure::kPing).count(), 0u);
}

TEST(GatewayMeasuresTest, LoadIsSmallWhereNothingWaits) {
  TestGateway gateway;
  EXPECT_TRUE(Eventually([&] { return gateway.gateway().Load().mailbox_messages == 0; }));
  EXPECT_EQ(gateway.gateway().Load().mailbox_messages_max, 0u);
}

}  // namespace
}  // namespace wsrouter
