// Who shares a Redis with a cluster, or listens on it, cannot speak for its nodes.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/linked.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const SealKey kOld = {.id = "old", .secret = std::string(32, 'o')};
const SealKey kNew = {.id = "new", .secret = std::string(32, 'n')};

class ClusterTrustTest : public testing::Test {
 protected:
  std::unique_ptr<ClusterNode> Start(const std::string& server_id, std::vector<SealKey> keys) {
    auto node = std::make_unique<ClusterNode>(
        ClusterNode::Options{.address = ParseRedisUrl(redis_.url()).value(),
                             .server_id = server_id,
                             .keys = std::move(keys)});
    node->AwaitUp();
    return node;
  }
  // What the next push to the room looks like on its channel.
  std::string Captured(ClusterNode& node, const std::string& room, const std::string& text) {
    Linked spy(redis_.url());
    spy.StartUp();
    EXPECT_TRUE(spy.Subscribe("{test}:t:r" + room).ok());
    node.Push(room, text, Receipts::kLocal);
    const std::vector<std::string> seen = spy.watcher.WaitMessages(1);
    EXPECT_FALSE(seen.empty());
    return seen.empty() ? "" : seen[0].substr(("{test}:t:r" + room + " ").size());
  }

  PrivateRedis redis_;
};

TEST_F(ClusterTrustTest, ReplayedMessageIsDroppedAndCounted) {
  const auto a = Start("a", {kOld});
  const auto b = Start("b", {kOld});
  const ConnectionId alice = b->Online("alice", {"lobby", "other"});
  const std::string message = Captured(*a, "lobby", "once");
  ASSERT_TRUE(Eventually([&] { return b->shard().Got(alice).size() == 1; }));
  redis_.Run({"PUBLISH", "{test}:t:rlobby", message});
  redis_.Run({"PUBLISH", "{test}:t:rother", message});
  EXPECT_TRUE(Eventually([&] { return b->Total(Counter::kHmacVerifyFailures) == 2; }));
  EXPECT_EQ(a->Push("lobby", "end").queued, 1u);
  EXPECT_THAT(b->shard().Got(alice), ElementsAre("once", "end"));
}

TEST_F(ClusterTrustTest, UnprovedAndForeignMessagesAreDroppedAndCounted) {
  const auto a = Start("a", {kOld});
  const auto stranger = Start("stranger", {kNew});
  const auto naive = Start("naive", {});
  const ConnectionId alice = a->Online("alice", {"lobby"});
  stranger->Push("lobby", "believe me", Receipts::kLocal);
  naive->Push("lobby", "me too", Receipts::kLocal);
  redis_.Run({"PUBLISH", "{test}:t:rlobby", "garbage"});
  EXPECT_TRUE(Eventually([&] { return a->Total(Counter::kHmacVerifyFailures) == 3; }));
  EXPECT_THAT(a->shard().Got(alice), IsEmpty());
}

TEST_F(ClusterTrustTest, KeysRotateWithoutLoss) {
  const auto receiver = Start("receiver", {kOld, kNew});
  const ConnectionId alice = receiver->Online("alice", {"lobby"});
  const auto before = Start("before", {kOld});
  const auto between = Start("between", {kOld, kNew});
  const auto after = Start("after", {kNew, kOld});
  EXPECT_EQ(between->Push("lobby", "1").queued, 1u);
  EXPECT_EQ(before->Push("lobby", "2").queued, 1u);
  EXPECT_EQ(after->Push("lobby", "3").queued, 1u);
  EXPECT_THAT(receiver->shard().Got(alice), ElementsAre("1", "2", "3"));
  EXPECT_EQ(receiver->Total(Counter::kHmacVerifyFailures), 0u);
}

}  // namespace
}  // namespace wsrouter
