// Rate limits across nodes, and what an outage and a restart leave of them.
#include <atomic>
#include <initializer_list>
#include <thread>

#include "core/close_code.h"
#include "core/error.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kLong = absl::Hours(1);  // longer than any test

class ClusterRatesTest : public testing::Test {
 protected:
  std::unique_ptr<ClusterNode> Start(const std::string& server_id, Namespaces namespaces = {}) {
    return StartAt(redis_.url(), server_id, std::move(namespaces));
  }
  static std::unique_ptr<ClusterNode> StartAt(const std::string& url, const std::string& server_id,
                                              Namespaces namespaces = {}) {
    auto node =
        std::make_unique<ClusterNode>(ClusterNode::Options{.address = ParseRedisUrl(url).value(),
                                                           .server_id = server_id,
                                                           .namespaces = std::move(namespaces)});
    node->AwaitUp();
    return node;
  }
  static absl::Status Set(ClusterNode& node, const RateSubject& subject,
                          std::optional<RateLimit> limit) {
    Awaited<absl::Status> set;
    node.engine().rates().Set(subject, limit, set.Take());
    return set.Wait();
  }
  static Receipt Push(ClusterNode& node, const std::string& room, std::string from = "") {
    Awaited<Receipt> receipt;
    node.engine().broker().Publish(
        {.to = RoomName{room}, .action = TextOf("x"), .from = {std::move(from)}}, receipt.Take());
    return receipt.Wait();
  }
  static size_t Limits(ClusterNode& node) {
    return node.engine().rates().Get("", 10'000).rows.size();
  }
  // An empty Redis, which `nodes` find when their proxies let them.
  void LoseAll(std::initializer_list<FaultProxy*> proxies,
               std::initializer_list<ClusterNode*> nodes) {
    for (FaultProxy* proxy : proxies) proxy->Hole(FaultProxy::Direction::kToServer);
    redis_.Kill();
    for (ClusterNode* node : nodes) node->AwaitDown();
    redis_.Start();
  }

  PrivateRedis redis_;
};

TEST_F(ClusterRatesTest, TwoNodesAtOnceLetThroughNTogether) {
  const auto a = Start("a");
  const auto b = Start("b");
  ASSERT_TRUE(Set(*a, RoomName{"lobby"}, RateLimit{.n = 100, .window = kLong}).ok());
  ASSERT_TRUE(Eventually([&] { return Limits(*b) == 1; }));
  std::atomic<int> allowed = 0;
  const auto push = [&](ClusterNode& node) {
    for (int i = 0; i < 80; ++i) allowed += Push(node, "lobby").status.ok() ? 1 : 0;
  };
  std::thread other([&] { push(*b); });
  push(*a);
  other.join();
  EXPECT_EQ(allowed, 100);
  EXPECT_EQ(a->Total(Counter::kRateLimitDrops) + b->Total(Counter::kRateLimitDrops), 60u);
}

TEST_F(ClusterRatesTest, ANodeThatStartsLaterKnowsTheLimitsAndTheirBudgets) {
  auto a = Start("a");
  ASSERT_TRUE(Set(*a, RoomName{"lobby"}, RateLimit{.n = 2, .window = kLong}).ok());
  EXPECT_TRUE(Push(*a, "lobby").status.ok());
  a.reset();
  const auto b = Start("b");
  EXPECT_TRUE(Push(*b, "lobby").status.ok());
  EXPECT_EQ(ReasonOf(Push(*b, "lobby").status), "RATE_ROOM");
}

TEST_F(ClusterRatesTest, RedisThatComesBackEmptyIsToldTheLimitsAgain) {
  const auto a = Start("a");
  ASSERT_TRUE(Set(*a, RoomName{"lobby"}, RateLimit{.n = 1, .window = kLong}).ok());
  ASSERT_TRUE(Set(*a, ClientId{"bob"}, RateLimit{}).ok());
  redis_.Kill();
  a->AwaitDown();
  redis_.Start();
  a->AwaitUp();
  const auto b = Start("b");
  EXPECT_EQ(Limits(*a), 2u);
  EXPECT_EQ(Limits(*b), 2u);
  EXPECT_TRUE(Push(*b, "lobby").status.ok());
  EXPECT_EQ(ReasonOf(Push(*a, "lobby").status), "RATE_ROOM");
}

TEST_F(ClusterRatesTest, LimitsThatCannotBeSetAgainAreKeptUntilTheyCan) {
  constexpr int kMany = 1200;  // more than one step sets
  FaultProxy proxy(redis_.socket_path());
  const auto a = StartAt(proxy.url(), "a");
  for (int i = 0; i < kMany; ++i) {
    ASSERT_TRUE(
        Set(*a, RoomName{fmt::format("room-{}", i)}, RateLimit{.n = 1, .window = kLong}).ok());
  }
  LoseAll({&proxy}, {a.get()});
  const auto b = Start("b");  // knows none, nor that there are some
  ASSERT_EQ(redis_.Run({"ACL", "SETUSER", "default", "-hsetnx"}), "OK");
  proxy.Heal();
  EXPECT_TRUE(Eventually([&] {
    return redis_.Run({"ACL", "LOG"}).find("hsetnx") != std::string::npos;
  }));
  EXPECT_TRUE(Eventually([&] { return Limits(*a) == kMany; }));
  ASSERT_EQ(redis_.Run({"ACL", "SETUSER", "default", "+hsetnx"}), "OK");
  a->AwaitUp();
  EXPECT_EQ(Limits(*a), size_t{kMany});
  EXPECT_TRUE(Eventually([&] { return Limits(*b) == kMany; }));
}

TEST_F(ClusterRatesTest, WhatWasResetSinceTheLimitsWereSetAgainStaysSo) {
  FaultProxy proxy_a(redis_.socket_path());
  FaultProxy proxy_b(redis_.socket_path());
  const auto a = StartAt(proxy_a.url(), "a");
  const auto b = StartAt(proxy_b.url(), "b");
  for (const char* room : {"lobby", "hall"}) {
    ASSERT_TRUE(Set(*a, RoomName{room}, RateLimit{.n = 1, .window = kLong}).ok());
  }
  ASSERT_TRUE(Eventually([&] { return Limits(*b) == 2; }));
  LoseAll({&proxy_a, &proxy_b}, {a.get(), b.get()});
  const auto c = Start("c");
  ASSERT_TRUE(Set(*c, RoomName{"new"}, RateLimit{.n = 1, .window = kLong}).ok());
  proxy_a.Heal();
  a->AwaitUp();
  EXPECT_TRUE(Eventually([&] { return Limits(*c) == 3; }));
  EXPECT_EQ(Limits(*a), 3u);
  ASSERT_TRUE(Set(*c, RoomName{"lobby"}, std::nullopt).ok());
  proxy_b.Heal();
  b->AwaitUp();
  EXPECT_EQ(Limits(*b), 2u);
  EXPECT_EQ(Limits(*c), 2u);
}

TEST_F(ClusterRatesTest, WhileRedisIsAwayEachNodeCountsByItself) {
  const auto a = Start("a");
  a->Online("alice", {"lobby"});
  ASSERT_TRUE(Set(*a, RoomName{"lobby"}, RateLimit{.n = 2, .window = kLong}).ok());
  redis_.Kill();
  a->AwaitDown();
  for (int i = 0; i < 2; ++i) {
    const Receipt receipt = Push(*a, "lobby");
    EXPECT_TRUE(receipt.status.ok()) << receipt.status;
    EXPECT_TRUE(receipt.partial);
  }
  EXPECT_EQ(ReasonOf(Push(*a, "lobby").status), "RATE_ROOM");
  EXPECT_EQ(ReasonOf(Set(*a, RoomName{"lobby"}, RateLimit{})), "LIMITS_UNAVAILABLE");
  EXPECT_EQ(Limits(*a), 1u);
}

TEST_F(ClusterRatesTest, ASenderOverItsLimitIsDisconnectedWhereverItIs) {
  const Namespaces namespaces(
      {.client_rate = {.n = 1, .window = kLong}, .on_limit = OnRateLimit::kDisconnect});
  const auto a = Start("a", namespaces);
  const auto b = Start("b", namespaces);
  const ConnectionId bob = b->Online("bob", {"lobby"});
  EXPECT_TRUE(Push(*a, "lobby", "bob").status.ok());
  EXPECT_EQ(ReasonOf(Push(*a, "lobby", "bob").status), "RATE_CLIENT");
  ASSERT_TRUE(Eventually([&] { return b->shard().Closed(bob).has_value(); }));
  EXPECT_EQ(b->shard().Closed(bob)->code, static_cast<uint16_t>(CloseCode::kRateLimited));
  EXPECT_EQ(a->Total(Counter::kClientRateLimitDrops), 1u);
}

TEST_F(ClusterRatesTest, ARoomThatIsFullDisconnectsNobody) {
  const Namespaces namespaces({.room_rate = {.n = 1, .window = kLong},
                               .client_rate = {.n = 2, .window = kLong},
                               .on_limit = OnRateLimit::kDisconnect});
  const auto a = Start("a", namespaces);
  const ConnectionId bob = a->Online("bob", {"lobby"});
  const ConnectionId eve = a->Online("eve", {"lobby"});
  EXPECT_TRUE(Push(*a, "lobby", "eve").status.ok());
  EXPECT_EQ(ReasonOf(Push(*a, "lobby", "bob").status), "RATE_ROOM");
  EXPECT_TRUE(Push(*a, "other", "eve").status.ok());
  EXPECT_EQ(ReasonOf(Push(*a, "other", "eve").status), "RATE_CLIENT");
  ASSERT_TRUE(Eventually([&] { return a->shard().Closed(eve).has_value(); }));
  EXPECT_FALSE(a->shard().Closed(bob).has_value());
}

TEST_F(ClusterRatesTest, LogsExpireWithTheirWindows) {
  const auto a = Start("a");
  ASSERT_TRUE(Set(*a, RoomName{"lobby"}, RateLimit{.n = 5, .window = absl::Milliseconds(50)}).ok());
  EXPECT_TRUE(Push(*a, "lobby").status.ok());
  EXPECT_TRUE(Eventually([&] { return redis_.Run({"KEYS", "*rate:*"}).empty(); }));
}

}  // namespace
}  // namespace wsrouter
