// Brokers whose Redis goes away, whose neighbours are silent, or whose channels are not theirs
// alone.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "core/error.h"
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
const SealKey kKey = {.id = "key", .secret = std::string(32, 'k')};
const SealKey kOther = {.id = "key", .secret = std::string(32, 'o')};

class RedisBrokerFaultTest : public testing::Test {
 protected:
  std::unique_ptr<BrokerNode> Start(const std::string& server_id,
                                    BrokerNode::Options options = {}) {
    options.url = redis_.url();
    options.server_id = server_id;
    auto node = std::make_unique<BrokerNode>(options);
    node->AwaitJoined();
    return node;
  }
  std::unique_ptr<BrokerNode> StartImpatient(const std::string& server_id) {
    return Start(server_id, {.patience = Impatient()});
  }
  static uint64_t Refused(const BrokerNode& node) {
    return node.counters().Get(Counter::kHmacVerifyFailures);
  }

  PrivateRedis redis_;
};

TEST_F(RedisBrokerFaultTest, NodeThatDoesNotAnswerIsSilentInTime) {
  const auto node = Start("a", {.receipts = absl::Milliseconds(100)});
  Linked deaf(redis_.url());
  deaf.StartUp();
  ASSERT_TRUE(deaf.Subscribe("{test}:n:deaf.0000000000000007").ok());
  ConnectionId id = node->Connection(1);
  id.node.server_id = "deaf";
  const Receipt receipt = node->Publish(id, "x");
  EXPECT_TRUE(absl::IsUnavailable(receipt.status)) << receipt.status;
  EXPECT_EQ(ReasonOf(receipt.status), "NODE_SILENT");
  EXPECT_TRUE(receipt.partial);
}

TEST_F(RedisBrokerFaultTest, WhatOthersAnsweredCountsThoughOneIsSilent) {
  const auto node = Start("a", {.receipts = absl::Milliseconds(100)});
  TextListener listener;
  ASSERT_TRUE(node->Subscribe(listener, kLobby).ok());
  Linked deaf(redis_.url());
  deaf.StartUp();
  ASSERT_TRUE(deaf.Subscribe("{test}:t:rlobby").ok());
  const Receipt receipt = node->Publish(kLobby, "x");
  EXPECT_TRUE(receipt.status.ok()) << receipt.status;
  EXPECT_TRUE(receipt.partial);
  EXPECT_EQ(receipt.nodes, 2u);
  EXPECT_EQ(receipt.matched, 1u);
  node->broker().Unsubscribe(listener, kLobby);
}

