// A cluster under load while something fails: what others do is not harmed, nothing reaches the
// wrong client, answers do not lie, and in the end all of it is whole.
#include <random>
#include <string>

#include "engine/redis_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster_clients.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/private_redis.h"
#include "tests/support/private_redis_cluster.h"
#include "tests/support/push_load.h"
#include "tests/support/sentinel_redis.h"

// There under ThreadSanitizer, whose macro the build takes away (WsrouterCompile.cmake).
extern "C" [[gnu::weak]] void __tsan_init();

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using Client = ClusterClients::Client;

const int kSlowness = __tsan_init != nullptr ? 6 : 1;

class ClusterLoadTest : public testing::Test {
 protected:
  std::unique_ptr<ClusterNode> Start(const std::string& server_id, const std::string& url) {
    return Start({.address = ParseRedisUrl(url).value(), .server_id = server_id});
  }
  static std::unique_ptr<ClusterNode> Start(const ClusterNode::Options& options) {
    auto node = std::make_unique<ClusterNode>(options);
    node->AwaitUp();
    return node;
  }

  // Some clients of two nodes, of which each room has members on both.
  void Settle(ClusterNode& a, ClusterNode& b) {
    for (int i = 0; i < 4; ++i) {
      clients_.Online(a, "a" + std::to_string(i), {"one", "two"});
      clients_.Online(b, "b" + std::to_string(i), {i % 2 == 0 ? "one" : "two"});
    }
  }
  static void AwaitDown(ClusterNode& a, ClusterNode& b) {
    a.AwaitDown();
    b.AwaitDown();
  }
  // Until both are whole again behind a fault, under load. Then the load ends and all is checked.
  void Finish(ClusterNode& a, ClusterNode& b, const std::vector<PushLoad*>& loads,
              const PrivateRedis& redis, absl::Duration patience = absl::Seconds(10)) {
    ASSERT_TRUE(Eventually([&] { return a.engine().up() && b.engine().up(); }, patience));
    for (PushLoad* load : loads) load->AwaitMore(200);
    for (PushLoad* load : loads) load->Stop();
    for (ClusterNode* node : {&a, &b}) {
      clients_.AwaitReached(*node, "one");
      clients_.AwaitReached(*node, "two");
    }
    clients_.AwaitWhole(a, redis);
    clients_.CheckLoads({loads.begin(), loads.end()});
    for (const Client& client : clients_.all()) {
      EXPECT_FALSE(client.node->shard().Closed(client.connection).has_value()) << client.name;
    }
  }

  ClusterClients clients_;
};

TEST_F(ClusterLoadTest, CrashedNodeHarmsNoDeliveryOfOthersAndItsClientOwnsElsewhereAtOnce) {
  const PrivateRedis redis;
  const auto a = Start("a", redis.url());
  const auto b = Start("b", redis.url());
  const auto c = Start("c", redis.url());
  for (int i = 0; i < 4; ++i) clients_.Online(*b, "b" + std::to_string(i), {"near"});
  std::vector<Client> gone;
  for (int i = 0; i < 50; ++i) {
    gone.push_back(clients_.Online(*c, "c" + std::to_string(i), {"near", "far"}));
  }
  PushLoad first(*a, "first", {"near", "far"});
  PushLoad second(*a, "second", {"far", "near"});
  first.AwaitMore(500);
  c->Crash();
  const ConnectionId again = b->shard().Open();
  EXPECT_TRUE(b->Own(again, "c0", {"near"}, OnDuplicate::kReplace).status.ok());
  const size_t since_first = first.answered() + 1;
  const size_t since_second = second.answered() + 1;
  EXPECT_THAT(a->ConnectionsOf("c0"), ElementsAre(again));
  clients_.Forget(*c);
  clients_.Add({.node = b.get(), .connection = again, .name = "c0", .rooms = {"near"}});
  // Within the lease, which is one second here, and five.
  EXPECT_TRUE(Eventually([&] { return a->Nodes()->size() == 2 && a->MembersOf("far").empty(); },
                         absl::Seconds(6) * kSlowness));
  first.AwaitMore(500);
  first.Stop();
  second.Stop();
  clients_.CheckLoads({&first, &second}, gone);
  for (const Client& client : clients_.all()) {
    const bool late = client.name == "c0";
    EXPECT_EQ(first.MissingIn(client.Got(), "near", late ? since_first : 0), "") << client.name;
    EXPECT_EQ(second.MissingIn(client.Got(), "near", late ? since_second : 0), "") << client.name;
  }
  clients_.AwaitReached(*a, "near");
  clients_.AwaitWhole(*b, redis);
}

TEST_F(ClusterLoadTest, SentinelsFailoverGivesNothingTwiceOrOutOfOrder) {
  SentinelRedis redis;
  const auto a = Start({.address = redis.address(), .server_id = "a"});
  const auto b = Start({.address = redis.address(), .server_id = "b"});
  Settle(*a, *b);
  PushLoad at_a(*a, "A", {"one", "two"});
  PushLoad at_b(*b, "B", {"two", "one"});
  at_a.AwaitMore(500);
  redis.master().Kill();
  AwaitDown(*a, *b);
  Finish(*a, *b, {&at_a, &at_b}, redis.replica(), SentinelRedis::kFailover);
}

