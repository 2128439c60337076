#include <string>

#include "core/client_protocol.h"
#include "core/error.h"
#include "core/shard.h"
#include "gmock/gmock.h"
#include "tests/support/shard_fixture.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using Result = RoomChange::Result;

TEST(JoinTest, OfAClientTakesInAllItsConnections) {
  ShardFixture node({}, 2);
  node.Online("alice");
  node.Online("alice", {}, 1);
  const Receipt receipt = node.Do(ClientId{"alice"}, Join{.rooms = {{"lobby"}}});
  EXPECT_EQ(receipt.matched, 2u);
  EXPECT_THAT(receipt.rooms, SizeIs(2));
  EXPECT_EQ(node.SizeOf("lobby").members, 1u);
  EXPECT_EQ(node.SizeOf("lobby").connections, 2u);
}

TEST(JoinTest, TwiceJoinsOnce) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  const Receipt receipt = node.Do(node.IdOf(alice), Join{.rooms = {{"lobby"}, {"lobby"}}});
  ASSERT_THAT(receipt.rooms, SizeIs(2));
  EXPECT_EQ(receipt.rooms[0].result, Result::kJoined);
  EXPECT_EQ(receipt.rooms[1].result, Result::kAlreadyMember);
  EXPECT_EQ(node.Push("lobby", "x").queued, 1u);
  EXPECT_EQ(node.Total(Counter::kRoomJoins), 1u);
}

TEST(JoinTest, OfAnUnownedConnectionIsRefused) {
  ShardFixture node;
  const Receipt receipt = node.Join(node.Open(), "lobby");
  EXPECT_EQ(ReasonOf(receipt.status), "CONNECTION_NOT_OWNED");
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST(JoinTest, OfAGoneConnectionMatchesNobody) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  node.Close(alice);
  EXPECT_EQ(node.Join(alice, "lobby").matched, 0u);
}

TEST(JoinTest, BeyondTheRoomsOfAConnectionIsRefusedCountingThoseInProgress) {
  Limits limits;
  limits.rooms_per_connection = 2;
  ShardFixture node(limits);
  FakeConnection& alice = node.Online("alice", {"a"});
  const Receipt receipt = node.Do(node.IdOf(alice), Join{.rooms = {{"b"}, {"c"}, {"a"}}});
  ASSERT_THAT(receipt.rooms, SizeIs(3));
  EXPECT_EQ(receipt.rooms[0].room.value, "c");
  EXPECT_EQ(ReasonOf(receipt.rooms[0].refusal), "ROOMS_PER_CONNECTION");
  EXPECT_EQ(receipt.rooms[1].result, Result::kAlreadyMember);  // settled before b is live
  EXPECT_EQ(receipt.rooms[2].result, Result::kJoined);
  EXPECT_EQ(alice.rooms.size(), 2u);
  node.Leave(alice, "b");
  EXPECT_EQ(node.Join(alice, "c").rooms[0].result, Result::kJoined);
}

TEST(JoinTest, OfRoomsItIsInUsesUpNoneOfItsRooms) {
  Limits limits;
  limits.rooms_per_connection = 3;
  ShardFixture node(limits);
  FakeConnection& alice = node.Online("alice", {"a", "b"});
  const Receipt receipt = node.Do(node.IdOf(alice), Join{.rooms = {{"a"}, {"b"}, {"c"}}});
  for (const RoomChange& room : receipt.rooms) EXPECT_NE(room.result, Result::kRefused);
  EXPECT_EQ(alice.rooms.size(), 3u);
}

TEST(JoinTest, BeyondTheCapacityIsRefusedAndCounted) {
  Limits limits;
  limits.room_members_capacity = 1;
  ShardFixture node(limits);
  node.Online("alice", {"lobby"});
  FakeConnection& bob = node.Online("bob");
  const Receipt receipt = node.Join(bob, "lobby");
  ASSERT_THAT(receipt.rooms, SizeIs(1));
  EXPECT_EQ(receipt.rooms[0].result, Result::kRefused);
  EXPECT_EQ(ReasonOf(receipt.rooms[0].refusal), "CAPACITY_ROOM_MEMBERS");
  EXPECT_EQ(node.Total(Counter::kCapacityExceededRoom), 1u);
  EXPECT_TRUE(bob.rooms.empty());
  EXPECT_TRUE(bob.joins_pending.empty());
}

TEST(JoinTest, RacingACloseLeavesNoRow) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  const auto answer = node.Publish(node.IdOf(alice), Join{.rooms = {{"lobby"}}});
  node.TakeMail();
  EXPECT_EQ(node.SizeOf("lobby").connections, 1u);
  node.Close(alice);
  node.Settle();
  EXPECT_EQ(ReasonOf(answer->receipt.rooms.at(0).refusal), "CONNECTION_GONE");
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST(JoinTest, RacingAReleaseLeavesNoRow) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  const auto answer = node.Publish(node.IdOf(alice), Join{.rooms = {{"lobby"}}});
  node.Publish(node.IdOf(alice), Release{});
  node.Settle();
  EXPECT_EQ(ReasonOf(answer->receipt.rooms.at(0).refusal), "CONNECTION_NOT_OWNED");
  EXPECT_TRUE(alice.rooms.empty());
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST(JoinTest, RacingALeaveEndsOutside) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  const auto join = node.Publish(node.IdOf(alice), Join{.rooms = {{"lobby"}}});
  const auto leave = node.Publish(node.IdOf(alice), Leave{.rooms = {{"lobby"}}});
  node.Settle();
  EXPECT_EQ(join->receipt.rooms.at(0).result, Result::kNotAMember);
  EXPECT_EQ(leave->receipt.rooms.at(0).result, Result::kNotAMember);
  EXPECT_TRUE(alice.rooms.empty());
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST(JoinTest, AfterALeaveThatWithdrewAnotherEndsInside) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  node.Publish(node.IdOf(alice), Join{.rooms = {{"lobby"}}});
  node.Publish(node.IdOf(alice), Leave{.rooms = {{"lobby"}}});
  const auto last = node.Publish(node.IdOf(alice), Join{.rooms = {{"lobby"}}});
  node.Settle();
  EXPECT_EQ(last->receipt.rooms.at(0).result, Result::kJoined);
  EXPECT_THAT(RoomsOf(alice), ElementsAre(RoomName{"lobby"}));
  EXPECT_EQ(node.SizeOf("lobby").connections, 1u);
}

