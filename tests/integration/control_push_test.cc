// The pushes through a real gRPC server.
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/control_node.h"

namespace wsrouter {
namespace {

using Stub = v1::Router::Stub;
using testing::ElementsAre;
using testing::IsEmpty;

class ControlPushTest : public testing::Test {
 protected:
  ControlNode node_;
};

TEST_F(ControlPushTest, PushReachesEveryMemberOnceEach) {
  const ConnectionId alice = node_.Online("alice", R"("lobby")");
  const ConnectionId bob = node_.Online("bob", R"("lobby","news")");
  node_.Online("carol", R"("news")");

  const auto pushed = node_.Call(&Stub::Push, R"({"room":"lobby","payload":{"text":"hi"}})");

  ASSERT_TRUE(pushed.ok()) << pushed.message;
  ASSERT_EQ(pushed.response.rooms_size(), 1);
  const v1::Outcome& outcome = pushed.response.rooms(0).outcome();
  EXPECT_EQ(outcome.nodes(), 1u);
  EXPECT_EQ(outcome.matched(), 2u);
  EXPECT_EQ(outcome.queued(), 2u);
  EXPECT_THAT(node_.shard.Got(alice), ElementsAre("hi"));
  EXPECT_THAT(node_.shard.Got(bob), ElementsAre("hi"));
  EXPECT_EQ(node_.stats.Total(Counter::kRoomPushes), 1u);
}

TEST_F(ControlPushTest, EachRoomHasARowAndCountsOnce) {
  const ConnectionId alice = node_.Online("alice", R"("a","b")");

  const auto pushed = node_.Call(
      &Stub::Push, R"({"room":"b","rooms":["a","b","empty","a"],"payload":{"binary":"AP8="}})");

  ASSERT_EQ(pushed.response.rooms_size(), 3);
  EXPECT_EQ(pushed.response.rooms(0).room(), "b");
  EXPECT_EQ(pushed.response.rooms(1).room(), "a");
  EXPECT_EQ(pushed.response.rooms(2).outcome().matched(), 0u);
  const std::string octets("\x00\xFF", 2);
  EXPECT_THAT(node_.shard.Got(alice), ElementsAre(octets, octets));
  EXPECT_EQ(node_.stats.Total(Counter::kRoomPushes), 3u);
}

TEST_F(ControlPushTest, ExceptionsAreLeftOutAndUnknownOnesDoNotMatter) {
  const ConnectionId alice = node_.Online("alice", R"("lobby")");
  const ConnectionId bob = node_.Online("bob", R"("lobby")");
  const ConnectionId carol = node_.Online("carol", R"("lobby")");

  const auto pushed =
      node_.Call(&Stub::Push,
                 fmt::format(R"({{"room":"lobby","payload":{{"text":"hi"}},"from_client_id":"alice",
                      "except_client_ids":["alice","ghost"],
                      "except_connection_ids":["{}","nonsense"]}})",
                             bob.ToString()));

  EXPECT_EQ(pushed.response.rooms(0).outcome().matched(), 1u);
  EXPECT_THAT(node_.shard.Got(alice), IsEmpty());
  EXPECT_THAT(node_.shard.Got(bob), IsEmpty());
  EXPECT_THAT(node_.shard.Got(carol), ElementsAre("hi"));
}

TEST_F(ControlPushTest, SendToClientReachesAllItsConnections) {
  const ConnectionId phone = node_.Online("alice");
  const ConnectionId laptop = node_.Online("alice");

  const auto sent =
      node_.Call(&Stub::SendToClient, R"({"client_id":"alice","payload":{"text":"you"}})");

  EXPECT_EQ(sent.response.delivered(), 2u);
  EXPECT_FALSE(sent.response.owner_missing());
  EXPECT_THAT(node_.shard.Got(phone), ElementsAre("you"));
  EXPECT_THAT(node_.shard.Got(laptop), ElementsAre("you"));
}

