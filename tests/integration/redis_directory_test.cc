// Two nodes and one Redis: what one writes never touches what the other wrote later.
#include <atomic>
#include <string>
#include <thread>
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

class RedisDirectoryTest : public testing::Test {
 protected:
  // Whatever a test did, the directory is whole.
  void TearDown() override { EXPECT_EQ(CheckRedis(redis_, "test"), ""); }

  PrivateRedis redis_;
};

TEST_F(RedisDirectoryTest, LateUnbindNeverRemovesTheNewOwner) {
  DirectoryNode a(redis_, {.server_id = "a"});
  DirectoryNode b(redis_, {.server_id = "b"});
  for (uint64_t i = 1; i <= 1000; ++i) {
    DirectoryNode& old = i % 2 == 0 ? a : b;
    DirectoryNode& next = i % 2 == 0 ? b : a;
    // The old connection's Unbind is under way while the new one binds and joins.
    old.Unbind(i - 1, "alice", {{"lobby"}});
    ASSERT_TRUE(next.Bind(i, "alice", OnDuplicate::kReplace).ok());
    ASSERT_TRUE(next.Join("lobby", i, "alice").ok());
    old.Unbind(i - 1, "alice", {{"lobby"}});
    ASSERT_EQ(old.Client("alice").value(), std::vector{next.Connection(i)});
    ASSERT_EQ(old.Size("lobby")->connections, 1u);
  }
}

TEST_F(RedisDirectoryTest, OfTwoNodesThatReplaceAtOnceExactlyOneIsLeft) {
  DirectoryNode a(redis_, {.server_id = "a"});
  DirectoryNode b(redis_, {.server_id = "b"});
  for (uint64_t i = 1; i <= 1000; ++i) {
    Awaited<absl::StatusOr<std::vector<ConnectionId>>> of_a;
    Awaited<absl::StatusOr<std::vector<ConnectionId>>> of_b;
    a.directory().Bind(a.Connection(i), {"alice"}, OnDuplicate::kReplace, {}, of_a.Take());
    b.directory().Bind(b.Connection(i), {"alice"}, OnDuplicate::kReplace, {}, of_b.Take());
    const auto displaced_by_a = of_a.Wait();
    const auto displaced_by_b = of_b.Wait();
    ASSERT_TRUE(displaced_by_a.ok() && displaced_by_b.ok());
    const auto left = a.Client("alice").value();
    ASSERT_EQ(left.size(), 1u);
    const bool a_won = left[0] == a.Connection(i);
    // The winner displaced the loser, and nobody is displaced twice.
    ASSERT_THAT(a_won ? *displaced_by_a : *displaced_by_b,
                ElementsAre(a_won ? b.Connection(i) : a.Connection(i)));
    ASSERT_EQ((a_won ? *displaced_by_b : *displaced_by_a).size(), i == 1 ? 0u : 1u);
  }
  EXPECT_EQ(a.Count()->clients, 1u);
}

