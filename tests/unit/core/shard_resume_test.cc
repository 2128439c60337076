// Clients of wsrouter.v1.json that come back: what stays of a connection that broke off, and for
// how long.
#include <string>
#include <vector>

#include "core/client_protocol.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/fake_backend.h"
#include "tests/support/shard_resume_fixture.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(ShardResumeTest, WhoseConnectionBrokeOffStaysForAWhile) {
  ShardFixture node({}, 1, nullptr, &sessions);
  FakeConnection& alice = Alice(node);
  Lose(node, alice);
  EXPECT_TRUE(alice.parked);
  EXPECT_THAT(node.events.events, IsEmpty());
  EXPECT_EQ(node.Gauges().connections, 0u);
  EXPECT_EQ(node.Gauges().parked, 1u);
  EXPECT_THAT(node.MembersOf("lobby"), SizeIs(1));
  const Receipt pushed = node.Push("lobby", "hi");
  EXPECT_EQ(pushed.matched, 1u);
  EXPECT_EQ(pushed.queued, 0u);
  EXPECT_EQ(node.Total(Counter::kPushesParked), 1u);
  EXPECT_TRUE(alice.outbox.empty());

  node.Pass(kWindow - absl::Seconds(1));
  EXPECT_TRUE(alice.parked);
  node.Pass(absl::Seconds(1));
  EXPECT_FALSE(alice.parked);
  EXPECT_TRUE(alice.closed.has_value());
  EXPECT_THAT(node.events.Of<event::Left>(), SizeIs(1));
  const auto ends = node.events.Of<event::Disconnected>();
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].cause, CloseCause::kConnectionLost);
  EXPECT_THAT(node.MembersOf("lobby"), IsEmpty());
  EXPECT_FALSE(Take(token).has_value()) << "too late";
}

TEST_F(ShardResumeTest, WhoComesBackIsWhatItWasAndNobodyHearsOfAnEnd) {
  FakeBackend backend;
  ShardFixture node({}, 2, &backend, &sessions);
  FakeConnection& old = Alice(node, OnDuplicate::kReject);
  Lose(node, old);
  EXPECT_TRUE(node.Join(old, "chess-1").status.ok()) << "services reach who is away";
  node.events.events.clear();

  const auto record = Take(token);
  ASSERT_TRUE(record.has_value());
  FakeConnection& alice = Resume(node, *record, 1);
  EXPECT_EQ(alice.admitted, 1);
  EXPECT_TRUE(old.closed.has_value());
  ASSERT_THAT(node.events.events, SizeIs(1));
  EXPECT_EQ(node.events.events[0].connection, node.IdOf(alice));
  EXPECT_EQ(node.events.events[0].client.value, "alice");
  const auto resumed = node.events.Of<event::Resumed>();
  ASSERT_THAT(resumed, SizeIs(1));
  EXPECT_EQ(resumed[0].previous, node.IdOf(old));
  EXPECT_EQ(resumed[0].labels, (Labels{{"device", "phone"}}));
  EXPECT_EQ(backend.ends(), 0u);
  EXPECT_THAT(node.ConnectionsOf("alice"), ElementsAre(node.IdOf(alice)));
  EXPECT_EQ(node.SizeOf("lobby").connections, 1u);
  EXPECT_EQ(node.SizeOf("chess-1").connections, 1u);

  node.Push("lobby", "again");
  const std::vector<std::string> frames = node.Read(alice);
  const auto welcome = nlohmann::json::parse(frames.at(0))["welcome"];
  EXPECT_TRUE(welcome["resumed"]);
  EXPECT_EQ(welcome["clientId"], "alice");
  EXPECT_EQ(welcome["resumeWindowMs"], 60000);
  EXPECT_NE(welcome["session"], token);
  EXPECT_THAT(frames, testing::Contains(R"({"gap":{"room":"lobby"}})"));
  EXPECT_EQ(frames.back(), R"({"msg":{"room":"lobby","text":"again"}})");
  const auto next = Take(TokenIn(frames));
  ASSERT_TRUE(next.has_value()) << "the new one has taken its place";
  EXPECT_THAT(next->own.may_join, ElementsAre("chess-*"));
  EXPECT_THAT(next->own.rooms, SizeIs(2));
}

