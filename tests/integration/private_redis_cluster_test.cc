// That the Redis Cluster of the tests is one, and does what tests ask of it.
#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/private_redis_cluster.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Ne;
using ::testing::StartsWith;

constexpr const char* kKey = "{test}:key";

TEST(PrivateRedisClusterTest, FormsAndSpreadsItsSlots) {
  const PrivateRedisCluster cluster;
  EXPECT_EQ(cluster.endpoints().size(), PrivateRedisCluster::kServers);
  const size_t master = cluster.MasterOf(kKey);
  EXPECT_EQ(cluster.Run(master, {"SET", kKey, "x"}), "OK");
  EXPECT_THAT(
      cluster.Run(cluster.OtherThan(kKey), {"GET", kKey}),
      StartsWith(fmt::format("-MOVED {} 127.0.0.1:{}", cluster.Run(0, {"CLUSTER", "KEYSLOT", kKey}),
                             cluster.server(master).port())));
  EXPECT_THAT(cluster.Run(cluster.ReplicaOf(master), {"INFO", "replication"}),
              HasSubstr("master_link_status:up"));
}

TEST(PrivateRedisClusterTest, FailsOverAndBackWithWhatItHolds) {
  PrivateRedisCluster cluster("secret");
  const size_t master = cluster.MasterOf(kKey);
  EXPECT_EQ(cluster.Run(master, {"SET", kKey, "x"}), "OK");
  cluster.Failover(master);
  const size_t next = cluster.MasterOf(kKey);
  EXPECT_THAT(next, Ne(master));
  EXPECT_EQ(cluster.Run(next, {"GET", kKey}), "x");
  EXPECT_EQ(cluster.ReplicaOf(next), master);
  cluster.Failover(next);
  EXPECT_EQ(cluster.MasterOf(kKey), master);
}

TEST(PrivateRedisClusterTest, ElectsTheReplicaOfOneThatIsKilled) {
  PrivateRedisCluster cluster;
  const size_t master = cluster.MasterOf(kKey);
  cluster.Kill(master);
  cluster.AwaitTakeoverFrom(master);
  EXPECT_THAT(cluster.MasterOf(kKey), Ne(master));
  cluster.Start(master);
  cluster.AwaitWell();
  EXPECT_THAT(cluster.MasterOf(kKey), Ne(master));
  EXPECT_EQ(cluster.ReplicaOf(cluster.MasterOf(kKey)), master);
}

TEST(PrivateRedisClusterTest, MovesASlotByHalves) {
  PrivateRedisCluster cluster("secret");
  const size_t master = cluster.MasterOf(kKey);
  const size_t other = cluster.OtherThan(kKey);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(cluster.Run(master, {"SET", fmt::format("{}{}", kKey, i), "x"}), "OK");
  }
  const PrivateRedisCluster::SlotMove move = cluster.BeginMove(kKey, other);
  EXPECT_EQ(cluster.Run(master, {"GET", "{test}:key9"}), "x");
  EXPECT_THAT(cluster.Run(master, {"GET", "{test}:none"}), StartsWith("-ASK "));
  EXPECT_EQ(cluster.MoveKeys(move, 5), 5u);
  EXPECT_EQ(cluster.MasterOf(kKey), master);
  cluster.FinishMove(move);
  EXPECT_EQ(cluster.MasterOf(kKey), other);
  EXPECT_EQ(cluster.Run(other, {"DBSIZE"}), "10");
  EXPECT_THAT(cluster.Run(master, {"GET", kKey}), StartsWith("-MOVED "));
  cluster.MoveSlot(kKey, master);
  EXPECT_EQ(cluster.MasterOf(kKey), master);
  EXPECT_EQ(cluster.Run(master, {"DBSIZE"}), "10");
}

}  // namespace
}  // namespace wsrouter
