// Clients that come back to another node of a cluster: gateways on one Redis, through real sockets.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/eventually.h"
#include "tests/support/gateway_node.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using ::testing::SizeIs;

nlohmann::json Welcome(RawClient& client) {
  const std::string frame = client.ReadFrame();
  EXPECT_TRUE(frame.starts_with(R"(text {"welcome")")) << frame;
  return frame.size() < 5 ? nlohmann::json() : nlohmann::json::parse(frame.substr(5))["welcome"];
}

class ClusterResumeTest : public testing::Test {
 protected:
  // Alice, on a connection of `node`, in the lobby.
  RawClient Alice(GatewayNode& node) {
    RawClient client = node.Connect();
    const auto nobody = Welcome(client);
    const auto id = ConnectionId::Parse(nobody["connectionId"].get<std::string>()).value();
    EXPECT_TRUE(node.Do(id, Own{.client = {"alice"},
                                .on_duplicate = OnDuplicate::kReject,
                                .rooms = {{"lobby"}},
                                .labels = {{"device", "phone"}}})
                    .status.ok());
    token = Welcome(client)["session"];
    EXPECT_EQ(client.ReadFrame(), R"(text {"joined":{"room":"lobby"}})");
    return client;
  }
  // Alice has come back to `node`, and is what she was.
  void ExpectBack(GatewayNode& node, RawClient& client) {
    const auto welcome = Welcome(client);
    EXPECT_TRUE(welcome.value("resumed", false)) << welcome;
    EXPECT_EQ(welcome["clientId"], "alice");
    token = welcome["session"];
    EXPECT_EQ(client.ReadFrame(), R"(text {"gap":{"room":"lobby"}})");
    EXPECT_EQ(client.ReadFrame(), R"(text {"joined":{"room":"lobby"}})");
    EXPECT_TRUE(Eventually([&] { return node.SizeOf("lobby").connections == 1; }));
    EXPECT_THAT(node.ConnectionsOf("alice"), SizeIs(1));
    EXPECT_EQ(node.Do(RoomName{"lobby"}, TextOf("hi")).queued, 1u);
    EXPECT_EQ(client.ReadFrame(), R"(text {"msg":{"room":"lobby","text":"hi"}})");
    EXPECT_EQ(node.Count<event::Resumed>(), 1u);
    EXPECT_EQ(node.Count<event::Connected>(), 0u);
  }

  PrivateRedis redis;
  GatewayNode one{redis, "one", 1};
  GatewayNode two{redis, "two", 2};
  std::string token;
};

TEST_F(ClusterResumeTest, AClientComesBackToAnotherNode) {
  RawClient first = Alice(one);
  first.Reset();
  ASSERT_TRUE(Eventually([&] { return one.Gauges().parked == 1; }));
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
  EXPECT_TRUE(Eventually([&] { return one.Gauges().parked == 0; }));
  EXPECT_EQ(one.Count<event::Disconnected>(), 0u);
  EXPECT_EQ(one.Count<event::Left>(), 0u);
}

TEST_F(ClusterResumeTest, WhoIsCutBeforeItHasReadItsNextTokenComesBackWithTheOneThatItHas) {
  RawClient first = Alice(one);
  first.Reset();
  const std::string old = token;
  for (int cut = 0; cut < 3; ++cut) {
    RawClient client = two.Connect(old);
    client.Reset();
    ASSERT_TRUE(Eventually([&] { return two.Gauges().parked == 1 && two.Gauges().owned == 1; }));
  }
  GatewayNode three(redis, "three", 3);
  RawClient last = three.Connect(old);
  ExpectBack(three, last);
  EXPECT_TRUE(Eventually([&] { return one.Gauges().parked + two.Gauges().parked == 0; }));
  EXPECT_EQ(one.Count<event::Disconnected>() + two.Count<event::Disconnected>(), 0u);
  RawClient stranger = one.Connect(token);
  EXPECT_EQ(Welcome(stranger)["clientId"], "alice");
}

TEST_F(ClusterResumeTest, AHalfOpenConnectionOfAnotherNodeIsClosed) {
  RawClient first = Alice(one);
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
  std::string frame = first.ReadFrame();
  while (!frame.starts_with("close") && frame != "end") frame = first.ReadFrame();
  EXPECT_EQ(frame, "close 4020 the client has come back");
  EXPECT_EQ(one.Count<event::Disconnected>(), 0u);
}

TEST_F(ClusterResumeTest, TheClientOfANodeThatCrashedComesBackToAnother) {
  RawClient first = Alice(one);
  one.Crash();
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
  EXPECT_EQ(two.Count<event::Disconnected>(), 0u) << "also the collector says nothing of an end";
}

TEST_F(ClusterResumeTest, TheClientOfANodeThatStoppedComesBackToAnother) {
  RawClient first = Alice(one);
  one.Stop();
  EXPECT_EQ(one.Count<event::Disconnected>(), 1u);
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
}

TEST_F(ClusterResumeTest, ARedisThatCameBackEmptyKnowsTheSessionsAgain) {
  RawClient first = Alice(one);
  first.Reset();
  ASSERT_TRUE(Eventually([&] { return one.Gauges().parked == 1; }));
  redis.Kill();
  ASSERT_TRUE(Eventually([&] { return !one.up() && !two.up(); }));
  redis.Start();
  ASSERT_TRUE(Eventually([&] { return one.up() && two.up(); }));
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
}

}  // namespace
}  // namespace wsrouter
