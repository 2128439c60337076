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
using Result = RoomChange::Result;

std::string Why(const Receipt& receipt) { return ReasonOf(receipt.status); }

TEST(OwnTest, BindsTheClientAndJoinsTheRooms) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  const Receipt receipt = node.Own(alice, "alice", {"lobby", "news"});
  EXPECT_TRUE(receipt.status.ok());
  EXPECT_EQ(receipt.matched, 1u);
  ASSERT_THAT(receipt.rooms, SizeIs(2));
  EXPECT_EQ(receipt.rooms[0].result, Result::kJoined);
  EXPECT_EQ(receipt.rooms[0].members, 1u);
  EXPECT_EQ(alice.client->id.value, "alice");
  EXPECT_THAT(node.ConnectionsOf("alice"), ElementsAre(node.IdOf(alice)));
  EXPECT_EQ(node.SizeOf("lobby").connections, 1u);
  EXPECT_EQ(node.Gauges().members, 2u);
  EXPECT_EQ(node.Total(Counter::kOwns), 1u);
  EXPECT_EQ(node.events.Of<event::Owned>().size(), 1u);
  EXPECT_EQ(node.events.Of<event::Joined>().size(), 2u);
}

TEST(OwnTest, OfAClosedConnectionIsRefused) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  node.Close(alice);
  EXPECT_EQ(Why(node.Own(alice, "alice")), "CONNECTION_GONE");
}

TEST(OwnTest, TwiceIsAnUpdate) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  Own own = {.client = {"alice"}, .rooms = {{"lobby"}}, .labels = {{"device", "phone"}}};
  own.expires_at = node.clock.now.wall + absl::Hours(1);
  node.Do(node.IdOf(alice), own);
  const Receipt again = node.Own(alice, "alice", {"lobby", "news"});
  EXPECT_TRUE(again.status.ok());
  EXPECT_EQ(again.rooms[0].result, Result::kAlreadyMember);
  EXPECT_EQ(again.rooms[1].result, Result::kJoined);
  EXPECT_EQ(alice.labels, nullptr);
  EXPECT_EQ(alice.deadline, absl::InfiniteDuration());
  EXPECT_EQ(node.Total(Counter::kOwns), 1u);
  EXPECT_EQ(node.Gauges().owned, 1u);
  EXPECT_EQ(node.OnlineNow().connections, 1u);
}

TEST(OwnTest, ByAnotherClientIsRefused) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  EXPECT_EQ(Why(node.Own(alice, "mallory")), "CONNECTION_ALREADY_OWNED");
  EXPECT_EQ(alice.client->id.value, "alice");
  EXPECT_THAT(node.ConnectionsOf("mallory"), IsEmpty());
}

TEST(OwnTest, WhileAnotherIsInProgressIsRefused) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  const auto first = node.Publish(node.IdOf(alice), Own{.client = {"alice"}});
  const auto second = node.Publish(node.IdOf(alice), Own{.client = {"mallory"}});
  node.Settle();
  EXPECT_TRUE(first->receipt.status.ok());
  EXPECT_EQ(Why(second->receipt), "OWN_IN_PROGRESS");
}

TEST(OwnTest, GivesTheRowBackWhenTheConnectionClosesMeanwhile) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  const auto answer = node.Publish(node.IdOf(alice), Own{.client = {"alice"}});
  node.TakeMail();  // the directory is asked, its answer waits
  EXPECT_THAT(node.ConnectionsOf("alice"), SizeIs(1));
  node.Close(alice);
  node.Settle();
  EXPECT_EQ(answer->times, 1);
  EXPECT_EQ(Why(answer->receipt), "CONNECTION_GONE");
  EXPECT_THAT(node.ConnectionsOf("alice"), IsEmpty());
}

TEST(OwnTest, ClosesWhomItDisplacedAlsoWhenItsOwnConnectionCloses) {
  ShardFixture node;
  FakeConnection& old = node.Online("alice");
  FakeConnection& young = node.Open();
  node.Publish(node.IdOf(young), Own{.client = {"alice"}, .on_duplicate = OnDuplicate::kReplace});
  node.TakeMail();
  node.Close(young);
  node.Settle();
  ASSERT_TRUE(old.closed.has_value());
  EXPECT_EQ(old.closed->code, 4020);
}