TEST_F(ShardResumeTest, AnOlderConnectionThatStillLivesIsClosedWithoutAWord) {
  ShardFixture node({}, 1, nullptr, &sessions);
  FakeConnection& old = Alice(node);
  const auto record = Take(token);
  ASSERT_TRUE(record.has_value());
  Resume(node, *record);
  ASSERT_TRUE(old.closed.has_value());
  EXPECT_EQ(old.closed->code, 4020);
  EXPECT_THAT(node.events.events, SizeIs(1));
  EXPECT_THAT(node.events.Of<event::Resumed>(), SizeIs(1));
  EXPECT_EQ(node.SizeOf("lobby").connections, 1u);
}

TEST_F(ShardResumeTest, AShardWithoutRoomForTheNewsIsToldAgain) {
  ShardFixture node({}, 2, nullptr, &sessions);
  FakeConnection& old = Alice(node);
  Lose(node, old);
  node.mailbox(0).capacity = 0;
  Resume(node, Take(token).value(), 1);
  EXPECT_TRUE(old.parked);
  node.mailbox(0).capacity = SIZE_MAX;
  node.Pass(absl::Seconds(1));
  node.Settle();
  node.Settle();
  EXPECT_FALSE(old.parked);
  EXPECT_THAT(node.events.Of<event::Disconnected>(), IsEmpty());
}

TEST_F(ShardResumeTest, WhoCannotBeLetInIsRefusedAndItsOldConnectionEndsAsEver) {
  ShardFixture node({.owner_capacity = 1}, 1, nullptr, &sessions);
  FakeConnection& old = Alice(node);
  Lose(node, old);
  auto record = Take(token).value();
  record.own.client = {"bob"};  // for whom there is no place
  FakeConnection& refused = Resume(node, record);
  EXPECT_EQ(refused.admitted, 0);
  EXPECT_TRUE(refused.closed.has_value());
  EXPECT_THAT(node.events.events, IsEmpty());
  node.Pass(kWindow);
  EXPECT_THAT(node.events.Of<event::Disconnected>(), SizeIs(1));
}

TEST_F(ShardResumeTest, WhoMeantToGoHasGone) {
  ShardFixture node({}, 1, nullptr, &sessions);
  for (const uint16_t code : {1000, 1001, 1005}) {
    FakeConnection& alice = Alice(node);
    node.shard(0).OnClose(alice, CloseCause::kClientClosed, {.code = code});
    EXPECT_FALSE(alice.parked) << code;
    EXPECT_FALSE(Take(token).has_value()) << code;
  }
  for (const CloseCause cause : {CloseCause::kProtocolError, CloseCause::kExpired,
                                 CloseCause::kRateLimited, CloseCause::kNotAuthenticated}) {
    FakeConnection& alice = Alice(node);
    node.shard(0).OnClose(alice, cause, {.code = 4000});
    EXPECT_FALSE(alice.parked);
    EXPECT_FALSE(Take(token).has_value());
  }
  FakeConnection& broken = Alice(node);
  node.shard(0).OnClose(broken, CloseCause::kClientClosed, {.code = 4444});
  EXPECT_TRUE(broken.parked) << "its library gave up, not its user";
}

