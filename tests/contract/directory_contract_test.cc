#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "gmock/gmock.h"
#include "tests/contract/directory_contract.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(DirectoryContractTest, BindIsIdempotent) {
  Start();
  EXPECT_TRUE(Bind(1, "alice").ok());
  EXPECT_TRUE(Bind(1, "alice").ok());
  EXPECT_THAT(Client("alice"), ElementsAre(Connection(1)));
  EXPECT_EQ(Count().connections, 1u);
  EXPECT_EQ(Count().clients, 1u);
}

TEST_P(DirectoryContractTest, UnbindIsIdempotent) {
  Start();
  EXPECT_TRUE(Bind(1, "alice").ok());
  EXPECT_TRUE(Join("lobby", 1, "alice").ok());
  for (int i = 0; i < 2; ++i) {
    Unbind(Connection(1), "alice", {{"lobby"}, {"never joined"}});
    EXPECT_THAT(Client("alice"), IsEmpty());
    EXPECT_EQ(Count().connections, 0u);
    EXPECT_EQ(Count().clients, 0u);
    EXPECT_EQ(Size("lobby").connections, 0u);
  }
}

TEST_P(DirectoryContractTest, UnbindOfAnotherConnectionRemovesNothing) {
  Start();
  EXPECT_TRUE(Bind(1, "alice").ok());
  EXPECT_TRUE(Join("lobby", 1, "alice").ok());
  ConnectionId dead = Connection(1);
  --dead.node.incarnation;
  ConnectionId other_shard = Connection(1);
  other_shard.shard = 3;
  for (const ConnectionId& stranger : {dead, other_shard, Connection(2)}) {
    Unbind(stranger, "alice", {{"lobby"}});
    EXPECT_EQ(Leave("lobby", stranger, "alice").connections, 1u);
  }
  Unbind(Connection(1), "bob", {{"lobby"}});
  EXPECT_THAT(Client("alice"), ElementsAre(Connection(1)));
  EXPECT_TRUE(IsMember("lobby", "alice"));
}

TEST_P(DirectoryContractTest, CallsOfOneThreadTakeEffectInTheirOrder) {
  Start();
  Awaited<absl::StatusOr<Connections>> bound;
  Awaited<absl::StatusOr<JoinedRoom>> joined;
  directory().Bind(Connection(1), {"alice"}, OnDuplicate::kAllow, {}, bound.Take());
  directory().Join({"lobby"}, Connection(1), {"alice"}, joined.Take());
  Unbind(Connection(1), "alice", {{"lobby"}});
  EXPECT_TRUE(bound.Wait().ok());
  EXPECT_TRUE(joined.Wait().ok());
  EXPECT_THAT(Client("alice"), IsEmpty());
  EXPECT_EQ(Size("lobby").connections, 0u);
}

TEST_P(DirectoryContractTest, ReplaceAnswersWithTheDisplacedWhoseRowsAreGone) {
  Start();
  EXPECT_TRUE(Bind(1, "alice").ok());
  EXPECT_TRUE(Bind(2, "alice").ok());
  const auto displaced = Bind(3, "alice", OnDuplicate::kReplace);
  ASSERT_TRUE(displaced.ok());
  EXPECT_THAT(*displaced, testing::UnorderedElementsAre(Connection(1), Connection(2)));
  EXPECT_THAT(Client("alice"), ElementsAre(Connection(3)));
  EXPECT_EQ(Count().connections, 1u);
  const auto again = Bind(3, "alice", OnDuplicate::kReplace);
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(*again, IsEmpty());
}

TEST_P(DirectoryContractTest, RejectRefusesASecondConnectionButNotTheSame) {
  Start();
  EXPECT_TRUE(Bind(1, "alice", OnDuplicate::kReject).ok());
  EXPECT_TRUE(Bind(1, "alice", OnDuplicate::kReject).ok());
  EXPECT_EQ(ReasonOf(Bind(2, "alice", OnDuplicate::kReject).status()), "CLIENT_ALREADY_OWNED");
  EXPECT_THAT(Client("alice"), ElementsAre(Connection(1)));
}

TEST_P(DirectoryContractTest, ConnectionsPerClientAreLimited) {
  Start({.connections_per_client = 2});
  EXPECT_TRUE(Bind(1, "alice").ok());
  EXPECT_TRUE(Bind(2, "alice").ok());
  EXPECT_EQ(ReasonOf(Bind(3, "alice").status()), "CONNECTIONS_PER_CLIENT");
  EXPECT_TRUE(Bind(2, "alice").ok());
  EXPECT_TRUE(Bind(4, "bob").ok());
  EXPECT_TRUE(Bind(3, "alice", OnDuplicate::kReplace).ok());
}

TEST_P(DirectoryContractTest, AtCapacityAnUpdateAndAReplacementStillFit) {
  Start({.owner_capacity = 1});
  EXPECT_TRUE(Bind(1, "alice").ok());
  EXPECT_EQ(ReasonOf(Bind(2, "bob").status()), "CAPACITY_CONNECTIONS");
  EXPECT_EQ(ReasonOf(Bind(2, "bob", OnDuplicate::kReplace).status()), "CAPACITY_CONNECTIONS");
  EXPECT_THAT(Client("bob"), IsEmpty());
  EXPECT_TRUE(Bind(1, "alice").ok());
  EXPECT_TRUE(Bind(2, "alice", OnDuplicate::kReplace).ok());
  Unbind(Connection(2), "alice");
  EXPECT_TRUE(Bind(3, "bob").ok());
}

