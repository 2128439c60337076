// What becomes of a cluster when its Redis is away, forgets, or hangs: no client is lost, and what
// the nodes' shards have is what the directory says in the end.
#include <string>

#include "engine/redis_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ClusterOutageTest : public testing::Test {
 protected:
  void SetUp() override {
    a_ = Start("a");
    b_ = Start("b");
    a_->AwaitUp();
    b_->AwaitUp();
  }
  std::unique_ptr<ClusterNode> Start(const std::string& server_id) {
    return std::make_unique<ClusterNode>(ClusterNode::Options{
        .address = ParseRedisUrl(redis_.url()).value(), .server_id = server_id});
  }
  void AwaitDown() {
    a_->AwaitDown();
    b_->AwaitDown();
  }
  void AwaitUp() {
    a_->AwaitUp();
    b_->AwaitUp();
  }

  PrivateRedis redis_;
  std::unique_ptr<ClusterNode> a_;
  std::unique_ptr<ClusterNode> b_;
};

TEST_F(ClusterOutageTest, RedisThatComesBackEmptyIsWrittenAgain) {
  for (int i = 0; i < 10'000; ++i) {
    ClusterNode& node = i % 2 == 0 ? *a_ : *b_;
    node.Online("c" + std::to_string(i), {"lobby", "r" + std::to_string(i % 10)});
  }
  redis_.Kill();
  AwaitDown();
  redis_.Start();
  AwaitUp();
  EXPECT_THAT(a_->MembersOf("lobby"), SizeIs(10'000));
  EXPECT_THAT(b_->MembersOf("r3"), SizeIs(1000));
  EXPECT_EQ(a_->Online()->connections, 10'000u);
  EXPECT_EQ(b_->Push("lobby", "all").queued, 10'000u);
  EXPECT_EQ(CheckRedis(redis_, "test"), "");
}

TEST_F(ClusterOutageTest, FlushedRedisIsNoticedAndWrittenAgain) {
  a_->Online("alice", {"lobby"});
  b_->Online("bob", {"lobby"});
  redis_.Run({"FLUSHALL"});
  EXPECT_TRUE(Eventually([&] { return a_->MembersOf("lobby").size() == 2; }));
  EXPECT_TRUE(Eventually([&] { return a_->Online()->connections == 2; }));
  EXPECT_EQ(CheckRedis(redis_, "test"), "");
}

TEST_F(ClusterOutageTest, LocalMembersAreReachedMeanwhileAndAnswersSayPartial) {
  const ConnectionId alice = a_->Online("alice", {"lobby"});
  const ConnectionId bob = b_->Online("bob", {"lobby"});
  redis_.Kill();
  AwaitDown();
  const Receipt pushed = a_->Push("lobby", "still");
  EXPECT_TRUE(pushed.status.ok()) << pushed.status;
  EXPECT_TRUE(pushed.partial);
  EXPECT_EQ(pushed.queued, 1u);
  EXPECT_THAT(a_->shard().Got(alice), ElementsAre("still"));
  EXPECT_EQ(a_->Do(alice, TextOf("own")).queued, 1u);
  EXPECT_EQ(a_->Do(bob, TextOf("x")).status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(a_->Own(a_->shard().Open(), "carol").status.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(a_->shard().Closed(alice).has_value());
  redis_.Start();
  AwaitUp();
  EXPECT_EQ(b_->Push("lobby", "again").queued, 2u);
}

TEST_F(ClusterOutageTest, WhoWentMeanwhileLeavesNoGhost) {
  const ConnectionId alice = a_->Online("alice", {"lobby"});
  const ConnectionId bob = a_->Online("bob", {"lobby", "kitchen"});
  redis_.Pause();  // it keeps what it has
  AwaitDown();
  a_->shard().Hang(alice);
  a_->Do(bob, Leave{.rooms = {{"kitchen"}}});
  redis_.Continue();
  AwaitUp();
  EXPECT_THAT(b_->MembersOf("lobby"), ElementsAre("bob"));
  EXPECT_THAT(b_->MembersOf("kitchen"), IsEmpty());
  EXPECT_THAT(b_->ConnectionsOf("alice"), IsEmpty());
  EXPECT_EQ(CheckRedis(redis_, "test"), "");
}

TEST_F(ClusterOutageTest, NodeThatWasTakenForDeadWritesItsClientsAgain) {
  const ConnectionId alice = a_->Online("alice", {"lobby"});
  // Its lease has ended; whether the others or the node itself find out first.
  redis_.Run({"ZADD", "{test}:nodes", "1", RedisNodeText(a_->id())});
  Awaited<absl::StatusOr<uint64_t>> reaped;
  b_->engine().directory().ReapStaleServers(reaped.Take());
  EXPECT_TRUE(reaped.Wait().ok());
  EXPECT_TRUE(Eventually([&] { return b_->MembersOf("lobby").size() == 1; }));
  a_->AwaitUp();
  EXPECT_FALSE(a_->shard().Closed(alice).has_value());
  EXPECT_EQ(b_->Push("lobby", "back").queued, 1u);
  EXPECT_EQ(CheckRedis(redis_, "test"), "");
}

TEST_F(ClusterOutageTest, ClientThatMovedMeanwhileIsNotTakenBack) {
  const ConnectionId older = a_->Online("alice", {"lobby"});
  const ConnectionId newer = b_->shard().Open();
  redis_.Run({"FLUSHALL"});
  ASSERT_TRUE(Eventually(
      [&] { return b_->Own(newer, "alice", {"lobby"}, OnDuplicate::kReplace).status.ok(); }));
  EXPECT_TRUE(Eventually([&] { return a_->shard().Closed(older).has_value(); }));
  EXPECT_TRUE(Eventually([&] { return b_->MembersOf("lobby").size() == 1; }));
  EXPECT_THAT(b_->ConnectionsOf("alice"), ElementsAre(newer));
}

TEST_F(ClusterOutageTest, SubscriberThatRedisCutsOffIsSubscribedAgain) {
  const ConnectionId alice = a_->Online("alice", {"lobby"});
  redis_.Run({"CLIENT", "KILL", "TYPE", "pubsub"});
  EXPECT_TRUE(Eventually([&] {
    const Receipt pushed = b_->Push("lobby", "x");
    return pushed.queued == 1 && !pushed.partial;
  }));
  EXPECT_FALSE(a_->shard().Closed(alice).has_value());
}

TEST_F(ClusterOutageTest, AnOwnThatRedisAnswersTooLateTakesNobodysPlace) {
  ClusterNode slow({.address = ParseRedisUrl(redis_.url()).value(),
                    .server_id = "slow",
                    .patience = {.command = absl::Milliseconds(200), .silence = absl::Seconds(5)}});
  slow.AwaitUp();
  const ConnectionId there = slow.Online("alice", {"lobby"});
  const ConnectionId elsewhere = a_->Online("bob");
  redis_.Pause();
  const Receipt replaced = slow.Own(slow.shard().Open(), "alice", {}, OnDuplicate::kReplace);
  const Receipt other = slow.Own(slow.shard().Open(), "bob", {}, OnDuplicate::kReplace);
  redis_.Continue();
  EXPECT_TRUE(absl::IsUnavailable(replaced.status)) << replaced.status;
  EXPECT_TRUE(absl::IsUnavailable(other.status)) << other.status;
  EXPECT_TRUE(Eventually([&] {
    return slow.ConnectionsOf("alice") == std::vector{there} &&
           slow.ConnectionsOf("bob") == std::vector{elsewhere};
  }));
  EXPECT_EQ(CheckRedis(redis_, "test"), "");
}

TEST_F(ClusterOutageTest, ARewriteMayTakeLongerThanACommandAndThanTheLease) {
  ClusterNode large({.address = ParseRedisUrl(redis_.url()).value(),
                     .server_id = "large",
                     .patience = {.command = absl::Milliseconds(100), .silence = absl::Seconds(5)},
                     .heartbeat = absl::Milliseconds(50),
                     .lease = absl::Milliseconds(200)});
  large.AwaitUp();
  for (int i = 0; i < 6000; ++i) {
    large.Online("c" + std::to_string(i), {"lobby", "a", "b", "c", "d"});
  }
  redis_.Run({"FLUSHALL"});
  EXPECT_TRUE(Eventually([&] {
    const auto online = a_->Online();
    return online.ok() && online->connections == 6000 && large.engine().up();
  }));
  EXPECT_TRUE(Eventually([&] { return a_->MembersOf("d").size() == 6000; }));
  EXPECT_EQ(CheckRedis(redis_, "test"), "");
}

}  // namespace
}  // namespace wsrouter
