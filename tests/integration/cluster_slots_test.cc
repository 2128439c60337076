// Nodes around a Redis Cluster: one master serves all that is theirs, and another one after it.
#include <memory>
#include <string>

#include "engine/redis_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis_cluster.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::Duration kElection = absl::Seconds(40);

class ClusterSlotsTest : public testing::Test {
 protected:
  ClusterSlotsTest() {
    a_ = Start("a");
    b_ = Start("b");
  }

  std::unique_ptr<ClusterNode> Start(const std::string& server_id) {
    RedisAddress address;
    address.password = "of the cluster";
    address.cluster = redis_.endpoints();
    auto node = std::make_unique<ClusterNode>(
        ClusterNode::Options{.address = address, .server_id = server_id});
    node->AwaitUp();
    return node;
  }
  void Fill() {
    for (int i = 0; i < 100; ++i) {
      (i % 2 == 0 ? a_ : b_)->Online("c" + std::to_string(i), {"lobby"});
    }
  }
  void AwaitUp() {
    EXPECT_TRUE(Eventually([&] { return a_->engine().up() && b_->engine().up(); }, kElection));
  }
  void ExpectWhole() {
    EXPECT_THAT(b_->MembersOf("lobby"), SizeIs(100));
    EXPECT_EQ(a_->Online()->connections, 100u);
    EXPECT_EQ(a_->Push("lobby", "all").queued, 100u);
    EXPECT_EQ(b_->Push("lobby", "all").queued, 100u);
  }

  const std::string root_ = RedisRoot("test");
  PrivateRedisCluster redis_{"of the cluster"};
  std::unique_ptr<ClusterNode> a_;
  std::unique_ptr<ClusterNode> b_;
};

TEST_F(ClusterSlotsTest, OneMasterCarriesEverythingAndTheOthersHearNothing) {
  Fill();
  ExpectWhole();
  const size_t master = redis_.MasterOf(root_);
  EXPECT_THAT(redis_.Run(master, {"PUBSUB", "SHARDCHANNELS"}), HasSubstr("{test}:t:rlobby"));
  EXPECT_EQ(redis_.Run(master, {"PUBSUB", "CHANNELS"}), "");
  const size_t other = redis_.OtherThan(root_);
  EXPECT_EQ(redis_.Run(other, {"PUBSUB", "SHARDCHANNELS"}), "");
  EXPECT_EQ(redis_.Run(other, {"DBSIZE"}), "0");
}

TEST_F(ClusterSlotsTest, AReplicaThatTakesOverCostsNoClientAndNoMember) {
  Fill();
  const size_t master = redis_.MasterOf(root_);
  redis_.Failover(master);
  EXPECT_TRUE(Eventually([&] { return a_->Push("lobby", "x").queued == 100; }, kElection));
  AwaitUp();
  ExpectWhole();
}

TEST_F(ClusterSlotsTest, AMasterThatDiesIsReplacedAndWrittenAgain) {
  Fill();
  const size_t master = redis_.MasterOf(root_);
  redis_.Kill(master);
  a_->AwaitDown();
  b_->AwaitDown();
  EXPECT_EQ(a_->Push("lobby", "meanwhile").queued, 50u);
  redis_.AwaitTakeoverFrom(master);
  AwaitUp();
  ExpectWhole();
}

TEST_F(ClusterSlotsTest, WhileTheSlotMovesPushesGoOnAndBehindItAllIsThere) {
  Fill();
  const size_t to = redis_.OtherThan(root_);
  const PrivateRedisCluster::SlotMove move = redis_.BeginMove(root_, to);
  redis_.MoveKeys(move, 3);
  EXPECT_EQ(a_->Push("lobby", "on the way").queued, 100u);
  const Receipt refused = a_->Own(a_->shard().Open(), "late");
  EXPECT_TRUE(absl::IsUnavailable(refused.status)) << refused.status;
  redis_.FinishMove(move);
  EXPECT_TRUE(Eventually(
      [&] {
        return redis_.Run(to, {"PUBSUB", "SHARDCHANNELS"}).find("rlobby") != std::string::npos;
      },
      kElection));
  AwaitUp();
  ExpectWhole();
  EXPECT_THAT(redis_.Run(move.from, {"PUBSUB", "SHARDCHANNELS"}), Not(HasSubstr("rlobby")));
}

TEST_F(ClusterSlotsTest, ANodeFindsTheMasterByWhicheverServerAnswers) {
  const size_t dead = redis_.OtherThan(root_);
  redis_.Kill(dead);
  RedisAddress address;
  address.password = "of the cluster";
  address.cluster = {redis_.endpoints()[dead], redis_.endpoints()[redis_.ReplicaOf(dead)]};
  ClusterNode late({.address = address, .server_id = "late"});
  late.AwaitUp();
  late.Online("alice", {"lobby"});
  EXPECT_THAT(a_->MembersOf("lobby"), ElementsAre("alice"));
}

}  // namespace
}  // namespace wsrouter
