// A node writes again what its shards have, after Redis forgot it or may have.
#include <string>
#include <vector>

#include "core/error.h"
#include "gmock/gmock.h"
#include "tests/support/directory_node.h"
#include "tests/support/private_redis.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class RedisDirectoryRewriteTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(CheckRedis(redis_, "test"), ""); }

  PrivateRedis redis_;
};

TEST_F(RedisDirectoryRewriteTest, RebuildsAllThatWasFlushed) {
  DirectoryNode a(redis_, {.limits = {.owner_capacity = 300, .room_members_capacity = 300}});
  const auto name = [](uint64_t i) { return "c" + std::to_string(i); };
  for (uint64_t i = 0; i < 300; ++i) {
    ASSERT_TRUE(a.Bind(i, name(i)).ok());
    ASSERT_TRUE(a.Join("r" + std::to_string(i % 10), i, name(i)).ok());
  }
  EXPECT_EQ(redis_.Run({"FLUSHALL"}), "OK");
  EXPECT_FALSE(a.Heartbeat().value());
  EXPECT_EQ(ReasonOf(a.Bind(1, name(1)).status()), "DIRECTORY_UNAVAILABLE");
  EXPECT_EQ(redis_.Run({"DBSIZE"}), "0");
  EXPECT_TRUE(a.BeginRewrite().value());
  for (uint64_t i = 0; i < 300; ++i) {
    EXPECT_TRUE(
        a.Assert(i, name(i), OnDuplicate::kAllow, {{"r" + std::to_string(i % 10)}}).value());
  }
  EXPECT_EQ(a.FinishRewrite().value(), 0u);
  EXPECT_EQ(a.Count()->connections, 300u);
  EXPECT_EQ(a.Count()->clients, 300u);
  EXPECT_EQ(a.Size("r3")->members, 30u);
  EXPECT_TRUE(a.Heartbeat().value());
}

TEST_F(RedisDirectoryRewriteTest, DropsWhatIsNotWrittenAgain) {
  DirectoryNode a(redis_, {});
  DirectoryNode b(redis_, {.server_id = "b"});
  for (uint64_t i = 0; i < 400; ++i) {
    ASSERT_TRUE(a.Bind(i, "alice" + std::to_string(i)).ok());
    ASSERT_TRUE(a.Join("lobby", i, "alice" + std::to_string(i)).ok());
  }
  ASSERT_TRUE(b.Bind(1, "bob").ok());
  ASSERT_TRUE(b.Join("lobby", 1, "bob").ok());
  EXPECT_TRUE(a.BeginRewrite().value());
  EXPECT_EQ(a.Count()->connections, 401u);
  EXPECT_TRUE(a.Assert(5, "alice5", OnDuplicate::kAllow, {{"lobby"}}).value());
  EXPECT_TRUE(a.Bind(6, "alice6").ok());
  EXPECT_TRUE(a.Join("lobby", 6, "alice6")->already_member);
  // A rewrite that is begun again keeps the marks of the first, and marks what that wrote.
  EXPECT_TRUE(a.BeginRewrite().value());
  EXPECT_TRUE(a.Assert(5, "alice5", OnDuplicate::kAllow, {{"lobby"}}).value());
  EXPECT_TRUE(a.Bind(6, "alice6").ok());
  a.Unbind(7, "alice7", {{"lobby"}});
  EXPECT_EQ(a.FinishRewrite().value(), 398u + 397u);
  EXPECT_EQ(a.Count()->connections, 3u);
  EXPECT_EQ(a.Size("lobby")->members, 2u);
  EXPECT_EQ(a.FinishRewrite().value(), 0u);
}

TEST_F(RedisDirectoryRewriteTest, AssertYieldsToWhoReplacedMeanwhile) {
  DirectoryNode a(redis_, {});
  DirectoryNode b(redis_, {.server_id = "b"});
  ASSERT_TRUE(a.Bind(1, "alice").ok());
  ASSERT_TRUE(a.Join("lobby", 1, "alice").ok());
  EXPECT_TRUE(a.BeginRewrite().value());
  ASSERT_THAT(b.Bind(1, "alice", OnDuplicate::kReplace).value(), ElementsAre(a.Connection(1)));
  EXPECT_FALSE(a.Assert(1, "alice", OnDuplicate::kAllow, {{"lobby"}}).value());
  EXPECT_EQ(a.Size("lobby")->connections, 0u);
  EXPECT_EQ(a.FinishRewrite().value(), 0u);
  EXPECT_THAT(b.Client("alice").value(), ElementsAre(b.Connection(1)));
}

TEST_F(RedisDirectoryRewriteTest, AssertYieldsWhereItsOwnPolicyBearsNoOther) {
  DirectoryNode a(redis_, {});
  DirectoryNode b(redis_, {.server_id = "b"});
  for (const OnDuplicate policy : {OnDuplicate::kReject, OnDuplicate::kReplace}) {
    EXPECT_EQ(redis_.Run({"FLUSHALL"}), "OK");
    EXPECT_TRUE(a.BeginRewrite().ok());
    EXPECT_TRUE(b.BeginRewrite().ok());
    ASSERT_TRUE(b.Bind(1, "alice").ok());
    EXPECT_FALSE(a.Assert(1, "alice", policy, {{"lobby"}}).value());
    EXPECT_TRUE(a.Assert(1, "alice", OnDuplicate::kAllow).value());
    // What was never lost stays, whatever came beside it.
    EXPECT_TRUE(a.Assert(1, "alice", policy, {{"lobby"}}).value());
    EXPECT_THAT(b.Client("alice").value(), UnorderedElementsAre(a.Connection(1), b.Connection(1)));
  }
}

TEST_F(RedisDirectoryRewriteTest, AssertAsksNoCapacity) {
  DirectoryNode a(
      redis_,
      {.limits = {.owner_capacity = 1, .room_members_capacity = 1, .connections_per_client = 1}});
  for (uint64_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(a.Assert(i, "alice", OnDuplicate::kAllow, {{"lobby"}, {"hall"}}).value());
  }
  EXPECT_EQ(a.Count()->connections, 5u);
  EXPECT_EQ(a.Size("hall")->connections, 5u);
  EXPECT_EQ(ReasonOf(a.Join("hall", 9, "alice").status()), "CAPACITY_ROOM_MEMBERS");
}

TEST_F(RedisDirectoryRewriteTest, ResignGivesEverythingBack) {
  {
    DirectoryNode a(redis_, {});
    DirectoryNode b(redis_, {.server_id = "b"});
    for (uint64_t i = 0; i < 600; ++i) {
      ASSERT_TRUE(a.Bind(i, "c" + std::to_string(i)).ok());
      ASSERT_TRUE(a.Join("lobby", i, "c" + std::to_string(i)).ok());
      if (i == 300) {
        EXPECT_TRUE(a.BeginRewrite().ok());
      }
    }
    ASSERT_TRUE(b.Bind(1, "bob").ok());
    EXPECT_EQ(a.Resign().value(), 1200u);
    EXPECT_THAT(a.Client("c5").value(), IsEmpty());
    EXPECT_EQ(b.Count()->connections, 1u);
    EXPECT_EQ(b.Nodes()->size(), 1u);
    EXPECT_EQ(ReasonOf(a.Bind(1, "alice").status()), "DIRECTORY_UNAVAILABLE");
    EXPECT_EQ(b.Resign().value(), 1u);
  }
  EXPECT_EQ(redis_.Run({"DBSIZE"}), "0");
}

}  // namespace
}  // namespace wsrouter