TEST(OwnTest, AgainRacingARelease) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice", {"lobby"});
  const auto own = node.Publish(node.IdOf(alice), Own{.client = {"alice"}});
  const auto release = node.Publish(node.IdOf(alice), Release{});
  node.Settle();
  EXPECT_EQ(release->receipt.matched, 1u);
  EXPECT_EQ(Why(own->receipt), "CONNECTION_NOT_OWNED");
  EXPECT_EQ(alice.client, nullptr);
  EXPECT_THAT(node.ConnectionsOf("alice"), IsEmpty());
  EXPECT_TRUE(node.Own(alice, "alice").status.ok());
}

TEST(OwnTest, AllowKeepsTheOtherConnections) {
  ShardFixture node;
  FakeConnection& phone = node.Online("alice");
  const Receipt receipt = node.Own(node.Open(), "alice");
  EXPECT_THAT(receipt.displaced, IsEmpty());
  EXPECT_FALSE(phone.closed.has_value());
  EXPECT_EQ(node.OnlineNow().connections, 2u);
  EXPECT_EQ(node.OnlineNow().clients, 1u);
}

TEST(OwnTest, ReplaceClosesTheOthers4020) {
  ShardFixture node({}, 2);
  FakeConnection& phone = node.Online("alice", {"lobby"}, 1);
  FakeConnection& laptop = node.Open();
  const Receipt receipt =
      node.Do(node.IdOf(laptop), Own{.client = {"alice"}, .on_duplicate = OnDuplicate::kReplace});
  EXPECT_THAT(receipt.displaced, ElementsAre(node.IdOf(phone)));
  ASSERT_TRUE(phone.closed.has_value());
  EXPECT_EQ(phone.closed->code, 4020);
  EXPECT_EQ(node.events.Of<event::Disconnected>()[0].cause, CloseCause::kSuperseded);
  EXPECT_THAT(node.ConnectionsOf("alice"), ElementsAre(node.IdOf(laptop)));
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST(OwnTest, ReplaceClosesTheOthersAlsoWhenTheirMailboxWasFull) {
  ShardFixture node({}, 2);
  FakeConnection& phone = node.Online("alice", {}, 1);
  FakeConnection& laptop = node.Open();
  node.mailbox(1).capacity = 0;
  node.Publish(node.IdOf(laptop), Own{.client = {"alice"}, .on_duplicate = OnDuplicate::kReplace});
  for (int i = 0; i < 10; ++i) {
    node.TakeMail(0);
    node.RunTasks(0);
  }
  EXPECT_FALSE(phone.closed.has_value());
  node.mailbox(1).capacity = SIZE_MAX;
  node.Settle();
  node.Settle();
  ASSERT_TRUE(phone.closed.has_value());
  EXPECT_EQ(phone.closed->code, 4020);
}

TEST(OwnTest, RejectLeavesTheConnectionUnownedWithItsOldDeadline) {
  ShardFixture node;
  node.Online("alice");
  FakeConnection& late = node.Open();
  const absl::Duration deadline = late.deadline;
  const Receipt receipt =
      node.Do(node.IdOf(late), Own{.client = {"alice"}, .on_duplicate = OnDuplicate::kReject});
  EXPECT_EQ(Why(receipt), "CLIENT_ALREADY_OWNED");
  EXPECT_EQ(late.client, nullptr);
  EXPECT_EQ(late.deadline, deadline);
  EXPECT_FALSE(late.own_pending);
}

TEST(OwnTest, RejectOfItsOwnConnectionIsAnUpdate) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice");
  EXPECT_TRUE(
      node.Do(node.IdOf(alice), Own{.client = {"alice"}, .on_duplicate = OnDuplicate::kReject})
          .status.ok());
}

TEST(OwnTest, BeyondTheCapacityIsRefusedAndCounted) {
  Limits limits;
  limits.owner_capacity = 1;
  ShardFixture node(limits);
  node.Online("alice");
  FakeConnection& bob = node.Open();
  EXPECT_EQ(Why(node.Own(bob, "bob", {"lobby"})), "CAPACITY_CONNECTIONS");
  EXPECT_EQ(node.Total(Counter::kCapacityExceededOwner), 1u);
  EXPECT_EQ(bob.client, nullptr);
  EXPECT_FALSE(bob.closed.has_value());
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST(OwnTest, BeyondTheConnectionsOfAClientIsRefused) {
  Limits limits;
  limits.connections_per_client = 1;
  ShardFixture node(limits);
  node.Online("alice");
  EXPECT_EQ(Why(node.Own(node.Open(), "alice")), "CONNECTIONS_PER_CLIENT");
}

TEST(OwnTest, AnswersOnlyWhenTheSubscriptionIsLive) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  node.broker.keeps_back = true;
  const auto own = node.Publish(node.IdOf(alice), Own{.client = {"alice"}});
  node.Settle();
  const auto again = node.Publish(node.IdOf(alice), Own{.client = {"alice"}});
  node.Settle();
  EXPECT_EQ(own->times, 0);
  EXPECT_EQ(again->times, 0);
  node.broker.LetThrough();
  node.Settle();
  EXPECT_EQ(own->times, 1);
  EXPECT_EQ(again->times, 1);
}

