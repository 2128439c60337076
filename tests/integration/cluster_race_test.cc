// Races between nodes, round after round and through everything from the broker to the shards: who
// owns a client in the end, who is told, and who gets what is sent to it.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "engine/redis_keys.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const std::string kAlice = "alice";
const std::string kLobby = "lobby";

class ClusterRaceTest : public testing::Test {
 protected:
  std::unique_ptr<ClusterNode> Start(const std::string& server_id,
                                     absl::Duration gc_interval = absl::Milliseconds(300)) {
    auto node = std::make_unique<ClusterNode>(
        ClusterNode::Options{.address = ParseRedisUrl(redis_.url()).value(),
                             .server_id = server_id,
                             .gc_interval = gc_interval});
    node->AwaitUp();
    return node;
  }

  // Asks and does not wait for the answer.
  static Awaited<Receipt> BeginOwn(ClusterNode& node, const ConnectionId& connection,
                                   OnDuplicate on_duplicate) {
    Awaited<Receipt> receipt;
    wsrouter::Own own = {.client = {kAlice}, .on_duplicate = on_duplicate, .rooms = {{kLobby}}};
    node.engine().broker().Publish({.to = connection, .action = std::move(own)}, receipt.Take());
    return receipt;
  }
  static Awaited<absl::StatusOr<uint64_t>> BeginReap(ClusterNode& node) {
    Awaited<absl::StatusOr<uint64_t>> reaped;
    node.engine().directory().ReapStaleServers(reaped.Take());
    return reaped;
  }
  void EndLease(const ClusterNode& node) {
    EXPECT_EQ(redis_.Run({"ZADD", "{test}:nodes", "1", RedisNodeText(node.id())}), "0");
  }
  // How often these nodes told of the end of the connection that they told of most often.
  static size_t MostEnds(const std::vector<ClusterNode*>& nodes) {
    std::map<ConnectionId, size_t> ends;
    size_t most = 0;
    for (ClusterNode* node : nodes) {
      for (const Event& event : node->events().All()) {
        if (!std::holds_alternative<event::Disconnected>(event.detail)) continue;
        most = std::max(most, ++ends[event.connection]);
      }
    }
    return most;
  }
  void AwaitCheck() {
    std::string wrong;
    EXPECT_TRUE(Eventually([&] { return (wrong = CheckRedis(redis_, "test")).empty(); })) << wrong;
  }

  PrivateRedis redis_;
};

TEST_F(ClusterRaceTest, LateCloseNeverRemovesTheNewOwner) {
  const auto a = Start("a");
  const auto b = Start("b");
  ConnectionId older = a->Online(kAlice, {kLobby});
  for (int i = 0; i < 1000; ++i) {
    ClusterNode& from = i % 2 == 0 ? *a : *b;
    ClusterNode& to = i % 2 == 0 ? *b : *a;
    const auto on_duplicate = i % 4 < 2 ? OnDuplicate::kReplace : OnDuplicate::kAllow;
    const ConnectionId newer = to.shard().Open();
    if (i % 3 == 0) from.shard().Hang(older);
    auto owned = BeginOwn(to, newer, on_duplicate);
    if (i % 3 == 1) from.shard().Hang(older);
    const Receipt receipt = owned.Wait();
    ASSERT_TRUE(receipt.status.ok()) << receipt.status << " in round " << i;
    if (i % 3 == 2) from.shard().Hang(older);
    // What that node asks is answered behind the removal of its own connection.
    ASSERT_THAT(from.ConnectionsOf(kAlice), ElementsAre(newer)) << "round " << i;
    ASSERT_THAT(from.MembersOf(kLobby), ElementsAre(kAlice)) << "round " << i;
    ASSERT_EQ(from.Do(ClientId{kAlice}, TextOf("to you")).queued, 1u) << "round " << i;
    ASSERT_THAT(to.shard().Got(newer), ElementsAre("to you"));
    ASSERT_FALSE(to.shard().Closed(newer).has_value()) << "round " << i;
    older = newer;
  }
  EXPECT_EQ(a->Online()->connections, 1u);
  EXPECT_EQ(MostEnds({a.get(), b.get()}), 1u);
  AwaitCheck();
}

TEST_F(ClusterRaceTest, OfTwoNodesThatReplaceAtOnceOneIsLeftAndTheOtherIsClosed) {
  const auto a = Start("a");
  const auto b = Start("b");
  for (int i = 0; i < 1000; ++i) {
    const ConnectionId on_a = a->shard().Open();
    const ConnectionId on_b = b->shard().Open();
    auto of_a = BeginOwn(*a, on_a, OnDuplicate::kReplace);
    auto of_b = BeginOwn(*b, on_b, OnDuplicate::kReplace);
    (void)of_a.Wait();  // the loser's answer may be that it is gone already
    (void)of_b.Wait();
    const std::vector<ConnectionId> left = a->ConnectionsOf(kAlice);
    ASSERT_EQ(left.size(), 1u) << "round " << i;
    const bool a_won = left[0] == on_a;
    ASSERT_TRUE(a_won || left[0] == on_b) << "round " << i;
    ClusterNode& winner = a_won ? *a : *b;
    ClusterNode& loser = a_won ? *b : *a;
    const ConnectionId& lost = a_won ? on_b : on_a;
    ASSERT_TRUE(Eventually([&] { return loser.shard().Closed(lost).has_value(); })) << i;
    ASSERT_EQ(loser.shard().Closed(lost)->code, 4020);
    ASSERT_FALSE(winner.shard().Closed(left[0]).has_value()) << "round " << i;
    ASSERT_EQ(loser.Do(ClientId{kAlice}, TextOf("to you")).queued, 1u) << "round " << i;
    ASSERT_THAT(winner.shard().Got(left[0]), Contains("to you"));
    ASSERT_THAT(loser.shard().Got(lost), IsEmpty());
    ASSERT_EQ(loser.Push(kLobby, "to all").queued, 1u) << "round " << i;
  }
  EXPECT_EQ(MostEnds({a.get(), b.get()}), 1u);
  AwaitCheck();
  EXPECT_EQ(a->Online()->connections, 1u);
  EXPECT_THAT(b->MembersOf(kLobby), ElementsAre(kAlice));
}