TEST_F(RedisDirectoryTest, CapacitiesAreExactAcrossNodes) {
  const Limits limits = {.owner_capacity = 150, .room_members_capacity = 120};
  DirectoryNode a(redis_, {.server_id = "a", .limits = limits});
  DirectoryNode b(redis_, {.server_id = "b", .limits = limits});
  std::atomic<int> bound = 0;
  std::atomic<int> joined = 0;
  std::vector<std::thread> threads;
  for (DirectoryNode* node : {&a, &b, &a, &b}) {
    threads.emplace_back([&, node, base = threads.size() * 1000] {
      for (uint64_t i = base; i < base + 100; ++i) {
        const std::string client = "c" + std::to_string(i);
        const auto answer = node->Bind(i, client);
        bound += answer.ok() ? 1 : 0;
        if (!answer.ok()) {
          EXPECT_EQ(ReasonOf(answer.status()), "CAPACITY_CONNECTIONS");
        }
        joined += node->Join("r" + std::to_string(i % 7), i, client).ok() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bound, 150);
  EXPECT_EQ(joined, 120);
  EXPECT_EQ(a.Count()->connections, 150u);
}

TEST_F(RedisDirectoryTest, NodesAreListedEachWithItsCounts) {
  DirectoryNode a(redis_, {.server_id = "a.b", .incarnation = 0xabc});
  DirectoryNode b(redis_, {.server_id = "b"});
  EXPECT_TRUE(a.Bind(1, "alice").ok());
  EXPECT_TRUE(a.Bind(2, "alice").ok());
  EXPECT_TRUE(b.Bind(1, "alice").ok());
  EXPECT_TRUE(b.Bind(2, "bob").ok());
  EXPECT_EQ(a.Count()->clients, 2u);
  EXPECT_EQ(a.Count()->connections, 4u);
  const auto nodes = b.Nodes();
  ASSERT_TRUE(nodes.ok());
  ASSERT_EQ(nodes->size(), 2u);
  const NodeRow& first = (*nodes)[0].node.server_id == "a.b" ? (*nodes)[0] : (*nodes)[1];
  EXPECT_EQ(first.node, a.Connection(1).node);
  EXPECT_EQ(first.version, "1.2.3");
  EXPECT_EQ(first.started_at, absl::FromUnixMillis(1'700'000'000'123));
  EXPECT_GT(first.heartbeat_at, first.started_at);
  EXPECT_EQ(first.online.clients, 1u);
  EXPECT_EQ(first.online.connections, 2u);
}

TEST_F(RedisDirectoryTest, NamesThatLookLikeKeysDoNotCollide) {
  DirectoryNode a(redis_, {});
  std::string longest;
  while (longest.size() + 3 <= 255) longest += "\xE2\x82\xAC";
  const std::vector<std::string> names = {
      "__keys__",     "a:b",   "a",      "b",    "1",        "-1",     "1e3",
      "nodes",        "rooms", "counts", "gc",   "client:a", "room:a", "index:a.0000000000000001",
      "{test}:nodes", "c",     "r",      longest};
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_TRUE(a.Bind(i, names[i]).ok());
    EXPECT_TRUE(a.Join(names[i], i, names[i]).ok());
    EXPECT_TRUE(a.Join("all", i, names[i]).ok());
  }
  EXPECT_EQ(CheckRedis(redis_, "test"), "");
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_THAT(a.Client(names[i]).value(), ElementsAre(a.Connection(i))) << names[i];
    EXPECT_EQ(a.Size(names[i])->members, 1u) << names[i];
  }
  EXPECT_EQ(a.Size("all")->members, names.size());
  for (size_t i = 0; i < names.size(); ++i) a.Unbind(i, names[i], {{names[i]}, {"all"}});
  EXPECT_EQ(a.Count()->connections, 0u);
  EXPECT_EQ(redis_.Run({"EXISTS", "{test}:counts", "{test}:rooms", "{test}:index:" + longest}),
            "0");
}

TEST_F(RedisDirectoryTest, AValueOfAnotherTypeFailsTheCallsOnItsKeyOnly) {
  DirectoryNode a(redis_, {});
  const std::vector<std::string> planted = {"{test}:client:eve", "{test}:room:cave",
                                            "{test}:roomclients:den"};
  for (const std::string& key : planted) EXPECT_EQ(redis_.Run({"SET", key, "x"}), "OK");
  EXPECT_TRUE(absl::IsInternal(a.Bind(1, "eve").status()));
  EXPECT_TRUE(absl::IsInternal(a.Client("eve").status()));
  EXPECT_TRUE(absl::IsInternal(a.Assert(1, "eve").status()));
  for (const std::string room : {"cave", "den"}) {
    EXPECT_TRUE(absl::IsInternal(a.Join(room, 1, "alice").status()));
    EXPECT_TRUE(absl::IsInternal(a.Size(room).status()));
    EXPECT_TRUE(
        absl::IsInternal(a.Assert(1, "alice", OnDuplicate::kAllow, {{"lobby"}, {room}}).status()));
  }
  EXPECT_THAT(a.Client("alice").value(), IsEmpty());
  EXPECT_EQ(a.Size("lobby")->connections, 0u);
  EXPECT_TRUE(a.Bind(2, "alice").ok());
  EXPECT_TRUE(a.Join("lobby", 2, "alice").ok());
  // A room that is no room does not keep the others' rows.
  a.Unbind(2, "alice", {{"cave"}, {"lobby"}, {"den"}});
  EXPECT_EQ(a.Count()->connections, 0u);
  EXPECT_EQ(a.Size("lobby")->connections, 0u);
  for (const std::string& key : planted) EXPECT_EQ(redis_.Run({"DEL", key}), "1");
}

TEST_F(RedisDirectoryTest, AValueOfAnotherTypeUnderASharedKeyLetsNothingBeHalfWritten) {
  DirectoryNode a(redis_, {});
  for (const std::string name :
       {"counts", "rooms", "index:a.0000000000000001", "leftover:a.0000000000000001"}) {
    EXPECT_EQ(redis_.Run({"SET", "{test}:" + name, "x"}), "OK");
    EXPECT_TRUE(absl::IsInternal(a.Bind(1, "alice").status())) << name;
    EXPECT_TRUE(absl::IsInternal(a.Join("lobby", 1, "alice").status())) << name;
    EXPECT_TRUE(absl::IsInternal(a.Assert(1, "alice", OnDuplicate::kAllow, {{"lobby"}}).status()))
        << name;
    EXPECT_EQ(redis_.Run({"DEL", "{test}:" + name}), "1");
    EXPECT_EQ(CheckRedis(redis_, "test"), "") << name;
    EXPECT_THAT(a.Client("alice").value(), IsEmpty());
  }
}

TEST_F(RedisDirectoryTest, AFullRedisTakesNothingHalfAndGivesRowsBack) {
  DirectoryNode a(redis_, {});
  ASSERT_TRUE(a.Bind(1, "alice").ok());
  ASSERT_TRUE(a.Join("lobby", 1, "alice").ok());
  ASSERT_TRUE(a.Join("hall", 1, "alice").ok());
  EXPECT_EQ(redis_.Run({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  EXPECT_EQ(ReasonOf(a.Bind(2, "bob").status()), "DIRECTORY_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(a.Bind(2, "alice", OnDuplicate::kReplace).status()), "DIRECTORY_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(a.Join("lobby", 2, "bob").status()), "DIRECTORY_UNAVAILABLE");
  EXPECT_EQ(CheckRedis(redis_, "test"), "");
  EXPECT_THAT(a.Client("alice").value(), ElementsAre(a.Connection(1)));
  a.Unbind(1, "alice", {{"lobby"}, {"hall"}});
  EXPECT_EQ(a.Count()->connections, 0u);
  EXPECT_EQ(a.Size("hall")->connections, 0u);
}

TEST_F(RedisDirectoryTest, WithoutAnAnswerABindThatMadeTheRowIsUndoneAndARenewalIsNot) {
  RedisPatience patience = Patient();
  patience.command = absl::Milliseconds(100);
  DirectoryNode a(redis_, {.patience = patience});
  DirectoryNode b(redis_, {.server_id = "b"});
  ASSERT_TRUE(a.Bind(1, "alice").ok());
  redis_.Pause();
  EXPECT_EQ(ReasonOf(a.Bind(1, "alice").status()), "DIRECTORY_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(a.Bind(2, "bob").status()), "DIRECTORY_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(a.Join("lobby", 1, "alice").status()), "DIRECTORY_UNAVAILABLE");
  redis_.Continue();
  while (!a.Heartbeat().ok()) {
  }
  EXPECT_THAT(b.Client("alice").value(), UnorderedElementsAre(a.Connection(1)));
  EXPECT_THAT(b.Client("bob").value(), IsEmpty());
  EXPECT_EQ(b.Size("lobby")->connections, 0u);
}

}  // namespace
}  // namespace wsrouter