TEST_F(ControlPushTest, SendToClientSaysWhenNobodyHoldsIt) {
  const auto sent =
      node_.Call(&Stub::SendToClient, R"({"client_id":"nobody","payload":{"text":"you"}})");

  ASSERT_TRUE(sent.ok()) << sent.message;
  EXPECT_TRUE(sent.response.owner_missing());
  EXPECT_EQ(node_.stats.Total(Counter::kSendToClient), 1u);
  EXPECT_EQ(node_.stats.Total(Counter::kSendToClientOwnerMissing), 1u);
}

TEST_F(ControlPushTest, SendToConnectionReachesTheUnownedAndMissesTheGone) {
  const ConnectionId id = node_.shard.Open();
  const std::string json =
      fmt::format(R"({{"connection_id":"{}","payload":{{"text":"who?"}}}})", id.ToString());

  EXPECT_EQ(node_.Call(&Stub::SendToConnection, json).response.outcome().queued(), 1u);
  EXPECT_THAT(node_.shard.Got(id), ElementsAre("who?"));
  node_.shard.Hang(id);
  const auto gone = node_.Call(&Stub::SendToConnection, json);
  EXPECT_EQ(gone.code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(gone.reason, "CONNECTION_GONE");
}

TEST_F(ControlPushTest, PushAllReachesTheOwnedOnly) {
  const ConnectionId alice = node_.Online("alice");
  const ConnectionId bob = node_.Online("bob");
  const ConnectionId unowned = node_.shard.Open();

  const auto pushed =
      node_.Call(&Stub::PushAll, R"({"payload":{"text":"all"},"except_client_ids":["bob"]})");

  EXPECT_EQ(pushed.response.outcome().matched(), 1u);
  EXPECT_THAT(node_.shard.Got(alice), ElementsAre("all"));
  EXPECT_THAT(node_.shard.Got(bob), IsEmpty());
  EXPECT_THAT(node_.shard.Got(unowned), IsEmpty());
}

TEST_F(ControlPushTest, BroadcastToAChannelThatNobodyHearsIsNoError) {
  const auto sent =
      node_.Call(&Stub::Broadcast, R"({"channel":"cache","payload":{"text":"user:7"}})");
  EXPECT_TRUE(sent.ok());
  EXPECT_EQ(sent.response.receivers(), 0u);
}

TEST_F(ControlPushTest, PayloadOverTheLimitIsRefusedAndNothingIsDelivered) {
  const ConnectionId alice = node_.Online("alice", R"("lobby")");

  const auto pushed =
      node_.Call(&Stub::Push, fmt::format(R"({{"room":"lobby","payload":{{"text":"{}"}}}})",
                                          std::string((1 << 20) + 1, 'x')));

  EXPECT_EQ(pushed.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(pushed.reason, "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(pushed.field, "payload.text");
  EXPECT_THAT(node_.shard.Got(alice), IsEmpty());
}

TEST(ControlSlowConsumerTest, FullOutboxIsCountedAndThePolicyIsTheCallers) {
  ControlNode node({.slow_consumer_bytes = 64 + kFrameOverheadBytes});
  const ConnectionId alice = node.Online("alice");
  node.shard.Stall(alice);
  const auto send = [&](std::string_view policy) {
    return node.Call(&Stub::SendToClient,
                     fmt::format(R"({{"client_id":"alice","payload":{{"text":"{}"}},
                                     "options":{{"slow_consumer":"{}"}}}})",
                                 std::string(50, 'x'), policy));
  };

  EXPECT_EQ(send("SLOW_CONSUMER_POLICY_DROP").response.delivered(), 1u);
  EXPECT_EQ(send("SLOW_CONSUMER_POLICY_DROP").response.outcome().dropped_slow_consumer(), 1u);
  EXPECT_FALSE(node.shard.Closed(alice).has_value());
  EXPECT_EQ(send("SLOW_CONSUMER_POLICY_DISCONNECT").response.outcome().dropped_slow_consumer(), 1u);
  EXPECT_EQ(node.shard.Closed(alice)->code, 1013);
}

