// Several nodes around one Redis, as services see them: what is called at one concerns all.
#include <set>
#include <string>
#include <thread>

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ClusterTest : public testing::Test {
 protected:
  std::unique_ptr<ClusterNode> Start(const std::string& server_id, Limits limits = {}) {
    auto node = std::make_unique<ClusterNode>(ClusterNode::Options{
        .address = ParseRedisUrl(redis_.url()).value(), .server_id = server_id, .limits = limits});
    node->AwaitUp();
    return node;
  }

  PrivateRedis redis_;
};

TEST_F(ClusterTest, EveryCallWorksFromAnyNode) {
  const auto a = Start("a");
  const auto b = Start("b");
  const ConnectionId alice = a->shard().Open();
  EXPECT_TRUE(b->Own(alice, "alice", {"lobby"}).status.ok());
  const Receipt joined = b->Do(alice, Join{.rooms = {{"kitchen"}}});
  ASSERT_THAT(joined.rooms, SizeIs(1));
  EXPECT_EQ(joined.rooms[0].result, RoomChange::Result::kJoined);
  EXPECT_THAT(b->MembersOf("kitchen"), ElementsAre("alice"));
  EXPECT_EQ(b->Push("lobby", "hello").queued, 1u);
  EXPECT_EQ(b->Do(ClientId{"alice"}, TextOf("to you")).queued, 1u);
  EXPECT_EQ(b->Do(alice, TextOf("to it")).queued, 1u);
  EXPECT_THAT(a->shard().Got(alice), ElementsAre("hello", "to you", "to it"));
  EXPECT_EQ(b->Do(alice, Leave{.rooms = {{"kitchen"}}}).matched, 1u);
  EXPECT_THAT(a->MembersOf("kitchen"), IsEmpty());
  EXPECT_EQ(b->Do(alice, Disconnect{{4021, "out"}}).matched, 1u);
  EXPECT_EQ(a->shard().Closed(alice)->code, 4021);
  EXPECT_TRUE(Eventually([&] { return b->ConnectionsOf("alice").empty(); }));
}

TEST_F(ClusterTest, ConnectionOfANodeThatIsGoneIsGoneAtOnce) {
  const auto a = Start("a");
  auto b = Start("b");
  const ConnectionId bob = b->Online("bob");
  b.reset();
  const Receipt receipt = a->Do(bob, TextOf("anybody there"));
  EXPECT_TRUE(receipt.status.ok()) << receipt.status;
  EXPECT_EQ(receipt.matched, 0u);
  EXPECT_EQ(receipt.nodes, 0u);
}

TEST_F(ClusterTest, GracefulStopGivesEveryRowBack) {
  const auto a = Start("a");
  auto b = Start("b");
  for (int i = 0; i < 50; ++i) b->Online("c" + std::to_string(i), {"lobby", "kitchen"});
  EXPECT_THAT(a->MembersOf("lobby"), SizeIs(50));
  b.reset();
  EXPECT_THAT(a->MembersOf("lobby"), IsEmpty());
  EXPECT_EQ(a->Online()->connections, 0u);
  EXPECT_THAT(*a->Nodes(), SizeIs(1));
}

TEST_F(ClusterTest, CrashedNodesClientsAreGoneAndToldOnce) {
  const auto a = Start("a");
  const auto b = Start("b");
  const auto c = Start("c");
  std::set<std::string> clients;
  for (int i = 0; i < 200; ++i) {
    clients.insert("c" + std::to_string(i));
    c->Online("c" + std::to_string(i), {"lobby"});
  }
  const ConnectionId alice = a->Online("alice", {"lobby"});
  c->Crash();
  EXPECT_TRUE(Eventually([&] { return a->MembersOf("lobby").size() == 1; }));
  EXPECT_EQ(a->Online()->connections, 1u);
  EXPECT_TRUE(Eventually([&] { return a->Nodes()->size() == 2; }));
  EXPECT_EQ(b->Push("lobby", "still here").queued, 1u);
  EXPECT_THAT(a->shard().Got(alice), ElementsAre("still here"));

  size_t left = 0;
  std::multiset<std::string> ended;
  for (const auto* node : {a.get(), b.get()}) {
    for (const Event& event : node->events().All()) {
      const auto* gone = std::get_if<event::Disconnected>(&event.detail);
      if (gone != nullptr && gone->cause == CloseCause::kNodeLost) ended.insert(event.client.value);
      if (std::holds_alternative<event::Left>(event.detail)) ++left;
    }
  }
  EXPECT_EQ(ended.size(), 200u);
  EXPECT_EQ(std::set<std::string>(ended.begin(), ended.end()), clients);
  EXPECT_EQ(left, 200u);
}