TEST(JoinTest, OfAReleasedClientIsNotInheritedByTheNextOwner) {
  ShardFixture node;
  FakeConnection& connection = node.Online("alice");
  node.Publish(node.IdOf(connection), Join{.rooms = {{"lobby"}}});
  node.Publish(node.IdOf(connection), Release{});
  node.Publish(node.IdOf(connection), Own{.client = {"alice"}});
  node.Settle();
  EXPECT_EQ(connection.client->id.value, "alice");
  EXPECT_TRUE(connection.rooms.empty());
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST(JoinTest, AnswersOnlyWhenTheSubscriptionIsLive) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  node.broker.keeps_back = true;
  const auto join = node.Publish(node.IdOf(alice), Join{.rooms = {{"lobby"}}});
  node.Settle();
  const auto again = node.Publish(node.IdOf(alice), Join{.rooms = {{"lobby"}}});
  node.Settle();
  EXPECT_EQ(join->times + again->times, 0);
  node.broker.LetThrough();
  node.Settle();
  EXPECT_EQ(join->receipt.rooms.at(0).result, Result::kJoined);
  EXPECT_EQ(again->receipt.rooms.at(0).result, Result::kAlreadyMember);
}

TEST(JoinTest, IsUndoneWhenTheBrokerCannotSubscribe) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  FakeConnection& bob = node.Online("bob");
  node.broker.refuses = true;
  const auto first = node.Publish(node.IdOf(alice), Join{.rooms = {{"lobby"}}});
  const auto second = node.Publish(node.IdOf(bob), Join{.rooms = {{"lobby"}}});
  node.Settle();
  for (const auto& answer : {first, second}) {
    EXPECT_EQ(answer->receipt.rooms.at(0).result, Result::kRefused);
    EXPECT_EQ(answer->receipt.rooms.at(0).refusal.code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
  EXPECT_EQ(node.Gauges().members, 0u);
  node.broker.refuses = false;
  EXPECT_EQ(node.Join(alice, "lobby").rooms[0].result, Result::kJoined);
  EXPECT_EQ(node.Push("lobby", "x").queued, 1u);
}

TEST(JoinTest, OfAServiceUnderWayIsLeaveForTheClientToJoinToo) {
  ShardFixture node;
  FakeConnection& alice = node.Open(0, kClientProtocol);
  node.Own(alice, "alice");
  node.Read(alice);
  node.Publish(node.IdOf(alice), Join{.rooms = {{"lobby"}}});
  node.TakeMail();  // the directory has not answered yet
  node.shard(0).OnMessage(alice, Opcode::kText, R"({"join":{"id":"1","room":"lobby"}})");
  node.Settle();
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"joined":{"room":"lobby"}})",
                                            R"({"joined":{"id":"1","room":"lobby"}})"));
  EXPECT_EQ(node.Total(Counter::kClientJoinsDenied), 0u);
}

TEST(LeaveTest, EndsDeliveryAndSaysWhoIsLeft) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice", {"lobby"});
  node.Online("bob", {"lobby"});
  const Receipt receipt = node.Leave(alice, "lobby");
  ASSERT_THAT(receipt.rooms, SizeIs(1));
  EXPECT_EQ(receipt.rooms[0].result, Result::kLeft);
  EXPECT_EQ(receipt.rooms[0].members, 1u);
  EXPECT_EQ(node.Push("lobby", "x").matched, 1u);
  EXPECT_TRUE(alice.outbox.empty());
  EXPECT_EQ(node.events.Of<event::Left>().size(), 1u);
}

TEST(LeaveTest, OfWhoIsNoMemberChangesNothing) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  EXPECT_EQ(node.Leave(alice, "lobby").rooms.at(0).result, Result::kNotAMember);
  EXPECT_EQ(node.Leave(node.Open(), "lobby").rooms.at(0).result, Result::kNotAMember);
  EXPECT_EQ(node.Total(Counter::kRoomLeaves), 0u);
}

TEST(LeaveTest, ByOneConnectionKeepsTheClientWhileAnotherIsIn) {
  ShardFixture node;
  FakeConnection& phone = node.Online("alice", {"lobby"});
  node.Online("alice", {"lobby"});
  EXPECT_EQ(node.Leave(phone, "lobby").rooms.at(0).members, 1u);
  EXPECT_EQ(node.SizeOf("lobby").connections, 1u);
}

}  // namespace
}  // namespace wsrouter
