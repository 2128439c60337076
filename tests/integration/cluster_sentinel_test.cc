// A cluster whose Redis fails over: Sentinel says where the master is.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/redis_checker.h"
#include "tests/support/sentinel_redis.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ClusterSentinelTest : public testing::Test {
 protected:
  std::unique_ptr<ClusterNode> Start(const std::string& server_id) {
    auto node = std::make_unique<ClusterNode>(
        ClusterNode::Options{.address = redis_.address(), .server_id = server_id});
    node->AwaitUp();
    return node;
  }

  SentinelRedis redis_;
};

TEST_F(ClusterSentinelTest, FailoverCostsNoClientAndNoMember) {
  const auto a = Start("a");
  const auto b = Start("b");
  for (int i = 0; i < 100; ++i) (i % 2 == 0 ? a : b)->Online("c" + std::to_string(i), {"lobby"});
  redis_.master().Kill();
  a->AwaitDown();
  EXPECT_TRUE(
      Eventually([&] { return a->engine().up() && b->engine().up(); }, SentinelRedis::kFailover));
  EXPECT_THAT(redis_.replica().Run({"ROLE"}), HasSubstr("master"));
  EXPECT_THAT(b->MembersOf("lobby"), SizeIs(100));
  EXPECT_EQ(a->Push("lobby", "all").queued, 100u);
  EXPECT_EQ(CheckRedis(redis_.replica(), "test"), "");
}

TEST_F(ClusterSentinelTest, SentinelThatIsGoneIsNotWaitedFor) {
  redis_.sentinel(0).Kill();
  const auto a = Start("a");
  a->Online("alice", {"lobby"});
  EXPECT_THAT(a->MembersOf("lobby"), SizeIs(1));
}

}  // namespace
}  // namespace wsrouter
