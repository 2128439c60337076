// A cluster whose Redis fails over: Sentinel says where the master is.
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::Duration kFailover = absl::Seconds(40);

class ClusterSentinelTest : public testing::Test {
 protected:
  ClusterSentinelTest() {
    const std::string watched = fmt::format(
        "sentinel monitor main 127.0.0.1 {} 2\nsentinel down-after-milliseconds main 500\n"
        "sentinel failover-timeout main 3000\n",
        master_.port());
    for (int i = 0; i < 3; ++i) {
      sentinels_.push_back(std::make_unique<PrivateRedis>(PrivateRedis::Sentinel{watched}));
    }
    for (const auto& sentinel : sentinels_) {
      EXPECT_TRUE(Eventually(
          [&] {
            const std::string master = sentinel->Run({"SENTINEL", "MASTER", "main"});
            return master.find("num-slaves\n1\n") != std::string::npos &&
                   master.find("num-other-sentinels\n2\n") != std::string::npos;
          },
          kFailover));
    }
    EXPECT_TRUE(Eventually(
        [&] {
          return replica_.Run({"INFO", "replication"}).find("link_status:up") != std::string::npos;
        },
        kFailover));
  }

  std::unique_ptr<ClusterNode> Start(const std::string& server_id) {
    RedisAddress address;
    for (const auto& sentinel : sentinels_)
      address.sentinels.push_back({"127.0.0.1", sentinel->port()});
    address.master = "main";
    auto node = std::make_unique<ClusterNode>(
        ClusterNode::Options{.address = address, .server_id = server_id});
    node->AwaitUp();
    return node;
  }

  PrivateRedis master_;
  PrivateRedis replica_{
      std::vector<std::string>{"--replicaof", "127.0.0.1", std::to_string(master_.port())}};
  std::vector<std::unique_ptr<PrivateRedis>> sentinels_;
};

TEST_F(ClusterSentinelTest, FailoverCostsNoClientAndNoMember) {
  const auto a = Start("a");
  const auto b = Start("b");
  for (int i = 0; i < 100; ++i) (i % 2 == 0 ? a : b)->Online("c" + std::to_string(i), {"lobby"});
  master_.Kill();
  a->AwaitDown();
  EXPECT_TRUE(Eventually([&] { return a->engine().up() && b->engine().up(); }, kFailover));
  EXPECT_THAT(replica_.Run({"ROLE"}), HasSubstr("master"));
  EXPECT_THAT(b->MembersOf("lobby"), SizeIs(100));
  EXPECT_EQ(a->Push("lobby", "all").queued, 100u);
  EXPECT_EQ(CheckRedis(replica_, "test"), "");
}

TEST_F(ClusterSentinelTest, SentinelThatIsGoneIsNotWaitedFor) {
  sentinels_[0]->Kill();
  const auto a = Start("a");
  a->Online("alice", {"lobby"});
  EXPECT_THAT(a->MembersOf("lobby"), SizeIs(1));
}

}  // namespace
}  // namespace wsrouter
