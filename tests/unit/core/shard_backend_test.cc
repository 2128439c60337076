// What services decide: who a connection is from the start, and what its messages lead to.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_backend.h"
#include "tests/support/shard_fixture.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ShardBackendTest : public testing::Test {
 protected:
  FakeConnection& OpenAs(ShardFixture& node, const Own& own) {
    FakeConnection& connection = node.connections().emplace_back();
    connection.handshake = std::make_shared<const Handshake>(Handshake{.path = "/ws"});
    node.shard(0).OnOpen(connection, own);
    return connection;
  }

  FakeBackend backend;
};

TEST_F(ShardBackendTest, ReservedIdIsTheConnectionsIdAndNoOtherGetsIt) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& held = node.connections().emplace_back();
  held.handshake = std::make_shared<const Handshake>(Handshake{.path = "/ws"});
  const ConnectionId id = node.shard(0).Reserve(held);
  FakeConnection& other = node.Open();
  EXPECT_NE(node.IdOf(other), id);
  EXPECT_EQ(node.Do(id, Describe{}).matched, 0u);
  node.shard(0).OnOpen(held);
  EXPECT_EQ(node.IdOf(held), id);
  EXPECT_THAT(node.Do(id, Describe{}).connections, SizeIs(1));
}

TEST_F(ShardBackendTest, AdmittedOnceEverythingIsInForce) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = OpenAs(node, {.client = {"alice"}, .rooms = {{"lobby"}, {"kitchen"}}});
  EXPECT_EQ(alice.admitted, 0);
  node.Settle();
  EXPECT_EQ(alice.admitted, 1);
  EXPECT_EQ(node.Push("kitchen", "hi").queued, 1u);
  EXPECT_THAT(node.ConnectionsOf("alice"), ElementsAre(node.IdOf(alice)));
}

TEST_F(ShardBackendTest, WhoGoesBeforeItIsInForceIsNotAdmitted) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = OpenAs(node, {.client = {"alice"}, .rooms = {{"lobby"}}});
  node.Close(alice);
  node.Settle();
  EXPECT_EQ(alice.admitted, 0);
  EXPECT_THAT(node.ConnectionsOf("alice"), IsEmpty());
}

TEST_F(ShardBackendTest, AtTheLimitClosedWithCapacityAndTheBackendHears) {
  ShardFixture node({.owner_capacity = 1}, 1, &backend);
  node.Online("bob");
  FakeConnection& alice = OpenAs(node, {.client = {"alice"}});
  node.Settle();
  EXPECT_EQ(alice.admitted, 0);
  ASSERT_TRUE(alice.closed.has_value());
  EXPECT_EQ(alice.closed->code, 4013);
  EXPECT_EQ(alice.closed->reason, "CAPACITY_CONNECTIONS");
  const auto end = std::get<event::Disconnected>(backend.AwaitEnd().event.detail);
  EXPECT_EQ(end.cause, CloseCause::kRefused);
}

TEST_F(ShardBackendTest, OneRoomThatRefusesIsEnoughToRefuse) {
  ShardFixture node({.room_members_capacity = 1}, 1, &backend);
  FakeConnection& alice = OpenAs(node, {.client = {"alice"}, .rooms = {{"a"}, {"b"}}});
  node.Settle();
  EXPECT_EQ(alice.admitted, 0);
  EXPECT_EQ(alice.closed->code, 4013);
  EXPECT_THAT(node.MembersOf("a"), IsEmpty());
}

TEST_F(ShardBackendTest, RejectedDuplicateIsForbidden) {
  ShardFixture node({}, 1, &backend);
  node.Online("alice");
  FakeConnection& second =
      OpenAs(node, {.client = {"alice"}, .on_duplicate = OnDuplicate::kReject});
  node.Settle();
  EXPECT_EQ(second.closed->code, 4003);
  EXPECT_EQ(second.closed->reason, "CLIENT_ALREADY_OWNED");
}

TEST_F(ShardBackendTest, MessageIsAskedAboutUnderTheBoundIdentityAndReadingWaits) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = node.Online("alice", {"lobby"});
  node.shard(0).OnMessage(alice, Opcode::kText, "I am bob");
  EXPECT_TRUE(alice.paused);
  auto asked = backend.AwaitMessage();
  EXPECT_EQ(asked.question.client.value, "alice");
  EXPECT_EQ(asked.question.connection, node.IdOf(alice));
  EXPECT_EQ(asked.question.payload, "I am bob");
  EXPECT_THAT(asked.question.rooms, ElementsAre(RoomName{"lobby"}));
  std::move(asked.answer)({});
  node.Settle();
  EXPECT_FALSE(alice.paused);
}

TEST_F(ShardBackendTest, EffectsHappenOneBehindTheOtherAndThenReadingGoesOn) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = node.Online("alice");
  FakeConnection& bob = node.Online("bob", {"lobby"});
  node.shard(0).OnMessage(alice, Opcode::kText, "enter");
  const ConnectionId id = node.IdOf(alice);
  Effects effects;
  effects.push_back({.to = id, .action = Text("welcome")});
  effects.push_back({.to = id, .action = Join{.rooms = {{"lobby"}}}});
  effects.push_back({.to = RoomName{"lobby"}, .action = Text("alice is here")});
  effects.push_back({.to = id, .action = Leave{.rooms = {{"lobby"}}}});
  effects.push_back({.to = RoomName{"lobby"}, .action = Text("and gone")});
  std::move(backend.AwaitMessage().answer)(std::move(effects));
  node.Settle();
  EXPECT_FALSE(alice.paused);
  EXPECT_THAT(node.Read(alice), ElementsAre("welcome", "alice is here"));
  EXPECT_THAT(node.Read(bob), ElementsAre("alice is here", "and gone"));
}

TEST_F(ShardBackendTest, AnEffectThatFailsIsCountedAndStopsNoOther) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = node.Open();
  node.shard(0).OnMessage(alice, Opcode::kText, "enter");
  const ConnectionId id = node.IdOf(alice);
  Effects effects;
  effects.push_back({.to = id, .action = Join{.rooms = {{"lobby"}}}});  // it is nobody
  effects.push_back({.to = id, .action = Text("still there")});
  std::move(backend.AwaitMessage().answer)(std::move(effects));
  node.Settle();
  EXPECT_EQ(node.Total(Counter::kEffectsFailed), 1u);
  EXPECT_THAT(node.Read(alice), ElementsAre("still there"));
}

TEST_F(ShardBackendTest, LastMessageOfOneWhoHasGoneStillLeadsToItsEffectsAndTheEndComesBehind) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = node.Online("alice");
  FakeConnection& bob = node.Online("bob", {"lobby"});
  node.shard(0).OnMessage(alice, Opcode::kText, "bye");
  node.Close(alice, CloseCause::kConnectionLost);
  auto asked = backend.AwaitMessage();
  EXPECT_EQ(backend.waiting(), 0u);
  Effects effects;
  effects.push_back({.to = RoomName{"lobby"}, .action = Text("alice said bye")});
  std::move(asked.answer)(std::move(effects));
  node.Settle();
  EXPECT_THAT(node.Read(bob), ElementsAre("alice said bye"));
  EXPECT_EQ(backend.AwaitEnd().event.client.value, "alice");
}

}  // namespace
}  // namespace wsrouter