TEST(ControlSlowConsumerTest, NewerPushesMakeRoomOrReplaceTheirKeys) {
  ControlNode node({.slow_consumer_bytes = 64 + kFrameOverheadBytes});
  const ConnectionId alice = node.Online("alice");
  node.shard.Stall(alice);
  const auto send = [&](std::string_view options) {
    return node.Call(&Stub::SendToClient,
                     fmt::format(R"({{"client_id":"alice","payload":{{"text":"{}"}},
                                     "options":{{{}}}}})",
                                 std::string(50, 'x'), options));
  };
  const std::string conflate =
      R"("slow_consumer":"SLOW_CONSUMER_POLICY_CONFLATE","conflation_key":)";

  EXPECT_EQ(send("").response.delivered(), 1u);
  EXPECT_EQ(send(R"("slow_consumer":"SLOW_CONSUMER_POLICY_DROP_OLD")").response.delivered(), 1u);
  EXPECT_EQ(node.stats.Total(Counter::kPushesDroppedOld), 1u);
  EXPECT_EQ(send(conflate + R"("k")").response.delivered(), 1u);
  EXPECT_EQ(node.stats.Total(Counter::kPushesDroppedOld), 2u);
  EXPECT_EQ(send(conflate + R"("k")").response.delivered(), 1u);
  EXPECT_EQ(node.stats.Total(Counter::kPushesConflated), 1u);
  const auto refused = send(conflate + '"' + std::string(65, 'k') + '"');
  EXPECT_EQ(refused.reason, "FIELD_TOO_LONG");
  EXPECT_EQ(refused.field, "options.conflation_key");
}

TEST(ControlOverloadTest, FullMailboxIsOverloadedAndNothingWasDone) {
  constexpr size_t kMailbox = 16;
  ControlNode node({}, {}, kMailbox);
  const ConnectionId alice = node.Online("alice", R"("lobby")");
  {
    const ShardHost::Hold hold(node.shard);
    for (size_t i = 0; i < kMailbox; ++i) {
      node.broker.Publish({.to = ClientId{"alice"},
                           .action = Deliver{.frame = Frame::Make(Opcode::kText, "early")}},
                          [](Receipt) {});
    }
    const std::string target = fmt::format(R"("connection_id":"{}")", alice.ToString());
    const auto expect_overloaded = [](const auto& called) {
      EXPECT_EQ(called.code, grpc::StatusCode::UNAVAILABLE);
      EXPECT_EQ(called.reason, "OVERLOADED");
    };
    expect_overloaded(node.Call(&Stub::Push, R"({"room":"lobby","payload":{"text":"late"}})"));
    expect_overloaded(node.Call(&Stub::PushAll, R"({"payload":{"text":"late"}})"));
    expect_overloaded(
        node.Call(&Stub::SendToClient, R"({"client_id":"alice","payload":{"text":"late"}})"));
    expect_overloaded(node.Call(&Stub::SendToConnection,
                                fmt::format(R"({{{},"payload":{{"text":"late"}}}})", target)));
    expect_overloaded(node.Call(&Stub::Own, fmt::format(R"({{{},"client_id":"alice"}})", target)));
    expect_overloaded(node.Call(&Stub::Join, R"({"client_id":"alice","rooms":["x"]})"));
    expect_overloaded(node.Call(&Stub::Leave, R"({"client_id":"alice","rooms":["lobby"]})"));
    expect_overloaded(node.Call(&Stub::Release, R"({"client_id":"alice"})"));
    expect_overloaded(node.Call(&Stub::Disconnect, R"({"client_id":"alice"})"));
    expect_overloaded(node.Call(&Stub::GetClient, R"({"client_id":"alice"})"));
    expect_overloaded(node.Call(&Stub::Connections, "{}"));
  }
  EXPECT_THAT(node.shard.Got(alice), testing::SizeIs(kMailbox));
  EXPECT_THAT(node.shard.Got(alice), testing::Each("early"));
}

}  // namespace
}  // namespace wsrouter
