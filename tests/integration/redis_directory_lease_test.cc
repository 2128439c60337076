// What becomes of a node's rows when its lease ends, and who takes them away.
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "gmock/gmock.h"
#include "tests/support/directory_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RedisDirectoryLeaseTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(CheckRedis(redis_, "test"), ""); }

  // As if that node, of incarnation 1, had been silent for longer than its lease.
  void EndLease(const std::string& server_id) {
    EXPECT_EQ(redis_.Run({"ZADD", "{test}:nodes", "XX", "1", server_id + ".0000000000000001"}),
              "0");
  }
  static std::string TextOf(const ReapedRow& row) {
    return row.connection.ToString() + "|" + row.client.value + "|" +
           (row.room.has_value() ? row.room->value : "-");
  }

  PrivateRedis redis_;
};

TEST_F(RedisDirectoryLeaseTest, AHeartbeatProlongsAndComesTooLateWhenTheLeaseHasEnded) {
  DirectoryNode a(redis_, {.lease = absl::Milliseconds(200)});
  DirectoryNode b(redis_, {.server_id = "b"});
  const absl::Time first = b.Nodes().value()[0].heartbeat_at;
  ASSERT_TRUE(Eventually([&] { return b.Nodes()->size() == 1; }));
  EXPECT_EQ(b.Nodes().value()[0].node.server_id, "b");
  EXPECT_FALSE(a.Heartbeat().value());
  EXPECT_TRUE(b.Heartbeat().value());
  EXPECT_GT(b.Nodes().value()[0].heartbeat_at, first);
  EXPECT_TRUE(a.BeginRewrite().value());
  EXPECT_TRUE(a.Heartbeat().value());
}

TEST_F(RedisDirectoryLeaseTest, CollectTakesExactlyTheDeadNodesRows) {
  DirectoryNode dead(redis_, {.server_id = "dead"});
  DirectoryNode b(redis_, {.server_id = "b"});
  std::set<std::string> expected;
  for (uint64_t i = 0; i < 700; ++i) {
    const std::string client = "c" + std::to_string(i % 350);
    const std::string room = "r" + std::to_string(i % 7);
    ASSERT_TRUE(dead.Bind(i, client).ok());
    ASSERT_TRUE(dead.Join(room, i, client).ok());
    expected.insert(TextOf({.connection = dead.Connection(i), .client = {client}, .room = {}}));
    expected.insert(
        TextOf({.connection = dead.Connection(i), .client = {client}, .room = RoomName{room}}));
    if (i % 10 != 0) continue;
    ASSERT_TRUE(b.Bind(i, client).ok());
    ASSERT_TRUE(b.Join(room, i, client).ok());
  }
  EXPECT_EQ(b.Collect().value(), 0u);
  EndLease("dead");
  EXPECT_EQ(b.Collect().value(), 1400u);
  std::set<std::string> reaped;
  for (const ReapedRow& row : b.reaped()) reaped.insert(TextOf(row));
  EXPECT_EQ(b.reaped().size(), 1400u);
  EXPECT_EQ(reaped, expected);
  EXPECT_EQ(b.Count()->connections, 70u);
  EXPECT_EQ(redis_.Run({"ZCARD", "{test}:nodes"}), "1");
  EXPECT_FALSE(dead.Heartbeat().value());
  EXPECT_EQ(ReasonOf(dead.Bind(1, "late").status()), "DIRECTORY_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(dead.Join("r0", 1, "late").status()), "DIRECTORY_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(dead.Assert(1, "late").status()), "DIRECTORY_UNAVAILABLE");
}

TEST_F(RedisDirectoryLeaseTest, LeftoversOfANodeThatDiedWhileRewritingAreTakenToo) {
  DirectoryNode dead(redis_, {.server_id = "dead"});
  DirectoryNode b(redis_, {.server_id = "b"});
  ASSERT_TRUE(dead.Bind(1, "alice").ok());
  ASSERT_TRUE(dead.Bind(2, "bob").ok());
  EXPECT_TRUE(dead.BeginRewrite().ok());
  EXPECT_TRUE(dead.Assert(1, "alice").value());
  EndLease("dead");
  EXPECT_EQ(b.ReapStaleServers().value(), 2u);
  EXPECT_EQ(b.Nodes()->size(), 1u);
}

