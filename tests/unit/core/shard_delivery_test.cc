#include <string>

#include "core/shard.h"
#include "gmock/gmock.h"
#include "tests/support/shard_fixture.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ShardDeliveryTest, ReachesTheMembersOfTheRoomAndNobodyElse) {
  ShardFixture node({}, 2);
  FakeConnection& alice = node.Online("alice", {"lobby"});
  FakeConnection& bob = node.Online("bob", {"lobby", "other"}, 1);
  FakeConnection& carol = node.Online("carol", {"other"});
  FakeConnection& nobody = node.Open();
  const Receipt receipt = node.Push("lobby", "hello");
  EXPECT_EQ(receipt.matched, 2u);
  EXPECT_EQ(receipt.queued, 2u);
  EXPECT_EQ(receipt.nodes, 1u);
  EXPECT_THAT(node.Read(alice), ElementsAre("hello"));
  EXPECT_THAT(node.Read(bob), ElementsAre("hello"));
  EXPECT_THAT(node.Read(carol), IsEmpty());
  EXPECT_THAT(node.Read(nobody), IsEmpty());
  EXPECT_EQ(node.Total(Counter::kPushes), 2u);
}

TEST(ShardDeliveryTest, OfARoomWithoutMembersMatchesNobody) {
  ShardFixture node;
  const Receipt receipt = node.Push("empty", "hello");
  EXPECT_TRUE(receipt.status.ok());
  EXPECT_EQ(receipt.matched, 0u);
  EXPECT_EQ(receipt.nodes, 0u);
}

TEST(ShardDeliveryTest, ReachesEveryConnectionOfAClient) {
  ShardFixture node({}, 2);
  FakeConnection& phone = node.Online("alice");
  FakeConnection& laptop = node.Online("alice", {}, 1);
  node.Online("bob");
  EXPECT_EQ(node.Do(ClientId{"alice"}, Text("for you")).queued, 2u);
  EXPECT_THAT(node.Read(phone), ElementsAre("for you"));
  EXPECT_THAT(node.Read(laptop), ElementsAre("for you"));
}

TEST(ShardDeliveryTest, ReachesAnUnownedConnectionOnlyByItsId) {
  ShardFixture node;
  FakeConnection& pending = node.Open();
  EXPECT_EQ(node.Do(node.IdOf(pending), Text("who are you?")).queued, 1u);
  EXPECT_EQ(node.Do(Everyone{}, Text("all")).matched, 0u);
  EXPECT_THAT(node.Read(pending), ElementsAre("who are you?"));
}

TEST(ShardDeliveryTest, ReachesEveryOwnedConnectionOfTheCluster) {
  ShardFixture node({}, 2);
  node.Online("alice");
  node.Online("bob", {}, 1);
  EXPECT_EQ(node.Do(Everyone{}, Text("all")).queued, 2u);
}

TEST(ShardDeliveryTest, LeavesOutWhoIsExcepted) {
  ShardFixture node({}, 2);
  FakeConnection& phone = node.Online("alice", {"lobby"});
  FakeConnection& laptop = node.Online("alice", {"lobby"}, 1);
  FakeConnection& bob = node.Online("bob", {"lobby"});
  FakeConnection& carol = node.Online("carol", {"lobby"}, 1);
  Deliver deliver = Text("not for all");
  deliver.except = std::make_shared<const Exceptions>(
      Exceptions{.connections = {node.IdOf(bob)}, .clients = {{"alice"}, {"nobody"}}});
  const Receipt receipt = node.Do(RoomName{"lobby"}, deliver);
  EXPECT_EQ(receipt.matched, 1u);
  EXPECT_THAT(node.Read(phone), IsEmpty());
  EXPECT_THAT(node.Read(laptop), IsEmpty());
  EXPECT_THAT(node.Read(bob), IsEmpty());
  EXPECT_THAT(node.Read(carol), ElementsAre("not for all"));
}

TEST(ShardDeliveryTest, ExceptsOnlyTheConnectionWithThatWholeId) {
  ShardFixture node({}, 2);
  FakeConnection& first = node.Online("alice", {"lobby"}, 0);
  FakeConnection& second = node.Online("bob", {"lobby"}, 1);
  ASSERT_EQ(first.counter, second.counter);
  ConnectionId stranger = node.IdOf(second);
  ++stranger.node.incarnation;
  Deliver deliver = Text("x");
  deliver.except = std::make_shared<const Exceptions>(
      Exceptions{.connections = {node.IdOf(first), stranger}, .clients = {}});
  node.Do(RoomName{"lobby"}, deliver);
  EXPECT_THAT(node.Read(first), IsEmpty());
  EXPECT_THAT(node.Read(second), ElementsAre("x"));
}