// What is done to a Redis Cluster under load, which ends when all of it is whole again.
class ClusterSlotLoadTest : public ClusterLoadTest {
 protected:
  template <typename Fault>
  void Run(Fault fault) {
    RedisAddress address;
    address.cluster = redis_.endpoints();
    const auto a = Start({.address = address, .server_id = "a"});
    const auto b = Start({.address = address, .server_id = "b"});
    Settle(*a, *b);
    PushLoad at_a(*a, "A", {"one", "two"});
    PushLoad at_b(*b, "B", {"two", "one"});
    at_a.AwaitMore(500);
    fault(*a, *b);
    at_a.AwaitMore(500);
    Finish(*a, *b, {&at_a, &at_b}, redis_.server(redis_.MasterOf(root_)), SentinelRedis::kFailover);
  }

  const std::string root_ = RedisRoot("test");
  PrivateRedisCluster redis_;
};

TEST_F(ClusterSlotLoadTest, TakeoverGivesNothingTwiceOrOutOfOrder) {
  Run([&](ClusterNode&, ClusterNode&) { redis_.Failover(redis_.MasterOf(root_)); });
}

TEST_F(ClusterSlotLoadTest, MovedSlotGivesNothingTwiceOrOutOfOrder) {
  Run([&](ClusterNode&, ClusterNode&) { redis_.MoveSlot(root_, redis_.OtherThan(root_)); });
}

TEST_F(ClusterSlotLoadTest, SlotThatMovesBehindATakeoverGivesNothingTwiceOrOutOfOrder) {
  Run([&](ClusterNode&, ClusterNode&) {
    redis_.Failover(redis_.MasterOf(root_));
    redis_.MoveSlot(root_, redis_.OtherThan(root_));
  });
}

TEST_F(ClusterSlotLoadTest, ElectionGivesNothingTwiceOrOutOfOrder) {
  Run([&](ClusterNode& a, ClusterNode& b) {
    const size_t master = redis_.MasterOf(root_);
    redis_.Kill(master);
    AwaitDown(a, b);
    redis_.AwaitTakeoverFrom(master);
  });
}

TEST_F(ClusterLoadTest, RedisStartedEmptyHasTwentyThousandMembershipsAgainInTime) {
  PrivateRedis redis;
  const auto a = Start("a", redis.url());
  const auto b = Start("b", redis.url());
  Settle(*a, *b);
  for (int i = 0; i < 10'000; ++i) {
    clients_.Online(i % 2 == 0 ? *a : *b, "c" + std::to_string(i),
                    {"lobby", "r" + std::to_string(i % 10)});
  }
  PushLoad at_a(*a, "A", {"one", "two"});
  PushLoad at_b(*b, "B", {"two", "one"});
  at_a.AwaitMore(500);
  redis.Kill();
  AwaitDown(*a, *b);
  at_a.AwaitMore(100);
  redis.Start();
  const auto whole = [&] {
    return a->engine().up() && b->engine().up() && a->Online()->connections == 10'008 &&
           b->Push("lobby", "all").queued == 10'000;
  };
  EXPECT_TRUE(Eventually(whole, absl::Seconds(5) * kSlowness));
  Finish(*a, *b, {&at_a, &at_b}, redis);
}

TEST_F(ClusterLoadTest, HungRedisIsNoticedInTimeWithThePatienceOfProduction) {
  PrivateRedis redis;
  const RedisAddress address = ParseRedisUrl(redis.url()).value();
  const auto a = Start({.address = address, .server_id = "a", .patience = {}});
  const auto b = Start({.address = address, .server_id = "b", .patience = {}});
  Settle(*a, *b);
  PushLoad at_a(*a, "A", {"one", "two"});
  PushLoad at_b(*b, "B", {"two", "one"});
  at_a.AwaitMore(500);
  redis.Pause();
  EXPECT_TRUE(Eventually([&] { return !a->engine().up() && !b->engine().up(); },
                         absl::Seconds(5) * kSlowness));
  at_a.AwaitMore(100);
  redis.Continue();
  Finish(*a, *b, {&at_a, &at_b}, redis);
}

TEST_F(ClusterLoadTest, StreamsCutAnywhereGiveNothingTornTwiceOrToOthers) {
  PrivateRedis redis;
  FaultProxy left(redis.socket_path());
  FaultProxy right(redis.socket_path());
  const auto a = Start("a", left.url());
  const auto b = Start("b", right.url());
  Settle(*a, *b);
  PushLoad at_a(*a, "A", {"one", "two"}, Receipts::kLocal);
  PushLoad at_b(*b, "B", {"two", "one"}, Receipts::kLocal);
  PushLoad routed(*a, "C", {"two", "one"});
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    FaultProxy& proxy = round % 2 == 0 ? left : right;
    at_a.AwaitMore(50);
    at_b.AwaitMore(50);
    // Replies and messages come this way, commands and publishes go the other.
    const auto direction =
        round % 4 < 2 ? FaultProxy::Direction::kToClient : FaultProxy::Direction::kToServer;
    proxy.CutAfter(direction, 1 + random() % 20'000);
    EXPECT_TRUE(Eventually([&] { return !proxy.Cuts(direction); })) << "round " << round;
    (round % 2 == 0 ? *a : *b).AwaitUp();
  }
  Finish(*a, *b, {&at_a, &at_b, &routed}, redis);
}

}  // namespace
}  // namespace wsrouter
