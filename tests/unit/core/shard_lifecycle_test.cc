#include <string>

#include "core/error.h"
#include "core/shard.h"
#include "gmock/gmock.h"
#include "tests/support/shard_fixture.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(LifecycleTest, AnUnownedConnectionIsClosed4001AfterTheAuthTimeout) {
  ShardFixture node;
  FakeConnection& pending = node.Open();
  EXPECT_EQ(pending.rearms, 1);
  node.Pass(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_FALSE(pending.closed.has_value());
  node.Pass(absl::Nanoseconds(1));
  ASSERT_TRUE(pending.closed.has_value());
  EXPECT_EQ(pending.closed->code, 4001);
  EXPECT_EQ(node.Total(Counter::kClosedNotAuthenticated), 1u);
  EXPECT_EQ(node.events.Of<event::Disconnected>()[0].cause, CloseCause::kNotAuthenticated);
}

TEST(LifecycleTest, TheAuthTimeoutWaitsForAnOwnInProgress) {
  Limits limits;
  limits.owner_capacity = 1;
  ShardFixture node(limits);
  node.Online("alice");
  FakeConnection& bob = node.Open();
  node.Publish(node.IdOf(bob), Own{.client = {"bob"}});
  node.TakeMail();
  node.Pass(absl::Seconds(11));
  EXPECT_FALSE(bob.closed.has_value());
  node.Settle();  // refused
  node.Pass(absl::Seconds(1));
  ASSERT_TRUE(bob.closed.has_value());
  EXPECT_EQ(bob.closed->code, 4001);
}

class ExpiryTest : public testing::Test {
 protected:
  FakeConnection& OwnFor(absl::Duration time) {
    FakeConnection& connection = node_.Open();
    Own own = {.client = {"alice"}};
    own.expires_at = node_.clock.now.wall + time;
    EXPECT_TRUE(node_.Do(node_.IdOf(connection), own).status.ok());
    return connection;
  }

  ShardFixture node_;
};

TEST_F(ExpiryTest, ClosesTheConnection4002) {
  FakeConnection& alice = OwnFor(absl::Seconds(30));
  node_.Pass(absl::Seconds(29));
  EXPECT_FALSE(alice.closed.has_value());
  node_.Pass(absl::Seconds(1));
  ASSERT_TRUE(alice.closed.has_value());
  EXPECT_EQ(alice.closed->code, 4002);
  EXPECT_EQ(node_.Total(Counter::kClosedExpired), 1u);
}

TEST_F(ExpiryTest, IsExactAlsoHoursLater) {
  FakeConnection& alice = OwnFor(absl::Hours(2) + absl::Seconds(3));
  for (int minute = 0; minute < 120; ++minute) node_.Pass(absl::Minutes(1));
  node_.Pass(absl::Milliseconds(2999));
  EXPECT_FALSE(alice.closed.has_value());
  node_.Pass(absl::Milliseconds(1));
  EXPECT_TRUE(alice.closed.has_value());
}

TEST_F(ExpiryTest, IsPutOffByAnotherOwn) {
  FakeConnection& alice = OwnFor(absl::Seconds(30));
  node_.Pass(absl::Seconds(20));
  Own own = {.client = {"alice"}};
  own.expires_at = node_.clock.now.wall + absl::Seconds(30);
  node_.Do(node_.IdOf(alice), own);
  node_.Pass(absl::Seconds(29));
  EXPECT_FALSE(alice.closed.has_value());
  node_.Pass(absl::Seconds(1));
  EXPECT_TRUE(alice.closed.has_value());
}

TEST_F(ExpiryTest, InThePastIsRefused) {
  FakeConnection& alice = node_.Open();
  Own own = {.client = {"alice"}};
  own.expires_at = node_.clock.now.wall;
  EXPECT_EQ(ReasonOf(node_.Do(node_.IdOf(alice), own).status), "FIELD_INVALID");
  EXPECT_EQ(alice.client, nullptr);
}

TEST_F(ExpiryTest, FollowsAWallClockThatIsSetBack) {
  FakeConnection& alice = OwnFor(absl::Seconds(30));
  node_.clock.now.wall -= absl::Seconds(20);
  node_.Pass(absl::Seconds(30));
  EXPECT_FALSE(alice.closed.has_value());
  EXPECT_EQ(alice.deadline, node_.clock.now.uptime + absl::Seconds(20));
  node_.Pass(absl::Seconds(20));
  EXPECT_TRUE(alice.closed.has_value());
}