TEST(ShardDeliveryTest, KeepsTheOrderOfPushes) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice", {"lobby"});
  for (const char* text : {"1", "2", "3"}) node.Publish(RoomName{"lobby"}, Text(text));
  node.Publish(ClientId{"alice"}, Text("4"));
  node.Settle();
  EXPECT_THAT(node.Read(alice), ElementsAre("1", "2", "3", "4"));
}

TEST(ShardDeliveryTest, ToAConnectionOfAnotherIncarnationOrShardReachesNobody) {
  ShardFixture node({}, 2);
  FakeConnection& alice = node.Online("alice");
  ConnectionId stranger = node.IdOf(alice);
  ++stranger.node.incarnation;
  EXPECT_EQ(node.Do(stranger, Text("x")).matched, 0u);
  stranger = node.IdOf(alice);
  stranger.shard = 1;
  EXPECT_EQ(node.Do(stranger, Text("x")).matched, 0u);
  stranger.shard = 9;
  EXPECT_EQ(node.Do(stranger, Text("x")).nodes, 0u);
  EXPECT_THAT(node.Read(alice), IsEmpty());
}

TEST(ShardDeliveryTest, ToAClosedConnectionIsCounted) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  node.Close(alice);
  EXPECT_EQ(node.Do(node.IdOf(alice), Text("x")).matched, 0u);
  EXPECT_EQ(node.Total(Counter::kPushesToDeadFd), 1u);
  EXPECT_TRUE(alice.outbox.empty());
}

TEST(ShardDeliveryTest, SaysSoWhenTheMailboxIsFull) {
  ShardFixture node({}, 2);
  node.Online("alice", {"lobby"}, 0);
  node.Online("bob", {"lobby"}, 1);
  node.mailbox(1).capacity = 0;
  const Receipt receipt = node.Push("lobby", "x");
  EXPECT_EQ(receipt.queued, 1u);
  EXPECT_EQ(receipt.dropped_mailbox_full, 1u);
  node.mailbox(1).capacity = SIZE_MAX;
}

TEST(ShardDeliveryTest, CountsTheMessagesThatASocketTookNoMore) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice", {"lobby"});
  node.Push("lobby", "1");
  node.Push("lobby", "2");
  ASSERT_TRUE(node.shard(0).Reply(alice, Frame::Make(Opcode::kPong, "")));
  node.shard(0).OnSent(alice, 1);
  node.Close(alice, CloseCause::kConnectionLost);
  node.shard(0).OnGone(alice);
  EXPECT_EQ(node.Total(Counter::kPushesFailed), 2u);
  EXPECT_EQ(node.Total(Counter::kPushes), 2u);
  alice.outbox = Outbox();
}

class SlowConsumerTest : public testing::Test {
 protected:
  static Limits Small(SlowConsumerPolicy policy) {
    Limits limits;
    limits.slow_consumer_bytes = 20 + 2 * kFrameOverheadBytes;  // two of kTen
    limits.slow_consumer_policy = policy;
    return limits;
  }
  static constexpr std::string_view kTen = "12345678";  // 10 octets on the wire
};

TEST_F(SlowConsumerTest, LosesTheFrameAndStays) {
  ShardFixture node(Small(SlowConsumerPolicy::kDrop));
  FakeConnection& slow = node.Online("slow", {"lobby"});
  FakeConnection& quick = node.Online("quick", {"lobby"});
  for (int i = 0; i < 2; ++i) node.Push("lobby", kTen);
  EXPECT_EQ(node.Read(quick).size(), 2u);
  const Receipt receipt = node.Push("lobby", kTen);
  EXPECT_EQ(receipt.matched, 2u);
  EXPECT_EQ(receipt.queued, 1u);
  EXPECT_EQ(receipt.dropped_slow_consumer, 1u);
  EXPECT_EQ(node.Total(Counter::kPushesDroppedSlowConsumer), 1u);
  EXPECT_FALSE(slow.closed.has_value());
  EXPECT_EQ(node.Read(slow).size(), 2u);
  EXPECT_EQ(node.Read(quick).size(), 1u);
}

TEST_F(SlowConsumerTest, IsToldOnceUntilItsOutboxWasEmpty) {
  ShardFixture node(Small(SlowConsumerPolicy::kDrop));
  FakeConnection& slow = node.Online("slow", {"lobby"});
  for (int i = 0; i < 5; ++i) node.Push("lobby", kTen);
  ASSERT_EQ(node.events.Of<event::Slow>().size(), 1u);
  EXPECT_EQ(node.events.Of<event::Slow>()[0].outbox_bytes, 20u);
  node.shard(0).OnSent(slow, 10);
  for (int i = 0; i < 2; ++i) node.Push("lobby", kTen);
  EXPECT_EQ(node.events.Of<event::Slow>().size(), 1u);
  node.Read(slow);
  ASSERT_EQ(node.events.Of<event::Slow>().size(), 2u);
  EXPECT_EQ(node.events.Of<event::Slow>()[1].cause, SlowCause::kRecovered);
  EXPECT_EQ(node.events.Of<event::Slow>()[1].frames_lost, 4u);
  for (int i = 0; i < 3; ++i) node.Push("lobby", kTen);
  ASSERT_EQ(node.events.Of<event::Slow>().size(), 3u);
  EXPECT_EQ(node.events.Of<event::Slow>()[2].frames_lost, 1u);
}