TEST_F(RedisDirectoryLeaseTest, ARowThatSomebodyOverwroteDoesNotKeepTheOthers) {
  DirectoryNode dead(redis_, {.server_id = "dead"});
  DirectoryNode b(redis_, {.server_id = "b"});
  ASSERT_TRUE(dead.Bind(1, "alice").ok());
  ASSERT_TRUE(dead.Join("lobby", 1, "alice").ok());
  for (const std::string name : {"client:alice", "room:lobby"}) {
    redis_.Run({"DEL", "{test}:" + name});
    EXPECT_EQ(redis_.Run({"SET", "{test}:" + name, "x"}), "OK");
  }
  ASSERT_TRUE(dead.Bind(2, "bob").ok());
  EXPECT_EQ(redis_.Run({"SADD", "{test}:index:dead.0000000000000001", "what is this"}), "1");
  EndLease("dead");
  EXPECT_EQ(b.ReapStaleServers().value(), 1u);
  EXPECT_EQ(b.Nodes()->size(), 1u);
  EXPECT_EQ(redis_.Run({"FLUSHALL"}), "OK");
}

TEST_F(RedisDirectoryLeaseTest, TwoWhoReapAtOnceReportEachRowOnce) {
  DirectoryNode dead(redis_, {.server_id = "dead"});
  DirectoryNode a(redis_, {.server_id = "a"});
  DirectoryNode b(redis_, {.server_id = "b"});
  for (uint64_t i = 0; i < 1000; ++i) {
    dead.directory().Bind(dead.Connection(i), {"c" + std::to_string(i)}, OnDuplicate::kAllow, {},
                          [](const auto&) {});
    dead.directory().Join({"lobby"}, dead.Connection(i), {"c" + std::to_string(i)},
                          [](const auto&) {});
  }
  ASSERT_EQ(dead.Size("lobby")->connections, 1000u);
  EndLease("dead");
  Awaited<absl::StatusOr<uint64_t>> of_a;
  Awaited<absl::StatusOr<uint64_t>> of_b;
  a.directory().ReapStaleServers(of_a.Take());
  b.directory().ReapStaleServers(of_b.Take());
  EXPECT_EQ(of_a.Wait().value() + of_b.Wait().value(), 2000u);
  std::multiset<std::string> reaped;
  for (const ReapedRow& row : a.reaped()) reaped.insert(TextOf(row));
  for (const ReapedRow& row : b.reaped()) reaped.insert(TextOf(row));
  EXPECT_EQ(reaped.size(), 2000u);
  EXPECT_EQ(std::set<std::string>(reaped.begin(), reaped.end()).size(), 2000u);
}

TEST_F(RedisDirectoryLeaseTest, WhoHoldsTheGcLeaseCollectsAlone) {
  DirectoryNode dead(redis_, {.server_id = "dead"});
  DirectoryNode a(redis_, {.server_id = "a"});
  DirectoryNode b(redis_, {.server_id = "b"});
  ASSERT_TRUE(dead.Bind(1, "alice").ok());
  EXPECT_EQ(a.Collect().value(), 0u);
  EndLease("dead");
  EXPECT_EQ(b.Collect().value(), 0u);
  EXPECT_THAT(b.reaped(), IsEmpty());
  EXPECT_EQ(a.Resign().value(), 0u);  // and the GC lease with it
  EXPECT_EQ(b.Collect().value(), 1u);
}

TEST_F(RedisDirectoryLeaseTest, ACollectorNeverTakesWhatIsOwnedElsewhereMeanwhile) {
  DirectoryNode dead(redis_, {.server_id = "dead"});
  DirectoryNode b(redis_, {.server_id = "b"});
  DirectoryNode c(redis_, {.server_id = "c"});
  size_t displaced = 0;
  for (uint64_t i = 1; i <= 200; ++i) {
    ASSERT_TRUE(dead.BeginRewrite().ok());
    ASSERT_TRUE(dead.Bind(i, "alice").ok());
    ASSERT_TRUE(dead.Join("lobby", i, "alice").ok());
    EndLease("dead");
    c.Unbind(i - 1, "alice", {{"lobby"}});
    Awaited<absl::StatusOr<uint64_t>> collected;
    Awaited<absl::StatusOr<std::vector<ConnectionId>>> bound;
    b.directory().Collect(collected.Take());
    c.directory().Bind(c.Connection(i), {"alice"}, OnDuplicate::kReplace, {}, bound.Take());
    ASSERT_TRUE(c.Join("lobby", i, "alice").ok());
    const auto answer = bound.Wait();
    ASSERT_TRUE(answer.ok());
    // The dead connection was displaced or reaped, never both and never neither.
    ASSERT_EQ(collected.Wait().value() + answer->size(), 2u);
    displaced += answer->size();
    ASSERT_THAT(b.Client("alice").value(), ElementsAre(c.Connection(i)));
    ASSERT_EQ(b.Size("lobby")->connections, 1u);
  }
  EXPECT_EQ(b.reaped().size(), 400u - displaced);
  for (const ReapedRow& row : b.reaped()) EXPECT_EQ(row.connection.node.server_id, "dead");
}

}  // namespace
}  // namespace wsrouter