TEST_F(RedisBrokerFaultTest, WithoutRedisThisNodeIsReachedAndOthersAreUnavailable) {
  const auto a = StartImpatient("a");
  const auto b = StartImpatient("b");
  TextListener at_a;
  TextListener at_b;
  TextListener shard;
  ASSERT_TRUE(a->Subscribe(at_a, kLobby).ok());
  ASSERT_TRUE(a->Subscribe(shard, Inbox{0}).ok());
  ASSERT_TRUE(b->Subscribe(at_b, kLobby).ok());
  redis_.Kill();
  a->AwaitDown();
  b->AwaitDown();
  for (const Receipts receipts : {Receipts::kLocal, Receipts::kRouted}) {
    const Receipt receipt = a->Publish(kLobby, "here", receipts);
    EXPECT_TRUE(receipt.status.ok()) << receipt.status;
    EXPECT_TRUE(receipt.partial);
    EXPECT_EQ(receipt.nodes, 1u);
    EXPECT_EQ(receipt.matched, 1u);
  }
  EXPECT_EQ(ReasonOf(a->Publish(RoomName{"nobody's"}, "x").status), "BROKER_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(a->Publish(b->Connection(1), "x").status), "BROKER_UNAVAILABLE");
  const Receipt own = a->Publish(a->Connection(1), "own");
  EXPECT_TRUE(own.status.ok()) << own.status;
  EXPECT_FALSE(own.partial);
  EXPECT_THAT(shard.taken(), ElementsAre("own"));

  redis_.Start();
  a->AwaitJoined(2);
  b->AwaitJoined(2);
  const Receipt again = b->Publish(kLobby, "again");
  EXPECT_TRUE(again.status.ok()) << again.status;
  EXPECT_FALSE(again.partial);
  EXPECT_EQ(again.matched, 2u);
  EXPECT_THAT(at_a.taken(), ElementsAre("here", "here", "again"));
  EXPECT_THAT(at_b.taken(), ElementsAre("again"));
  a->broker().Unsubscribe(at_a, kLobby);
  a->broker().Unsubscribe(shard, Inbox{0});
  b->broker().Unsubscribe(at_b, kLobby);
}

TEST_F(RedisBrokerFaultTest, SubscriptionRefusedWithoutRedisIsMadeWhenItComesBack) {
  const auto a = StartImpatient("a");
  redis_.Kill();
  a->AwaitDown();
  TextListener listener;
  TextListener gone;
  EXPECT_TRUE(a->Subscribe(listener, ThisNode{}).ok());
  EXPECT_TRUE(absl::IsUnavailable(a->Subscribe(listener, kLobby)));
  EXPECT_TRUE(absl::IsUnavailable(a->Subscribe(listener, kLobby)));
  EXPECT_TRUE(absl::IsUnavailable(a->Subscribe(gone, RoomName{"gone"})));
  a->broker().Unsubscribe(gone, RoomName{"gone"});
  redis_.Start();
  a->AwaitJoined(2);
  const auto b = Start("b");
  EXPECT_EQ(b->Publish(kLobby, "x").matched, 1u);
  EXPECT_EQ(b->Publish(RoomName{"gone"}, "x").nodes, 0u);
  a->broker().Unsubscribe(listener, kLobby);
  a->broker().Unsubscribe(listener, ThisNode{});
}

// The link is up again, and this node's channels are not live yet.
TEST_F(RedisBrokerFaultTest, PublishThatItsOwnNodeMissesSaysPartial) {
  const auto a = StartImpatient("a");
  TextListener listener;
  ASSERT_TRUE(a->Subscribe(listener, kLobby).ok());
  a->HoldJoin();
  redis_.Kill();
  a->AwaitDown();
  redis_.Start();
  ASSERT_TRUE(Eventually([&] { return a->link().up(); }));
  EXPECT_TRUE(a->Publish(kLobby, "too early").partial);
  EXPECT_FALSE(a->Publish(RoomName{"nobody's"}, "x").partial);
  a->Join();
  a->AwaitJoined(2);
  const Receipt receipt = a->Publish(kLobby, "in time");
  EXPECT_FALSE(receipt.partial);
  EXPECT_EQ(receipt.matched, 1u);
  EXPECT_THAT(listener.taken(), ElementsAre("in time"));
  a->broker().Unsubscribe(listener, kLobby);
}

TEST_F(RedisBrokerFaultTest, WhoWaitsIsAnsweredWhenTheLinkIsLost) {
  const auto a = StartImpatient("a");
  TextListener listener;
  redis_.Pause();
  Awaited<Receipt> to_room;
  Awaited<Receipt> to_connection;
  Awaited<absl::Status> live;
  ConnectionId elsewhere = a->Connection(1);
  elsewhere.node.server_id = "b";
  a->Publish(kLobby, "x", Receipts::kRouted, to_room.Take());
  a->Publish(elsewhere, "x", Receipts::kRouted, to_connection.Take());
  a->broker().Subscribe(listener, kLobby, live.Take());
  EXPECT_TRUE(absl::IsUnavailable(live.Wait()));
  EXPECT_TRUE(to_room.Wait().partial);
  EXPECT_EQ(ReasonOf(to_connection.Wait().status), "BROKER_UNAVAILABLE");
  redis_.Continue();
  a->AwaitJoined(2);
  EXPECT_EQ(a->Publish(kLobby, "y").matched, 1u);
  a->broker().Unsubscribe(listener, kLobby);
}

TEST_F(RedisBrokerFaultTest, EveryPublishAroundAnOutageIsAnsweredOnceAndInOrder) {
  constexpr int kPublishes = 20'000;
  const auto a = StartImpatient("a");
  TextListener listener;
  ASSERT_TRUE(a->Subscribe(listener, kLobby).ok());
  std::vector<std::atomic<int>> answers(kPublishes);
  std::atomic<int64_t> matched = 0;
  absl::BlockingCounter answered(kPublishes);
  for (int i = 0; i < kPublishes; ++i) {
    if (i == kPublishes / 2) redis_.Kill();
    a->Publish(kLobby, fmt::format("{:05}", i), Receipts::kRouted, [&, i](const Receipt& receipt) {
      ++answers[i];
      matched += static_cast<int64_t>(receipt.matched);
      answered.DecrementCount();
    });
  }
  answered.Wait();
  a->AwaitDown();
  const Receipt last = a->Publish(kLobby, "last");
  EXPECT_EQ(last.matched, 1u);
  EXPECT_TRUE(last.partial);
  for (const std::atomic<int>& times : answers) EXPECT_EQ(times, 1);
  const std::vector<std::string> taken = listener.taken();
  EXPECT_TRUE(std::ranges::is_sorted(taken));
  EXPECT_EQ(std::ranges::adjacent_find(taken), taken.end()) << "taken twice";
  // What was under way when the link was lost may have been taken without a receipt that says so.
  EXPECT_LT(matched, static_cast<int64_t>(taken.size()));
  a->broker().Unsubscribe(listener, kLobby);
}

TEST_F(RedisBrokerFaultTest, NoMorePublishesWaitThanMay) {
  const auto a = Start("a");
  redis_.Pause();
  absl::BlockingCounter answered(static_cast<int>(RedisBroker::kInFlightMax));
  std::atomic<size_t> failed = 0;
  for (size_t i = 0; i < RedisBroker::kInFlightMax; ++i) {
    a->Publish(kLobby, "x", Receipts::kRouted, [&](const Receipt& receipt) {
      if (!receipt.status.ok()) ++failed;
      answered.DecrementCount();
    });
  }
  const Receipt refused = a->Publish(kLobby, "one more");
  EXPECT_TRUE(absl::IsUnavailable(refused.status)) << refused.status;
  EXPECT_EQ(ReasonOf(refused.status), "OVERLOADED");
  redis_.Continue();
  answered.Wait();
  EXPECT_EQ(failed, 0u);
  EXPECT_TRUE(a->Publish(kLobby, "now").status.ok());
}

TEST_F(RedisBrokerFaultTest, FiftyThousandTopicsAreSubscribedAgain) {
  constexpr int kTopics = 50'000;
  const auto a = Start("a");
  TextListener listener;
  absl::BlockingCounter live(kTopics);
  for (int i = 0; i < kTopics; ++i) {
    a->broker().Subscribe(listener, RoomName{fmt::format("{}", i)},
                          [&](const absl::Status& status) {
                            EXPECT_TRUE(status.ok()) << status;
                            live.DecrementCount();
                          });
  }
  live.Wait();
  redis_.Kill();
  redis_.Start();
  a->AwaitJoined(2);
  const auto b = Start("b");
  EXPECT_EQ(b->Publish(RoomName{"0"}, "first").matched, 1u);
  EXPECT_EQ(b->Publish(RoomName{"49999"}, "last").matched, 1u);
  for (int i = 0; i < kTopics; ++i) {
    a->broker().Unsubscribe(listener, RoomName{fmt::format("{}", i)});
  }
}

TEST_F(RedisBrokerFaultTest, WrongKeyReplayAndOtherChannelAreDroppedAndCounted) {
  const auto a = Start("a", {.keys = {kKey}});
  const auto b = Start("b", {.keys = {kKey}});
  const auto stranger = Start("stranger", {.keys = {kOther}});
  TextListener lobby;
  TextListener kitchen;
  ASSERT_TRUE(b->Subscribe(lobby, kLobby).ok());
  ASSERT_TRUE(b->Subscribe(kitchen, RoomName{"kitchen"}).ok());
  Linked spy(redis_.url());
  spy.StartUp();
  ASSERT_TRUE(spy.Subscribe("{test}:t:rlobby").ok());

  a->Publish(kLobby, "once", Receipts::kLocal);
  const std::string captured = spy.watcher.WaitMessages(1)[0].substr(sizeof("{test}:t:rlobby"));
  lobby.Wait(1);
  redis_.Run({"PUBLISH", "{test}:t:rlobby", captured});
  EXPECT_TRUE(Eventually([&] { return Refused(*b) == 1; }));
  redis_.Run({"PUBLISH", "{test}:t:rkitchen", captured});
  EXPECT_TRUE(Eventually([&] { return Refused(*b) == 2; }));
  stranger->Publish(kLobby, "believe me", Receipts::kLocal);
  EXPECT_TRUE(Eventually([&] { return Refused(*b) == 3; }));
  a->Publish(kLobby, "end", Receipts::kLocal);
  EXPECT_THAT(lobby.Wait(2), ElementsAre("once", "end"));
  EXPECT_THAT(kitchen.taken(), IsEmpty());
  b->broker().Unsubscribe(lobby, kLobby);
  b->broker().Unsubscribe(kitchen, RoomName{"kitchen"});
}

TEST_F(RedisBrokerFaultTest, UndecodableMessagesAreDroppedAndCounted) {
  const auto a = Start("a");
  TextListener listener;
  ASSERT_TRUE(a->Subscribe(listener, kLobby).ok());
  const SystemClock clock;
  EnvelopeSeal seal({.server_id = "b", .incarnation = 7}, {}, absl::Seconds(30));
  const std::vector<std::string> bodies = {"", "x", "e\xFF", "r\xFF", "e"};
  for (const std::string& body : bodies) {
    redis_.Run({"PUBLISH", a->inbox(), seal.Seal(a->inbox(), body, clock.Now().wall)});
  }
  EXPECT_TRUE(Eventually(
      [&] { return a->counters().Get(Counter::kEnvelopesUndecodable) == bodies.size(); }));
  EXPECT_EQ(a->Publish(kLobby, "fine").matched, 1u);
  EXPECT_THAT(listener.taken(), ElementsAre("fine"));
  a->broker().Unsubscribe(listener, kLobby);
}

}  // namespace
}  // namespace wsrouter
