// Brokers of several nodes on one Redis that works.
#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "engine/envelope_codec.h"
#include "engine/wire.pb.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/broker_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const RoomName kLobby = {"lobby"};

class RedisBrokerTest : public testing::Test {
 protected:
  RedisBrokerTest() {
    for (BrokerNode* node : {&a_, &b_, &c_}) node->AwaitJoined();
  }

  PrivateRedis redis_;
  BrokerNode a_{{.url = redis_.url(), .server_id = "a"}};
  BrokerNode b_{{.url = redis_.url(), .server_id = "b"}};
  BrokerNode c_{{.url = redis_.url(), .server_id = "c"}};
};

TEST_F(RedisBrokerTest, SubscribersOnAllNodesSeePublishersOfTwoNodesInOneOrder) {
  constexpr size_t kPublishers = 4;
  constexpr size_t kEach = 500;
  TextListener listeners[3];
  ASSERT_TRUE(a_.Subscribe(listeners[0], kLobby).ok());
  ASSERT_TRUE(b_.Subscribe(listeners[1], kLobby).ok());
  ASSERT_TRUE(b_.Subscribe(listeners[2], kLobby).ok());
  std::latch start(kPublishers);
  std::vector<std::thread> publishers;
  for (size_t p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&, p] {
      BrokerNode& node = p % 2 == 0 ? a_ : b_;
      start.arrive_and_wait();
      for (size_t i = 0; i < kEach; ++i) {
        node.Publish(kLobby, fmt::format("{} {}", p, i), Receipts::kLocal, [](Receipt) {});
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  const std::vector<std::string> order = listeners[0].Wait(kPublishers * kEach);
  ASSERT_EQ(order.size(), kPublishers * kEach);
  EXPECT_EQ(listeners[1].Wait(order.size()), order);
  EXPECT_EQ(listeners[2].Wait(order.size()), order);
  size_t next[kPublishers] = {};
  for (const std::string& text : order) {
    const auto publisher = static_cast<size_t>(text[0] - '0');
    EXPECT_EQ(text, fmt::format("{} {}", publisher, next[publisher]++));
  }
  a_.broker().Unsubscribe(listeners[0], kLobby);
  b_.broker().Unsubscribe(listeners[1], kLobby);
  b_.broker().Unsubscribe(listeners[2], kLobby);
}

TEST_F(RedisBrokerTest, ReceiptsAreCountedOfThisNodeOrOfAll) {
  TextListener at_a;
  TextListener at_b[2];
  ASSERT_TRUE(a_.Subscribe(at_a, kLobby).ok());
  for (TextListener& listener : at_b) ASSERT_TRUE(b_.Subscribe(listener, kLobby).ok());

  const Receipt routed = a_.Publish(kLobby, "1");
  EXPECT_EQ(routed.nodes, 2u);
  EXPECT_EQ(routed.matched, 3u);
  const Receipt local = a_.Publish(kLobby, "2", Receipts::kLocal);
  EXPECT_EQ(local.nodes, 2u);
  EXPECT_EQ(local.matched, 1u);
  const Receipt routed_elsewhere = c_.Publish(kLobby, "3");
  EXPECT_EQ(routed_elsewhere.nodes, 2u);
  EXPECT_EQ(routed_elsewhere.matched, 3u);
  const Receipt local_elsewhere = c_.Publish(kLobby, "4", Receipts::kLocal);
  EXPECT_EQ(local_elsewhere.nodes, 2u);
  EXPECT_EQ(local_elsewhere.matched, 0u);
  for (const Receipt& receipt : {routed, local, routed_elsewhere, local_elsewhere}) {
    EXPECT_TRUE(receipt.status.ok()) << receipt.status;
    EXPECT_FALSE(receipt.partial);
  }
  EXPECT_THAT(at_b[1].Wait(4), ElementsAre("1", "2", "3", "4"));
  a_.broker().Unsubscribe(at_a, kLobby);
  for (TextListener& listener : at_b) b_.broker().Unsubscribe(listener, kLobby);
}

TEST_F(RedisBrokerTest, ConnectionOfAnotherNodeIsReachedThroughItsShard) {
  TextListener shard;
  ASSERT_TRUE(b_.Subscribe(shard, Inbox{0}).ok());
  const Receipt reached = a_.Publish(b_.Connection(1), "for you");
  EXPECT_TRUE(reached.status.ok()) << reached.status;
  EXPECT_EQ(reached.matched, 1u);
  EXPECT_EQ(reached.nodes, 1u);
  ConnectionId elsewhere = b_.Connection(1);
  elsewhere.shard = 1;
  EXPECT_EQ(a_.Publish(elsewhere, "of no shard").matched, 0u);
  EXPECT_THAT(shard.taken(), ElementsAre("for you"));
  b_.broker().Unsubscribe(shard, Inbox{0});
}

TEST_F(RedisBrokerTest, ConnectionOfADeadNodeGivesAnEmptyReceiptAtOnce) {
  ConnectionId dead = b_.Connection(1);
  ++dead.node.incarnation;
  const Receipt receipt = a_.Publish(dead, "anybody there");  // fails where patience is needed
  EXPECT_TRUE(receipt.status.ok()) << receipt.status;
  EXPECT_FALSE(receipt.partial);
  EXPECT_EQ(receipt.nodes, 0u);
}

TEST_F(RedisBrokerTest, TopicsOfThisNodeReachNoOther) {
  TextListener here;
  TextListener there;
  ASSERT_TRUE(a_.Subscribe(here, ThisNode{}).ok());
  ASSERT_TRUE(b_.Subscribe(there, ThisNode{}).ok());
  EXPECT_EQ(a_.Publish(ThisNode{}, "x").matched, 1u);
  EXPECT_EQ(a_.Publish(Everyone{}, "y").matched, 0u);
  EXPECT_EQ(b_.Publish(ThisNode{}, "z").matched, 1u);
  EXPECT_THAT(here.taken(), ElementsAre("x"));
  EXPECT_THAT(there.taken(), ElementsAre("z"));
  a_.broker().Unsubscribe(here, ThisNode{});
  b_.broker().Unsubscribe(there, ThisNode{});
}

TEST_F(RedisBrokerTest, ClientsChannelsAndEveryoneAreReachedOnAllNodes) {
  for (const Topic& topic : {Topic(ClientId{"x"}), Topic(ChannelName{"x"}), Topic(Everyone{})}) {
    TextListener listeners[2];
    ASSERT_TRUE(a_.Subscribe(listeners[0], topic).ok());
    ASSERT_TRUE(b_.Subscribe(listeners[1], topic).ok());
    const Receipt receipt = c_.Publish(topic, "x");
    EXPECT_EQ(receipt.nodes, 2u);
    EXPECT_EQ(receipt.matched, 2u);
    a_.broker().Unsubscribe(listeners[0], topic);
    b_.broker().Unsubscribe(listeners[1], topic);
  }
}

TEST_F(RedisBrokerTest, SubscriptionIsLiveForOtherNodesWhenItsAnswerSaysSo) {
  for (int i = 0; i < 1000; ++i) {
    const RoomName room = {fmt::format("room {}", i)};
    TextListener listener;
    ASSERT_TRUE(a_.Subscribe(listener, room).ok());
    ASSERT_EQ(b_.Publish(room, "x").matched, 1u) << i;
    a_.broker().Unsubscribe(listener, room);
  }
}

TEST_F(RedisBrokerTest, SubscribedAgainAtOnceIsLive) {
  for (int i = 0; i < 1000; ++i) {
    TextListener first;
    TextListener second;
    std::atomic<int> overtaken = 0;
    a_.broker().Subscribe(first, kLobby, [&](const absl::Status&) { ++overtaken; });
    a_.broker().Unsubscribe(first, kLobby);
    ASSERT_TRUE(a_.Subscribe(second, kLobby).ok());
    EXPECT_EQ(overtaken, 1);
    ASSERT_EQ(b_.Publish(kLobby, "x").matched, 1u) << i;
    EXPECT_THAT(first.taken(), IsEmpty());
    EXPECT_THAT(second.taken(), ElementsAre("x"));
    a_.broker().Unsubscribe(second, kLobby);
  }
}

// Whoever has just left was counted by Redis, and still answers for itself.
TEST_F(RedisBrokerTest, NobodyWaitsForANodeThatGivesUpATopicMeanwhile) {
  std::atomic<bool> stop = false;
  std::thread coming_and_going([&] {
    while (!stop) {
      TextListener listener;
      EXPECT_TRUE(b_.Subscribe(listener, kLobby).ok());
      b_.broker().Unsubscribe(listener, kLobby);
    }
  });
  for (int i = 0; i < 1000 && !HasFailure(); ++i) {
    const Receipt receipt = a_.Publish(kLobby, "x");
    EXPECT_TRUE(receipt.status.ok()) << i << ": " << receipt.status;
    EXPECT_FALSE(receipt.partial) << i;
  }
  stop = true;
  coming_and_going.join();
}

TEST_F(RedisBrokerTest, SubscriberWhoAsksTwiceIsThereOnce) {
  TextListener listener;
  ASSERT_TRUE(a_.Subscribe(listener, kLobby).ok());
  ASSERT_TRUE(a_.Subscribe(listener, kLobby).ok());
  EXPECT_EQ(b_.Publish(kLobby, "x").matched, 1u);
  a_.broker().Unsubscribe(listener, kLobby);
  EXPECT_EQ(b_.Publish(kLobby, "x").matched, 0u);
}

// The envelope of a push as `change` has a node of another version write it.
template <typename Change>
std::string Changed(std::string_view text, Change change) {
  wire::Envelope message;
  EXPECT_TRUE(message.ParseFromString(EncodeEnvelope(
      {.envelope = {.to = kLobby, .action = Deliver{.frame = Frame::Make(Opcode::kText, text)}}})));
  change(*message.mutable_deliver());
  return message.SerializeAsString();
}

TEST_F(RedisBrokerTest, APolicyThatANodeDoesNotKnowIsRefusedOrTheDefaultAndHoldsUpNobody) {
  TextListener listener;
  ASSERT_TRUE(a_.Subscribe(listener, kLobby).ok());
  const std::string channel = "{test}:t:rlobby";
  const SystemClock clock;
  EnvelopeSeal later({.server_id = "later", .incarnation = 7}, {}, absl::Seconds(30));
  const auto publish = [&](const std::string& envelope) {
    redis_.Run({"PUBLISH", channel, later.Seal(channel, "e" + envelope, clock.Now().wall)});
  };
  publish(Changed("refused", [](wire::Deliver& deliver) {
    deliver.set_slow_consumer(static_cast<wire::SlowConsumer>(7));
  }));
  publish(Changed("as configured", [](wire::Deliver& deliver) {
    deliver.set_slow_consumer_more(static_cast<wire::SlowConsumerMore>(7));
  }));
  EXPECT_THAT(listener.Wait(1), ElementsAre("as configured"));
  EXPECT_EQ(a_.counters().Get(Counter::kEnvelopesUndecodable), 1u);
  EXPECT_EQ(b_.Publish(kLobby, "on").matched, 1u);
  EXPECT_THAT(listener.Wait(2), ElementsAre("as configured", "on"));
  a_.broker().Unsubscribe(listener, kLobby);
}

}  // namespace
}  // namespace wsrouter