TEST_F(ClusterTest, ClientOfACrashedNodeOwnsElsewhereAtOnce) {
  const auto a = Start("a");
  const auto b = Start("b");
  b->Online("bob", {"lobby"});
  b->Crash();
  const ConnectionId bob = a->shard().Open();
  EXPECT_TRUE(a->Own(bob, "bob", {"lobby"}, OnDuplicate::kReplace).status.ok());
  EXPECT_THAT(a->ConnectionsOf("bob"), ElementsAre(bob));
  EXPECT_EQ(a->Push("lobby", "x").queued, 1u);
  EXPECT_TRUE(Eventually([&] { return a->Nodes()->size() == 1; }));
  EXPECT_THAT(a->ConnectionsOf("bob"), ElementsAre(bob));
  EXPECT_THAT(a->MembersOf("lobby"), ElementsAre("bob"));
}

TEST_F(ClusterTest, ReplaceOnAnotherNodeClosesTheOlderConnection) {
  const auto a = Start("a");
  const auto b = Start("b");
  const ConnectionId older = a->Online("alice", {"lobby"});
  const ConnectionId newer = b->shard().Open();
  const Receipt owned = b->Own(newer, "alice", {}, OnDuplicate::kReplace);
  EXPECT_THAT(owned.displaced, ElementsAre(older));
  EXPECT_TRUE(Eventually([&] { return a->shard().Closed(older).has_value(); }));
  EXPECT_EQ(a->shard().Closed(older)->code, 4020);
  EXPECT_THAT(b->ConnectionsOf("alice"), ElementsAre(newer));
  EXPECT_TRUE(Eventually([&] { return b->MembersOf("lobby").empty(); }));
}

TEST_F(ClusterTest, MembersOnAllNodesSeeOneOrder) {
  const auto a = Start("a");
  const auto b = Start("b");
  const ConnectionId here = a->Online("alice", {"lobby"});
  const ConnectionId there = b->Online("bob", {"lobby"});
  constexpr int kEach = 500;
  const auto publish = [](ClusterNode& node, const std::string& name) {
    for (int i = 0; i < kEach; ++i) node.Push("lobby", name + std::to_string(i), Receipts::kLocal);
  };
  std::thread first(publish, std::ref(*a), "a");
  std::thread second(publish, std::ref(*b), "b");
  first.join();
  second.join();
  ASSERT_TRUE(Eventually([&] { return a->shard().Got(here).size() == 2 * kEach; }));
  ASSERT_TRUE(Eventually([&] { return b->shard().Got(there).size() == 2 * kEach; }));
  EXPECT_EQ(a->shard().Got(here), b->shard().Got(there));
}

TEST_F(ClusterTest, CapacityIsTheClusters) {
  const auto a = Start("a", {.owner_capacity = 3});
  const auto b = Start("b", {.owner_capacity = 3});
  a->Online("1");
  b->Online("2");
  a->Online("3");
  const Receipt refused = b->Own(b->shard().Open(), "4");
  EXPECT_EQ(ReasonOf(refused.status), "CAPACITY_CONNECTIONS");
  EXPECT_EQ(a->Online()->connections, 3u);
}

TEST_F(ClusterTest, NodesAreListedWithWhatTheyHold) {
  const auto a = Start("a");
  const auto b = Start("b");
  a->Online("1");
  b->Online("2");
  b->Online("2");
  const auto nodes = b->Nodes();
  ASSERT_TRUE(nodes.ok());
  ASSERT_THAT(*nodes, SizeIs(2));
  for (const NodeRow& row : *nodes) {
    EXPECT_EQ(row.online.connections, row.node == a->id() ? 1u : 2u);
    EXPECT_EQ(row.online.clients, 1u);
    EXPECT_EQ(row.version, "test");
  }
  EXPECT_EQ(a->Online()->clients, 2u);
}

}  // namespace
}  // namespace wsrouter