TEST_F(ShardResumeTest, ServicesEndWhatIsParkedAndItsSession) {
  ShardFixture node({}, 1, nullptr, &sessions);
  FakeConnection& disconnected = Alice(node);
  Lose(node, disconnected);
  EXPECT_EQ(node.Do(ClientId{"alice"}, Disconnect{.close = {4021, ""}}).matched, 1u);
  EXPECT_FALSE(disconnected.parked);
  EXPECT_FALSE(Take(token).has_value());
  FakeConnection& released = Alice(node);
  Lose(node, released);
  EXPECT_EQ(node.Do(node.IdOf(released), Release{}).matched, 1u);
  EXPECT_FALSE(released.parked);
  EXPECT_FALSE(Take(token).has_value());
  EXPECT_THAT(node.events.Of<event::Released>(), SizeIs(1));
  EXPECT_THAT(node.events.Of<event::Disconnected>(), SizeIs(1));
  FakeConnection& open = Alice(node);
  node.Do(node.IdOf(open), Release{});
  EXPECT_FALSE(Take(token).has_value());
  EXPECT_EQ(TokenIn(node.Read(open)), "");
}

TEST_F(ShardResumeTest, BeyondTheBoundTheOldestEnds) {
  ShardFixture node({.parked_max = 2}, 1, nullptr, &sessions);
  FakeConnection& first = Alice(node);
  FakeConnection& second = Alice(node);
  FakeConnection& third = Alice(node);
  for (FakeConnection* each : {&first, &second, &third}) Lose(node, *each);
  EXPECT_FALSE(first.parked);
  EXPECT_TRUE(second.parked);
  EXPECT_TRUE(third.parked);
  EXPECT_EQ(node.Total(Counter::kParkedEvicted), 1u);
}

TEST_F(ShardResumeTest, WhomADrainClosesMayComeBackElsewhere) {
  {
    ShardFixture node({}, 1, nullptr, &sessions);
    FakeConnection& first = Alice(node);
    FakeConnection& second = Alice(node);
    node.shard(0).Drain(1);
    EXPECT_TRUE(first.parked);
    EXPECT_FALSE(second.closing);
    node.shard(0).Drain(0);
    EXPECT_TRUE(second.parked);
    EXPECT_EQ(second.parted->code, 1012);
    EXPECT_THAT(node.events.events, IsEmpty());
  }  // the node stops
  const auto record = Take(token);
  ASSERT_TRUE(record.has_value());
  EXPECT_THAT(record->own.rooms, SizeIs(1)) << "as it was before the node let it go";
}

TEST_F(ShardResumeTest, ADrainClosesAlsoWhomItsAdmissionHasOvertaken) {
  ShardFixture node({}, 1, nullptr, &sessions);
  FakeConnection& held = node.connections().emplace_back();
  auto handshake = std::make_shared<Handshake>();
  handshake->path = "/ws";
  held.handshake = std::move(handshake);
  node.shard(0).Reserve(held);  // a service is asked about it
  FakeConnection& later = node.Open();
  node.shard(0).Drain(0);
  EXPECT_TRUE(later.closing);
  node.shard(0).OnOpen(held);
  node.shard(0).Drain(0);
  EXPECT_TRUE(held.closing);
}

TEST_F(ShardResumeTest, ARedisThatForgotIsToldAgainOfWhoIsAway) {
  ShardFixture node({}, 1, nullptr, &sessions);
  Lose(node, Alice(node));
  EXPECT_TRUE(Take(token).has_value());
  node.Do(ThisNode{}, Reassert{});
  EXPECT_THAT(node.directory.asserted, SizeIs(1));
  EXPECT_TRUE(Take(token).has_value());
}

TEST_F(ShardResumeTest, OthersHaveNoSession) {
  ShardFixture node({}, 1, nullptr, &sessions);
  FakeConnection& raw = node.Online("alice", {"lobby"});
  Lose(node, raw);
  EXPECT_FALSE(raw.parked);
  FakeConnection& nobody = node.Open(0, kClientProtocol);
  EXPECT_EQ(TokenIn(node.Read(nobody)), "");
  Lose(node, nobody);
  EXPECT_FALSE(nobody.parked);
  ShardFixture off({.resume_window = absl::ZeroDuration()}, 1, nullptr, &sessions);
  FakeConnection& alice = Alice(off);
  EXPECT_EQ(token, "");
  Lose(off, alice);
  EXPECT_FALSE(alice.parked);
}

}  // namespace
}  // namespace wsrouter
