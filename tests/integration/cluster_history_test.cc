// Histories of several nodes on one Redis that works, forgets, restarts and is away.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/kept_listener.h"
#include "tests/support/private_redis.h"
#include "tests/support/private_redis_cluster.h"

namespace wsrouter {
namespace {

const RoomName kRoom = {"room"};

std::unique_ptr<ClusterNode> StartNode(const RedisAddress& address, const std::string& server_id,
                                       std::vector<SealKey> keys = {}) {
  auto node = std::make_unique<ClusterNode>(
      ClusterNode::Options{.address = address,
                           .server_id = server_id,
                           .keys = std::move(keys),
                           .namespaces = Namespaces({.history = {.size = 1000}})});
  node->AwaitUp();
  return node;
}

Receipt Push(ClusterNode& node, std::string_view text, Keep keep = {.reliable = true}) {
  Awaited<Receipt> receipt;
  node.engine().broker().Publish({.to = kRoom,
                                  .action = TextOf(text),
                                  .receipts = Receipts::kLocal,
                                  .keep = std::make_shared<const Keep>(std::move(keep))},
                                 receipt.Take());
  return receipt.Wait();
}

absl::StatusOr<HistoryPage> Read(ClusterNode& node, const Position& since = {}) {
  Awaited<absl::StatusOr<HistoryPage>> page;
  node.engine().history().Read(kRoom, {.since = since, .limit = 1000}, page.Take());
  return page.Wait();
}

// Four publishers on two nodes: whoever hears the room, on either, hears what the history has.
void CheckOrder(const RedisAddress& address) {
  constexpr size_t kPublishers = 4;
  constexpr size_t kEach = 100;
  const auto a = StartNode(address, "a");
  const auto b = StartNode(address, "b");
  KeptListener listeners[2];
  Awaited<absl::Status> live[2];
  a->engine().broker().Subscribe(listeners[0], kRoom, live[0].Take());
  b->engine().broker().Subscribe(listeners[1], kRoom, live[1].Take());
  ASSERT_TRUE(live[0].Wait().ok() && live[1].Wait().ok());
  std::vector<std::thread> publishers;
  for (size_t p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&, p] {
      for (size_t i = 0; i < kEach; ++i) {
        EXPECT_TRUE(Push(p % 2 == 0 ? *a : *b, std::to_string(p * kEach + i)).status.ok());
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  const auto page = Read(*b);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->entries.size(), kPublishers * kEach);
  for (const KeptListener& listener : listeners) {
    const auto taken = listener.Wait(kPublishers * kEach);
    ASSERT_EQ(taken.size(), page->entries.size());
    for (size_t i = 0; i < taken.size(); ++i) {
      ASSERT_EQ(taken[i].position, (Position{i + 1, page->top.epoch}));
      ASSERT_EQ(page->entries[i].offset, i + 1);
      ASSERT_EQ(page->entries[i].frame->payload(), taken[i].text);
    }
  }
  a->engine().broker().Unsubscribe(listeners[0], kRoom);
  b->engine().broker().Unsubscribe(listeners[1], kRoom);
}

TEST(ClusterHistoryTest, OffsetsAreTheOrderOfDeliveryOnAllNodes) {
  const PrivateRedis redis;
  CheckOrder(ParseRedisUrl(redis.url()).value());
}

TEST(ClusterHistoryTest, OffsetsAreTheOrderOfDeliveryOnAllNodesOfARedisCluster) {
  const PrivateRedisCluster redis;
  RedisAddress address;
  address.cluster = redis.endpoints();
  CheckOrder(address);
}

TEST(ClusterHistoryTest, ARedisThatForgotBeginsAnotherEpoch) {
  const PrivateRedis redis;
  const auto node = StartNode(ParseRedisUrl(redis.url()).value(), "a");
  const Position before = Push(*node, "1").kept.position;
  EXPECT_EQ(redis.Run({"FLUSHALL"}), "OK");
  const auto page = Read(*node, before);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_FALSE(page->recovered);
  const Position after = Push(*node, "2").kept.position;
  EXPECT_EQ(after.offset, 1u);
  EXPECT_NE(after.epoch, before.epoch);
  EXPECT_FALSE(Read(*node, before)->recovered);
  EXPECT_EQ(Read(*node, before)->entries.size(), 1u);
}

TEST(ClusterHistoryTest, OffsetsGoOnBehindARestartThatLostNothing) {
  PrivateRedis redis({"--appendonly", "yes", "--appendfsync", "always"});
  const auto node = StartNode(ParseRedisUrl(redis.url()).value(), "a");
  Push(*node, "1");
  const Position before = Push(*node, "2").kept.position;
  redis.Kill();
  node->AwaitDown();
  redis.Start();
  node->AwaitUp();
  EXPECT_EQ(Push(*node, "3").kept.position, (Position{3, before.epoch}));
  const auto page = Read(*node, before);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(page->recovered);
  ASSERT_EQ(page->entries.size(), 1u);
  EXPECT_EQ(page->entries[0].frame->payload(), "3");
}

// From a snapshot that is older than what was pushed: the offsets behind it must not come again
// within the epoch.
TEST(ClusterHistoryTest, ARestartFromAnOldSnapshotBeginsAnotherEpoch) {
  PrivateRedis redis;
  const auto a = StartNode(ParseRedisUrl(redis.url()).value(), "a");
  const auto b = StartNode(ParseRedisUrl(redis.url()).value(), "b");
  Push(*a, "1");
  EXPECT_EQ(redis.Run({"SAVE"}), "OK");
  const Position lost = Push(*a, "2").kept.position;
  redis.Kill();
  a->AwaitDown();
  b->AwaitDown();
  redis.Start();
  EXPECT_EQ(redis.Run({"GET", "{test}:kept"}), "1");  // it has the snapshot
  a->AwaitUp();
  b->AwaitUp();
  // Also by the node that had not seen what is lost.
  const Position next = Push(*b, "3").kept.position;
  EXPECT_NE(next.epoch, lost.epoch);
  EXPECT_EQ(next.offset, 1u);
  EXPECT_FALSE(Read(*b, lost)->recovered);
}

TEST(ClusterHistoryTest, WhileRedisIsAwayNothingIsSentAsIfItWereKept) {
  PrivateRedis redis;
  const auto node = StartNode(ParseRedisUrl(redis.url()).value(), "a");
  KeptListener listener;
  Awaited<absl::Status> live;
  node->engine().broker().Subscribe(listener, kRoom, live.Take());
  ASSERT_TRUE(live.Wait().ok());
  redis.Kill();
  node->AwaitDown();
  for (const Keep& keep :
       {Keep{.reliable = true}, Keep{.idempotency_key = "k"}, Keep{.version = 1}}) {
    const Receipt refused = Push(*node, "kept", keep);
    EXPECT_EQ(ReasonOf(refused.status), "BROKER_UNAVAILABLE");
    EXPECT_EQ(refused.kept.position, Position());
  }
  EXPECT_EQ(ReasonOf(Read(*node).status()), "HISTORY_UNAVAILABLE");
  EXPECT_TRUE(node->Push(kRoom.value, "plain", Receipts::kLocal).status.ok());
  EXPECT_EQ(listener.Wait(1)[0].text, "plain");
  redis.Start();
  node->AwaitUp();
  EXPECT_TRUE(Push(*node, "back").status.ok());
  EXPECT_EQ(listener.Wait(2)[1].text, "back");
  node->engine().broker().Unsubscribe(listener, kRoom);
}

TEST(ClusterHistoryTest, WhatNoNodeSentIsNotBelieved) {
  const PrivateRedis redis;
  const RedisAddress address = ParseRedisUrl(redis.url()).value();
  const SealKey ours = ParseSealKey("a:0123456789abcdef0123456789abcdef").value();
  const SealKey theirs = ParseSealKey("b:fedcba9876543210fedcba9876543210").value();
  const auto both = StartNode(address, "a", {ours, theirs});
  const auto stranger = StartNode(address, "b", {theirs});
  EXPECT_EQ(Push(*stranger, "1").kept.position.offset, 1u);
  EXPECT_EQ(Push(*both, "2").kept.position.offset, 2u);
  const auto all = Read(*both);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->entries.size(), 2u);
  EXPECT_TRUE(all->recovered);
  const auto some = Read(*stranger);
  ASSERT_TRUE(some.ok()) << some.status();
  ASSERT_EQ(some->entries.size(), 1u);
  EXPECT_EQ(some->entries[0].frame->payload(), "1");
  EXPECT_FALSE(some->recovered);
  EXPECT_GT(stranger->Total(Counter::kHmacVerifyFailures), 0u);
}

TEST(ClusterHistoryTest, WhatIsKeptInRedisExpires) {
  const PrivateRedis redis;
  const auto node = StartNode(ParseRedisUrl(redis.url()).value(), "a");
  ASSERT_TRUE(Push(*node, "1", {.reliable = true, .idempotency_key = "k"}).status.ok());
  for (const std::string& key :
       {std::string("{test}:history:room"), std::string("{test}:position:room"),
        std::string("{test}:once:room\0k", 18)}) {
    EXPECT_GT(std::stoll(redis.Run({"PTTL", key})), 0) << key;
  }
}

}  // namespace
}  // namespace wsrouter