TEST_F(ExpiryTest, NoticesAWallClockThatJumpsAheadWithinAMinute) {
  FakeConnection& alice = OwnFor(absl::Hours(10));
  node_.clock.now.wall += absl::Hours(11);
  node_.Pass(absl::Minutes(1));
  ASSERT_TRUE(alice.closed.has_value());
  EXPECT_EQ(alice.closed->code, 4002);
}

TEST_F(ExpiryTest, OfTheAuthTimeoutDoesNotFollowTheWallClock) {
  FakeConnection& pending = node_.Open();
  node_.clock.now.wall += absl::Hours(11);
  node_.Pass(absl::Seconds(9));
  EXPECT_FALSE(pending.closed.has_value());
}

TEST(LifecycleTest, DisconnectClosesWithTheCodeAndReasonOfTheService) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice", {"lobby"});
  FakeConnection& bob = node.Online("bob", {"lobby"});
  const Receipt receipt = node.Do(RoomName{"lobby"}, Disconnect{{4003, "banned"}});
  EXPECT_EQ(receipt.matched, 2u);
  for (const FakeConnection* connection : {&alice, &bob}) {
    ASSERT_TRUE(connection->closed.has_value());
    EXPECT_EQ(connection->closed->code, 4003);
    EXPECT_EQ(connection->closed->reason, "banned");
  }
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST(LifecycleTest, DisconnectReachesAnUnownedConnection) {
  ShardFixture node;
  FakeConnection& pending = node.Open();
  EXPECT_EQ(node.Do(node.IdOf(pending), Disconnect{{4021, ""}}).matched, 1u);
  EXPECT_TRUE(pending.closed.has_value());
}

TEST(LifecycleTest, EventsOfAConnectionComeInOrderAndEndWithDisconnected) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  node.Own(alice, "alice", {"lobby"});
  node.shard(0).OnMessage(alice, Opcode::kBinary, "ping");
  alice.octets_in = 10;
  node.Pass(absl::Seconds(3));
  node.Close(alice);
  ASSERT_THAT(node.events.events, SizeIs(6));
  std::vector<size_t> kinds;
  for (const Event& event : node.events.events) {
    kinds.push_back(event.detail.index());
    EXPECT_EQ(event.connection, node.IdOf(alice));
    EXPECT_EQ(event.client.value, event.detail.index() == 0 ? "" : "alice");
  }
  EXPECT_THAT(kinds, ElementsAre(0, 1, 4, 3, 5, 7));
  const auto message = node.events.Of<event::Message>()[0];
  EXPECT_EQ(message.opcode, Opcode::kBinary);
  EXPECT_EQ(message.payload, "ping");
  EXPECT_THAT(message.rooms, ElementsAre(RoomName{"lobby"}));
  const auto end = node.events.Of<event::Disconnected>()[0];
  EXPECT_EQ(end.cause, CloseCause::kClientClosed);
  EXPECT_EQ(end.duration, absl::Seconds(3));
  EXPECT_EQ(end.octets_in, 10u);
}

TEST(LifecycleTest, MessagesThatNobodyWantsAreCountedAndNotMade) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  node.events.wanted.reset(kEventKind<event::Message>);
  node.shard(0).OnMessage(alice, Opcode::kText, "hello?");
  EXPECT_EQ(node.Total(Counter::kMessagesIn), 1u);
  EXPECT_EQ(node.Total(Counter::kMessagesUnheard), 1u);
  EXPECT_THAT(node.events.Of<event::Message>(), IsEmpty());
}

TEST(LifecycleTest, AnnouncesWhomNobodyOwnsToOneWatcher) {
  ShardFixture node({}, 2);
  node.Online("alice");
  FakeConnection& first = node.Open(0);
  FakeConnection& second = node.Open(1);
  const size_t events = node.events.events.size();
  node.Do(ThisNode{}, AnnouncePending{.watcher = 7});
  ASSERT_THAT(node.events.to_watchers, SizeIs(2));
  EXPECT_EQ(node.events.to_watchers[0].first, 7u);
  EXPECT_EQ(node.events.to_watchers[0].second.connection, node.IdOf(first));
  EXPECT_EQ(node.events.to_watchers[0].second.at, first.connected_at);
  EXPECT_EQ(node.events.to_watchers[1].second.connection, node.IdOf(second));
  EXPECT_EQ(node.events.events.size(), events);
}

