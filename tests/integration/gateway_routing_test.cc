// Own, Join and Push from the broker to the socket.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;

TEST(GatewayRoutingTest, PushReachesTheMembersOnEveryShardAndNobodyElse) {
  TestGateway::Settings settings;
  settings.gateway.shards = 3;
  TestGateway gateway(settings);
  std::vector<TestConnection> members;
  for (int i = 0; i < 9; ++i) members.push_back(gateway.Online("m" + std::to_string(i), {"room"}));
  TestConnection stranger = gateway.Online("stranger", {"other"});

  const Receipt pushed = gateway.Push("room", "hello");
  EXPECT_EQ(pushed.matched, 9u);
  EXPECT_EQ(pushed.queued, 9u);
  for (TestConnection& member : members) EXPECT_EQ(member.socket.ReadFrame(), "text hello");
  EXPECT_EQ(gateway.Push("other", "only you").queued, 1u);
  EXPECT_EQ(stranger.socket.ReadFrame(), "text only you");
}

TEST(GatewayRoutingTest, ConnectionsAreSpreadEvenlyOverTheShardsAlsoInABurst) {
  TestGateway::Settings settings;
  settings.gateway.shards = 3;
  TestGateway gateway(settings);
  std::vector<RawClient> burst;
  for (int i = 0; i < 30; ++i) burst.push_back(gateway.Connect());
  for (RawClient& client : burst) ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
  for (RawClient& client : burst) ASSERT_EQ(client.ReadHttp().status, 101);
  const Receipt described = gateway.Ask(ThisNode{}, Describe{.after = {}, .count = 100});
  std::vector<int> shards(3);
  for (const ConnectionDescription& one : described.connections) ++shards[one.id.shard];
  EXPECT_THAT(shards, ElementsAre(10, 10, 10));
}

TEST(GatewayRoutingTest, MessageComesWithTheBoundIdentityAndItsRooms) {
  TestGateway gateway;
  TestConnection client = gateway.Online("alice", {"room"});
  ASSERT_TRUE(client.socket.Send(ClientBinary("I am bob")));
  const auto event = gateway.events().Await(
      [](const Event& seen) { return std::holds_alternative<event::Message>(seen.detail); });
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->client.value, "alice");
  EXPECT_EQ(event->connection, client.id);
  const auto& message = std::get<event::Message>(event->detail);
  EXPECT_EQ(message.opcode, Opcode::kBinary);
  EXPECT_EQ(message.payload, "I am bob");
  EXPECT_THAT(message.rooms, ElementsAre(RoomName{"room"}));
}

TEST(GatewayRoutingTest, JoinIsLiveWhenItsAnswerSaysSoAndLeaveToo) {
  TestGateway gateway;
  TestConnection client = gateway.Online("alice");
  EXPECT_EQ(gateway.Push("room", "before").matched, 0u);
  EXPECT_EQ(gateway.Ask(ClientId{"alice"}, Join{{{"room"}}}).rooms.at(0).result,
            RoomChange::Result::kJoined);
  EXPECT_EQ(gateway.Push("room", "while").queued, 1u);
  EXPECT_EQ(gateway.Ask(client.id, Leave{{{"room"}}}).rooms.at(0).result,
            RoomChange::Result::kLeft);
  EXPECT_EQ(gateway.Push("room", "after").matched, 0u);
  EXPECT_EQ(client.socket.ReadFrame(), "text while");
  EXPECT_TRUE(client.socket.Quiet());
}

TEST(GatewayRoutingTest, OnlyWhatNamesAnUnownedConnectionReachesIt) {
  TestGateway gateway;
  TestConnection client = gateway.Open();
  EXPECT_EQ(gateway.Ask(Everyone{}, Deliver{.frame = Frame::Make(Opcode::kText, "all")}).matched,
            0u);
  EXPECT_EQ(gateway.Ask(client.id, Deliver{.frame = Frame::Make(Opcode::kText, "you")}).queued, 1u);
  EXPECT_EQ(client.socket.ReadFrame(), "text you");
}

TEST(GatewayRoutingTest, FramesThatWaitTogetherLeaveInFewWritesAndInOrder) {
  TestGateway::Settings settings;
  settings.limits.slow_consumer_bytes = size_t{16} << 20;
  TestGateway gateway(settings);
  TestConnection client = gateway.Online("alice", {"room"}, {.receive_bytes = 4096});
  // Nobody reads it, so everything behind it waits.
  const std::string big(6 << 20, 'x');
  EXPECT_EQ(gateway.Push("room", big).queued, 1u);
  const uint64_t before = gateway.Total(Counter::kWrites);
  constexpr int kFrames = 2000;
  for (int i = 0; i < kFrames; ++i) gateway.Publish(RoomName{"room"}, std::to_string(i));
  EXPECT_EQ(gateway.Push("room", "last").queued, 1u);

  EXPECT_TRUE(client.socket.ReadFrame() == "text " + big);
  for (int i = 0; i < kFrames; ++i) {
    ASSERT_EQ(client.socket.ReadFrame(), "text " + std::to_string(i));
  }
  EXPECT_EQ(client.socket.ReadFrame(), "text last");
  EXPECT_LT(gateway.Total(Counter::kWrites) - before, 120u);  // of 64 KiB each
}

TEST(GatewayRoutingTest, MembersSeeThePushesOfSeveralThreadsInOneOrder) {
  TestGateway::Settings settings;
  settings.gateway.shards = 2;
  TestGateway gateway(settings);
  std::vector<TestConnection> members;
  for (int i = 0; i < 4; ++i) members.push_back(gateway.Online("m" + std::to_string(i), {"room"}));
  constexpr int kEach = 300;
  std::vector<std::thread> threads;
  for (const char* name : {"a", "b", "c"}) {
    threads.emplace_back([&gateway, name] {
      for (int i = 0; i < kEach; ++i) gateway.Publish(RoomName{"room"}, name + std::to_string(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::vector<std::string>> seen(members.size());
  for (size_t i = 0; i < members.size(); ++i) {
    for (int n = 0; n < 3 * kEach; ++n) seen[i].push_back(members[i].socket.ReadFrame());
    EXPECT_EQ(seen[i], seen[0]) << i;
  }
}

TEST(GatewayRoutingTest, BigPayloadsReachASlowReaderOctetForOctet) {
  TestGateway::Settings settings;
  settings.limits.slow_consumer_bytes = size_t{16} << 20;
  TestGateway gateway(settings);
  TestConnection client = gateway.Online("alice", {"room"}, {.receive_bytes = 4096});
  std::vector<std::string> payloads;
  for (const size_t size :
       {size_t{1}, size_t{65'530}, size_t{65'536}, size_t{200'001}, size_t{4} << 20, size_t{7}}) {
    std::string payload(size, '\0');
    for (size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 7 + i / 251);
    EXPECT_EQ(gateway.Push("room", payload, Opcode::kBinary).queued, 1u);
    payloads.push_back(std::move(payload));
  }
  for (const std::string& payload : payloads) {
    EXPECT_TRUE(client.socket.ReadFrame() == "binary " + payload) << payload.size();
  }
  EXPECT_TRUE(Eventually([&] { return gateway.Gauges().outbox_bytes == 0; }));
}

}  // namespace
}  // namespace wsrouter