TEST(OwnTest, IsUndoneWhenTheBrokerCannotSubscribe) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  node.broker.refuses = true;
  EXPECT_EQ(node.Own(alice, "alice", {"lobby"}).status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(alice.client, nullptr);
  EXPECT_THAT(node.ConnectionsOf("alice"), IsEmpty());
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
  node.broker.refuses = false;
  EXPECT_TRUE(node.Own(alice, "alice").status.ok());
  EXPECT_EQ(node.Do(ClientId{"alice"}, Text("x")).queued, 1u);
}

TEST(ReleaseTest, WithoutCloseLeavesTheConnectionOpenForAnotherOwner) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice", {"lobby"});
  node.Pass(absl::Minutes(5));
  EXPECT_EQ(node.Do(node.IdOf(alice), Release{}).matched, 1u);
  EXPECT_FALSE(alice.closed.has_value());
  EXPECT_EQ(alice.client, nullptr);
  EXPECT_EQ(alice.deadline, node.clock.now.uptime + absl::Seconds(10));
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
  EXPECT_EQ(node.Push("lobby", "x").matched, 0u);
  EXPECT_EQ(node.Do(ClientId{"alice"}, Text("x")).matched, 0u);
  EXPECT_TRUE(node.Own(alice, "bob").status.ok());
}

TEST(ReleaseTest, GivesTheWholeAuthTimeoutAlsoAfterARefusedOwn) {
  ShardFixture node;
  node.Online("bob");
  FakeConnection& alice = node.Online("alice");
  node.Pass(absl::Minutes(5));
  node.Do(node.IdOf(alice), Release{});
  node.Do(node.IdOf(alice), Own{.client = {"bob"}, .on_duplicate = OnDuplicate::kReject});
  node.Pass(absl::Seconds(9));
  EXPECT_FALSE(alice.closed.has_value());
  node.Pass(absl::Seconds(1));
  EXPECT_TRUE(alice.closed.has_value());
}

TEST(ReleaseTest, OfAClientWithCloseEndsAllItsConnections) {
  ShardFixture node({}, 2);
  FakeConnection& phone = node.Online("alice", {"lobby"});
  FakeConnection& laptop = node.Online("alice", {}, 1);
  const Receipt receipt =
      node.Do(ClientId{"alice"}, Release{.close = CloseWith{1000, "signed out"}});
  EXPECT_EQ(receipt.matched, 2u);
  for (const FakeConnection* connection : {&phone, &laptop}) {
    ASSERT_TRUE(connection->closed.has_value());
    EXPECT_EQ(connection->closed->code, 1000);
    EXPECT_EQ(connection->closed->reason, "signed out");
  }
  EXPECT_EQ(node.events.Of<event::Released>().size(), 2u);
}

TEST(ReleaseTest, OfWhatIsNotOwnedCountsNothing) {
  ShardFixture node;
  FakeConnection& pending = node.Open();
  EXPECT_EQ(node.Do(node.IdOf(pending), Release{.close = CloseWith{1000, ""}}).matched, 0u);
  EXPECT_FALSE(pending.closed.has_value());
  EXPECT_EQ(node.Total(Counter::kReleases), 0u);
}

TEST(ReleaseTest, ForgetsLabelsAndExpiry) {
  ShardFixture node;
  FakeConnection& alice = node.Open();
  Own own = {.client = {"alice"}, .labels = {{"device", "phone"}}};
  own.expires_at = node.clock.now.wall + absl::Hours(1);
  node.Do(node.IdOf(alice), own);
  ASSERT_NE(alice.labels, nullptr);
  node.Do(node.IdOf(alice), Release{});
  EXPECT_EQ(alice.labels, nullptr);
  EXPECT_EQ(alice.expires_at, absl::InfiniteFuture());
}

}  // namespace
}  // namespace wsrouter