TEST_F(ClusterRaceTest, TwoNodesThatAllowAtOnceBothStayAndLeaveNothing) {
  const auto a = Start("a");
  const auto b = Start("b");
  for (int i = 0; i < 1000; ++i) {
    const ConnectionId on_a = a->shard().Open();
    const ConnectionId on_b = b->shard().Open();
    auto of_a = BeginOwn(*a, on_a, OnDuplicate::kAllow);
    auto of_b = BeginOwn(*b, on_b, OnDuplicate::kAllow);
    const Receipt answer_a = of_a.Wait();
    const Receipt answer_b = of_b.Wait();
    ASSERT_TRUE(answer_a.status.ok()) << answer_a.status << " in round " << i;
    ASSERT_TRUE(answer_b.status.ok()) << answer_b.status << " in round " << i;
    // Those of the round before go meanwhile; they may be listed a moment longer.
    ASSERT_TRUE(Eventually([&] { return a->ConnectionsOf(kAlice).size() == 2; })) << i;
    ASSERT_THAT(b->ConnectionsOf(kAlice), UnorderedElementsAre(on_a, on_b)) << "round " << i;
    ASSERT_EQ(a->Do(ClientId{kAlice}, TextOf("to both")).queued, 2u) << "round " << i;
    ASSERT_THAT(a->shard().Got(on_a), ElementsAre("to both"));
    ASSERT_THAT(b->shard().Got(on_b), ElementsAre("to both"));
    ASSERT_THAT(b->MembersOf(kLobby), ElementsAre(kAlice)) << "round " << i;
    a->shard().Hang(on_a);
    b->shard().Hang(on_b);
  }
  EXPECT_TRUE(Eventually([&] { return a->Online()->connections == 0; }));
  EXPECT_THAT(a->MembersOf(kLobby), IsEmpty());
  AwaitCheck();
}

TEST_F(ClusterRaceTest, CollectorNeverTakesAClientThatIsOwnedElsewhereMeanwhile) {
  const auto a = Start("a");
  const auto b = Start("b");
  for (int i = 0; i < 200; ++i) {
    const auto dead = Start("dead");
    const ConnectionId older = dead->Online(kAlice, {kLobby});
    dead->Crash();
    EndLease(*dead);
    const ConnectionId newer = b->shard().Open();
    auto reaped = BeginReap(*a);
    auto owned = BeginOwn(*b, newer, i % 2 == 0 ? OnDuplicate::kReplace : OnDuplicate::kAllow);
    ASSERT_TRUE(reaped.Wait().ok());
    const Receipt receipt = owned.Wait();
    ASSERT_TRUE(receipt.status.ok()) << receipt.status << " in round " << i;
    ASSERT_TRUE(Eventually([&] { return a->ConnectionsOf(kAlice).size() == 1; })) << i;
    ASSERT_THAT(a->ConnectionsOf(kAlice), ElementsAre(newer)) << "round " << i;
    ASSERT_THAT(a->MembersOf(kLobby), ElementsAre(kAlice)) << "round " << i;
    ASSERT_EQ(a->Push(kLobby, "to all").queued, 1u) << "round " << i;
    ASSERT_FALSE(b->shard().Closed(newer).has_value()) << "round " << i;
    b->shard().Hang(newer);
    ASSERT_THAT(b->ConnectionsOf(kAlice), IsEmpty()) << "round " << i;
  }
  EXPECT_EQ(MostEnds({a.get(), b.get()}), 1u);
  EXPECT_TRUE(Eventually([&] { return a->Nodes()->size() == 2; }));
  EXPECT_EQ(a->Online()->connections, 0u);
  AwaitCheck();
}

TEST_F(ClusterRaceTest, TwoCollectorsAtOnceCountAndTellOfEachRowOnce) {
  constexpr size_t kClients = 50;
  constexpr size_t kRounds = 20;
  const auto a = Start("a", absl::Hours(1));  // only when told to
  const auto b = Start("b", absl::Hours(1));
  size_t collected = 0;
  for (size_t round = 0; round < kRounds; ++round) {
    const auto dead = Start("dead", absl::Hours(1));
    for (size_t i = 0; i < kClients; ++i) dead->Online(fmt::format("c{}", i), {kLobby});
    dead->Crash();
    EndLease(*dead);
    auto by_a = BeginReap(*a);
    auto by_b = BeginReap(*b);
    collected += by_a.Wait().value_or(0) + by_b.Wait().value_or(0);
    ASSERT_EQ(collected, 2 * kClients * (round + 1));  // a client and a membership each
    ASSERT_THAT(a->MembersOf(kLobby), IsEmpty());
  }
  std::map<ConnectionId, size_t> ended;
  std::map<ConnectionId, size_t> left;
  for (const ClusterNode* node : {a.get(), b.get()}) {
    for (const Event& event : node->events().All()) {
      if (std::holds_alternative<event::Disconnected>(event.detail)) ++ended[event.connection];
      if (std::holds_alternative<event::Left>(event.detail)) ++left[event.connection];
    }
  }
  EXPECT_EQ(ended.size(), kClients * kRounds);
  EXPECT_EQ(left, ended);
  EXPECT_EQ(MostEnds({a.get(), b.get()}), 1u);
  AwaitCheck();
}

}  // namespace
}  // namespace wsrouter