TEST_P(DirectoryContractTest, WhoComesBackTakesThePlaceOfItsOldConnection) {
  Start({.owner_capacity = 2, .connections_per_client = 1});
  EXPECT_TRUE(Bind(1, "alice", OnDuplicate::kReject).ok());
  EXPECT_TRUE(Join("lobby", 1, "alice").ok());
  EXPECT_TRUE(Bind(9, "bob").ok());
  const auto displaced = Rebind(1, 2, "alice", OnDuplicate::kReject);
  ASSERT_TRUE(displaced.ok()) << displaced.status();
  EXPECT_THAT(*displaced, IsEmpty());
  EXPECT_THAT(Client("alice"), ElementsAre(Connection(2)));
  EXPECT_TRUE(IsMember("lobby", "alice"));
  Unbind(Connection(1), "alice", {{"lobby"}});
  EXPECT_THAT(Client("alice"), ElementsAre(Connection(2)));
  EXPECT_FALSE(IsMember("lobby", "alice"));
}

TEST_P(DirectoryContractTest, WhoseOldConnectionIsForgottenComesBackWithinTheLimits) {
  Start({.owner_capacity = 2, .connections_per_client = 2});
  EXPECT_TRUE(Rebind(1, 2, "alice").ok());
  EXPECT_TRUE(Bind(3, "alice").ok());
  EXPECT_EQ(ReasonOf(Rebind(1, 4, "alice").status()), "CAPACITY_CONNECTIONS");
  EXPECT_EQ(ReasonOf(Rebind(1, 4, "alice", OnDuplicate::kReject).status()), "CLIENT_ALREADY_OWNED");
  const auto displaced = Rebind(2, 4, "alice", OnDuplicate::kReplace);
  ASSERT_TRUE(displaced.ok()) << displaced.status();
  EXPECT_THAT(*displaced, ElementsAre(Connection(3)));
  EXPECT_THAT(Client("alice"), ElementsAre(Connection(4)));
}

// Runs `call` for 0..199 on four threads at once and counts those that were accepted.
template <typename Call>
int AcceptedOf200(Call call) {
  std::atomic<int> accepted = 0;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = t; i < 200; i += 4) accepted += call(i) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return accepted;
}

TEST_P(DirectoryContractTest, CapacitiesAreExactUnderConcurrentCallers) {
  Start({.owner_capacity = 77, .room_members_capacity = 55});
  EXPECT_EQ(AcceptedOf200([&](uint64_t i) { return Bind(i, "c" + std::to_string(i)).ok(); }), 77);
  EXPECT_EQ(Count().connections, 77u);
  EXPECT_EQ(AcceptedOf200([&](uint64_t i) {
              return Join("r" + std::to_string(i % 3), i, "c" + std::to_string(i)).ok();
            }),
            55);
  EXPECT_EQ(Size("r0").connections + Size("r1").connections + Size("r2").connections, 55u);
  EXPECT_EQ(ReasonOf(Join("r0", 1000, "x").status()), "CAPACITY_ROOM_MEMBERS");
}

TEST_P(DirectoryContractTest, RejectLetsOneOfManyConcurrentCallersIn) {
  Start();
  EXPECT_EQ(AcceptedOf200([&](uint64_t i) { return Bind(i, "alice", OnDuplicate::kReject).ok(); }),
            1);
  EXPECT_EQ(Client("alice").size(), 1u);
}

TEST_P(DirectoryContractTest, EveryoneButTheLastOfConcurrentReplacersIsDisplacedOnce) {
  Start();
  absl::Mutex mutex;
  std::multiset<ConnectionId> displaced;
  EXPECT_EQ(AcceptedOf200([&](uint64_t i) {
              const auto answer = Bind(i, "alice", OnDuplicate::kReplace);
              if (!answer.ok()) return false;
              absl::MutexLock lock(&mutex);
              displaced.insert(answer->begin(), answer->end());
              return true;
            }),
            200);
  const Connections left = Client("alice");
  ASSERT_EQ(left.size(), 1u);
  displaced.insert(left[0]);
  EXPECT_EQ(displaced.size(), 200u);
  EXPECT_EQ(std::set<ConnectionId>(displaced.begin(), displaced.end()).size(), 200u);
}

TEST_P(DirectoryContractTest, NodesListsThisNodeWithItsCounts) {
  Start();
  EXPECT_TRUE(Bind(1, "alice").ok());
  Awaited<absl::StatusOr<std::vector<NodeRow>>> answer;
  directory().Nodes(answer.Take());
  const auto nodes = answer.Wait();
  ASSERT_TRUE(nodes.ok());
  ASSERT_EQ(nodes->size(), 1u);
  EXPECT_EQ((*nodes)[0].node, Connection(1).node);
  EXPECT_EQ((*nodes)[0].online.connections, 1u);
}

TEST_P(DirectoryContractTest, NothingOfALiveNodeIsReaped) {
  Start();
  EXPECT_TRUE(Bind(1, "alice").ok());
  EXPECT_TRUE(Join("lobby", 1, "alice").ok());
  Awaited<absl::StatusOr<uint64_t>> answer;
  directory().ReapStaleServers(answer.Take());
  EXPECT_EQ(answer.Wait().value(), 0u);
  EXPECT_TRUE(IsMember("lobby", "alice"));
}

INSTANTIATE_TEST_SUITE_P(Engines, DirectoryContractTest, testing::ValuesIn(EngineKinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace wsrouter