TEST_F(SlowConsumerTest, IsClosed1013WhereItSpeaksNoSubprotocol) {
  ShardFixture node(Small(SlowConsumerPolicy::kDisconnect));
  FakeConnection& slow = node.Online("slow", {"lobby"});
  for (int i = 0; i < 2; ++i) node.Push("lobby", kTen);
  EXPECT_EQ(node.Push("lobby", kTen).dropped_slow_consumer, 1u);
  ASSERT_TRUE(slow.closed.has_value());
  EXPECT_EQ(slow.closed->code, 1013);
  EXPECT_EQ(node.Total(Counter::kClosedSlowConsumer), 1u);
  ASSERT_EQ(node.events.Of<event::Disconnected>().size(), 1u);
  EXPECT_EQ(node.events.Of<event::Disconnected>()[0].cause, CloseCause::kSlowConsumer);
}

TEST_F(SlowConsumerTest, IsClosed4014WhereItSpeaksTheSubprotocol) {
  ShardFixture node(Small(SlowConsumerPolicy::kDisconnect));
  FakeConnection& slow = node.Open(0, "wsrouter.v1.json");
  node.Own(slow, "slow", {"lobby"});
  for (int i = 0; i < 3; ++i) node.Push("lobby", kTen);
  ASSERT_TRUE(slow.closed.has_value());
  EXPECT_EQ(slow.closed->code, 4014);
}

TEST_F(SlowConsumerTest, KeepsTheRestOfTheFrameItHasBegunAndCountsTheOthers) {
  ShardFixture node(Small(SlowConsumerPolicy::kDisconnect));
  FakeConnection& slow = node.Online("slow", {"lobby"});
  for (int i = 0; i < 2; ++i) node.Push("lobby", kTen);
  node.shard(0).OnSent(slow, 3);
  node.Push("lobby", kTen);
  EXPECT_EQ(slow.outbox.bytes(), 7u);
  EXPECT_EQ(node.Gauges().outbox_bytes, 7u);
  EXPECT_EQ(node.Total(Counter::kPushesFailed), 1u);
}

TEST_F(SlowConsumerTest, MeetsThePolicyOfTheMessage) {
  ShardFixture node(Small(SlowConsumerPolicy::kDrop));
  FakeConnection& slow = node.Online("slow", {"lobby"});
  for (int i = 0; i < 3; ++i) node.Push("lobby", kTen);
  EXPECT_FALSE(slow.closed.has_value());
  Deliver urgent = Text(kTen);
  urgent.slow_consumer = SlowConsumerPolicy::kDisconnect;
  node.Do(RoomName{"lobby"}, urgent);
  EXPECT_TRUE(slow.closed.has_value());
}

TEST_F(SlowConsumerTest, IsSparedByAMessageThatMayBeLost) {
  ShardFixture node(Small(SlowConsumerPolicy::kDisconnect));
  FakeConnection& slow = node.Online("slow", {"lobby"});
  for (int i = 0; i < 2; ++i) node.Push("lobby", kTen);
  Deliver lossy = Text(kTen);
  lossy.slow_consumer = SlowConsumerPolicy::kDrop;
  EXPECT_EQ(node.Do(RoomName{"lobby"}, lossy).dropped_slow_consumer, 1u);
  EXPECT_FALSE(slow.closed.has_value());
}

TEST_F(SlowConsumerTest, StillGetsTheTransportsRepliesButNotWithoutBound) {
  ShardFixture node(Small(SlowConsumerPolicy::kDrop));
  FakeConnection& slow = node.Online("slow", {"lobby"});
  for (int i = 0; i < 3; ++i) node.Push("lobby", kTen);
  const auto pong = Frame::Make(Opcode::kPong, kTen);
  size_t replies = 0;
  while (node.shard(0).Reply(slow, pong)) ASSERT_LE(++replies, kControlFramesBytesMax);
  EXPECT_EQ(replies, kControlFramesBytesMax / (10 + kFrameOverheadBytes));
  EXPECT_EQ(node.Gauges().outbox_bytes, 20 + replies * 10);
  EXPECT_EQ(node.Push("lobby", kTen).dropped_slow_consumer, 1u);
}

TEST_F(SlowConsumerTest, IsAskedToWriteForAReplyAlone) {
  ShardFixture node(Small(SlowConsumerPolicy::kDrop));
  FakeConnection& slow = node.Open();
  EXPECT_TRUE(node.shard(0).Reply(slow, Frame::Make(Opcode::kPong, "")));
  EXPECT_TRUE(slow.wants_write);
}

}  // namespace
}  // namespace wsrouter