TEST(LifecycleTest, StopClosesEveryone1012) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice", {"lobby"});
  FakeConnection& pending = node.Open();
  const auto own = node.Publish(node.IdOf(pending), Own{.client = {"bob"}});
  node.TakeMail();
  node.shard(0).Stop();
  ASSERT_TRUE(alice.closed.has_value());
  ASSERT_TRUE(pending.closed.has_value());
  EXPECT_EQ(alice.closed->code, 1012);
  node.Settle();
  EXPECT_EQ(ReasonOf(own->receipt.status), "CONNECTION_GONE");
  node.shard(0).Start();  // so that the fixture can stop it
}

TEST(DescribeTest, TellsWhatIsKnownOfAConnection) {
  ShardFixture node;
  FakeConnection& alice = node.Open(0, "chat.v1");
  Own own = {.client = {"alice"}, .rooms = {{"news"}, {"lobby"}}, .labels = {{"device", "phone"}}};
  own.expires_at = node.clock.now.wall + absl::Hours(1);
  node.Do(node.IdOf(alice), own);
  node.Push("lobby", "12345678");
  const Receipt receipt = node.Do(node.IdOf(alice), Describe{});
  ASSERT_THAT(receipt.connections, SizeIs(1));
  const ConnectionDescription& description = receipt.connections[0];
  EXPECT_EQ(description.id, node.IdOf(alice));
  EXPECT_EQ(description.client.value, "alice");
  EXPECT_EQ(description.peer, "192.0.2.1:4711");
  EXPECT_EQ(description.path, "/ws");
  EXPECT_EQ(description.subprotocol, "chat.v1");
  EXPECT_EQ(description.connected_at, node.clock.now.wall);
  EXPECT_EQ(description.expires_at, own.expires_at);
  EXPECT_THAT(description.rooms, ElementsAre(RoomName{"lobby"}, RoomName{"news"}));
  EXPECT_EQ(description.labels, own.labels);
  EXPECT_EQ(description.outbox_bytes, 10u);
}

TEST(DescribeTest, OfAnUnownedConnectionHasNoClientAndNoExpiry) {
  ShardFixture node;
  const Receipt receipt = node.Do(node.IdOf(node.Open()), Describe{});
  ASSERT_THAT(receipt.connections, SizeIs(1));
  EXPECT_EQ(receipt.connections[0].client.value, "");
  EXPECT_EQ(receipt.connections[0].expires_at, std::nullopt);
}

TEST(DescribeTest, PagesMeetEveryConnectionOnceThoughOthersClose) {
  ShardFixture node;
  std::vector<FakeConnection*> opened;
  for (int i = 0; i < 10; ++i) opened.push_back(&node.Open());
  std::vector<uint64_t> seen;
  std::optional<ConnectionId> after;
  while (true) {
    const Receipt page = node.Do(ThisNode{}, Describe{.after = after, .count = 3});
    if (page.connections.empty()) break;
    for (const auto& connection : page.connections) seen.push_back(connection.id.counter);
    after = page.connections.back().id;
    if (seen.size() == 3) {
      node.Close(*opened[0]);
      node.Close(*opened[2]);
      node.Open();
    }
  }
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
}

TEST(DescribeTest, OfAClientFindsItsConnectionsOnAllShards) {
  ShardFixture node({}, 2);
  node.Online("alice", {}, 0);
  node.Online("alice", {}, 1);
  node.Online("bob");
  EXPECT_THAT(node.Do(ClientId{"alice"}, Describe{}).connections, SizeIs(2));
}

TEST(DescribeTest, OfMembersFindsOfEachTheLastConnectionInTheRoom) {
  ShardFixture node;
  node.Online("alice", {"lobby"});
  FakeConnection& second = node.Online("alice", {"lobby"});
  node.Online("alice", {"other"});
  node.Online("bob", {"lobby"});
  node.Online("carol", {"other"});
  const Describe members = {
      .after = std::nullopt, .count = 3, .clients = {{"alice"}, {"carol"}, {"nobody"}}};
  const Receipt receipt = node.Do(RoomName{"lobby"}, members);
  ASSERT_THAT(receipt.connections, SizeIs(1));
  EXPECT_EQ(receipt.connections[0].id, node.IdOf(second));
  EXPECT_THAT(receipt.connections[0].rooms, testing::IsEmpty());
  EXPECT_THAT(node.Do(ThisNode{}, members).connections, testing::IsEmpty()) << "of no room";
}

}  // namespace
}  // namespace wsrouter
