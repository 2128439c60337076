// Clients of wsrouter.v1.json that are about to come back: what services do meanwhile, and what is
// left to a client whose new connection breaks before it knows of it.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/shard_resume_fixture.h"

namespace wsrouter {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ShardArrivalTest : public ShardResumeTest {
 protected:
  static std::vector<std::string> RoomsOf(ShardFixture& node, const FakeConnection& connection) {
    std::vector<std::string> rooms;
    const Receipt receipt = node.Do(node.IdOf(connection), Describe{});
    if (receipt.connections.empty()) return {"gone"};
    for (const RoomName& room : receipt.connections[0].rooms) rooms.push_back(room.value);
    return rooms;
  }

  ShardFixture node{{}, 2, nullptr, &sessions};
};

TEST_F(ShardArrivalTest, WhatServicesDoToTheOldConnectionMeanwhileIsDoneToTheNewOne) {
  FakeConnection& old = Alice(node);
  Lose(node, old);
  const auto record = Take(token).value();
  node.Do(ClientId{"alice"}, Join{{{"news"}}});
  node.Do(ClientId{"alice"}, Leave{{{"lobby"}}});
  const absl::Time end = node.clock.now.wall + absl::Hours(1);
  node.Do(node.IdOf(old),
          Own{.client = {"alice"}, .labels = {{"device", "tablet"}}, .expires_at = end});
  node.events.events.clear();
  FakeConnection& alice = Resume(node, record, 1);
  EXPECT_THAT(RoomsOf(node, alice), ElementsAre("news"));
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
  EXPECT_EQ(node.SizeOf("news").connections, 1u);
  EXPECT_EQ(*alice.labels, (Labels{{"device", "tablet"}}));
  EXPECT_EQ(alice.expires_at, end);
  const auto frames = node.Read(alice);
  EXPECT_THAT(frames, Contains(R"({"joined":{"room":"news"}})"));
  EXPECT_THAT(frames, Contains(R"({"left":{"room":"lobby"}})"));
  const auto next = Take(TokenIn(frames));
  ASSERT_TRUE(next.has_value());
  EXPECT_THAT(next->own.rooms, ElementsAre(RoomName{"news"}));
  EXPECT_EQ(next->own.expires_at, end);
}

TEST_F(ShardArrivalTest, WhatTheNewConnectionHasHeardItselfIsNewer) {
  FakeConnection& old = Alice(node);
  Lose(node, old);
  const auto record = Take(token).value();
  node.Join(old, "news");
  node.Leave(old, "lobby");
  node.events.events.clear();
  FakeConnection& alice = Begin(node, record, 1);
  // Admitted, and the old connection has not been told.
  while (node.events.Of<event::Resumed>().empty()) node.RunTasks(1);
  const AnswerPtr leave = node.Publish(node.IdOf(alice), Leave{{{"news"}}});
  const AnswerPtr join = node.Publish(node.IdOf(alice), Join{{{"lobby"}}});
  node.TakeMail(1);
  node.Settle();
  EXPECT_EQ(leave->times + join->times, 2);
  EXPECT_FALSE(old.parked);
  EXPECT_THAT(RoomsOf(node, alice), ElementsAre("lobby"));
}

TEST_F(ShardArrivalTest, WhomAServiceEndsMeanwhileDoesNotStay) {
  for (const bool release : {false, true}) {
    FakeConnection& old = Alice(node);
    Lose(node, old);
    const auto record = Take(token).value();
    if (release) {
      node.Do(ClientId{"alice"}, Release{});
    } else {
      node.Do(ClientId{"alice"}, Disconnect{.close = {4021, "kicked"}});
    }
    FakeConnection& alice = Resume(node, record, 1);
    ASSERT_TRUE(alice.closed.has_value());
    EXPECT_EQ(alice.closed->code, 1013);
    EXPECT_FALSE(Take(TokenIn(node.Read(alice))).has_value());
    EXPECT_FALSE(Take(token).has_value());
    EXPECT_THAT(node.ConnectionsOf("alice"), IsEmpty());
  }
}

TEST_F(ShardArrivalTest, OfTwoThatComeBackToOneConnectionOneStays) {
  FakeConnection& old = Alice(node);
  Lose(node, old);
  const auto record = Take(token).value();
  FakeConnection& first = Begin(node, record, 0);
  FakeConnection& second = Begin(node, record, 1);
  node.Settle();
  EXPECT_NE(first.closed.has_value(), second.closed.has_value());
  EXPECT_THAT(node.ConnectionsOf("alice"), SizeIs(1));
}

TEST_F(ShardArrivalTest, ATokenIsGoodAgainWhileItsClientMayNotHaveReadTheNext) {
  FakeConnection& old = Alice(node);
  Lose(node, old);
  FakeConnection& first = Resume(node, Take(token).value());
  Lose(node, first);  // and the client has not read its welcome
  const auto again = Take(token);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->connection, node.IdOf(first));
  FakeConnection& second = Resume(node, *again, 1);
  EXPECT_TRUE(first.closed.has_value());
  EXPECT_EQ(second.admitted, 1);
  EXPECT_THAT(node.ConnectionsOf("alice"), ElementsAre(node.IdOf(second)));
  EXPECT_EQ(node.SizeOf("lobby").connections, 1u);
  EXPECT_THAT(node.events.Of<event::Resumed>(), SizeIs(2));
  EXPECT_THAT(node.events.Of<event::Disconnected>(), IsEmpty());
  const std::string next = TokenIn(node.Read(second));
  node.Pass(kWindow);
  node.Settle();
  EXPECT_FALSE(Take(token).has_value()) << "by then it has another, or has lost its session";
  EXPECT_TRUE(Take(next).has_value());
}

TEST_F(ShardArrivalTest, WhoTakesTheSpareClosesWhoLives) {
  FakeConnection& old = Alice(node);
  Lose(node, old);
  FakeConnection& first = Resume(node, Take(token).value());
  FakeConnection& second = Resume(node, Take(token).value(), 1);
  ASSERT_TRUE(first.closed.has_value());
  EXPECT_EQ(first.closed->code, 4020);
  EXPECT_TRUE(Take(token).has_value()) << "which is the second's now";
  EXPECT_THAT(node.ConnectionsOf("alice"), ElementsAre(node.IdOf(second)));
}

TEST_F(ShardArrivalTest, TheEndOfTheConnectionEndsBothTokens) {
  FakeConnection& old = Alice(node);
  Lose(node, old);
  FakeConnection& alice = Resume(node, Take(token).value());
  const std::string next = TokenIn(node.Read(alice));
  node.Do(ClientId{"alice"}, Disconnect{.close = {4021, ""}});
  EXPECT_FALSE(Take(token).has_value());
  EXPECT_FALSE(Take(next).has_value());
}

TEST_F(ShardArrivalTest, WhoseSocketEndsBeforeItIsAdmittedIsAwayOnceMore) {
  FakeConnection& old = Alice(node);
  Lose(node, old);
  FakeConnection& first = Begin(node, Take(token).value(), 1);
  node.shard(1).OnClose(first, CloseCause::kConnectionLost, {.code = 1006});
  node.shard(1).Discard(first);
  EXPECT_TRUE(first.parked);
  node.Settle();
  EXPECT_EQ(first.admitted, 0);
  EXPECT_TRUE(first.parked);
  EXPECT_FALSE(old.parked);
  EXPECT_EQ(node.Gauges().parked, 1u);
  FakeConnection& second = Resume(node, Take(token).value());
  EXPECT_EQ(second.admitted, 1);
  EXPECT_THAT(node.events.Of<event::Resumed>(), SizeIs(2));
  EXPECT_THAT(node.events.Of<event::Disconnected>(), IsEmpty());
  EXPECT_EQ(node.SizeOf("lobby").connections, 1u);
}

TEST_F(ShardArrivalTest, WhoIsAwayIsShownSo) {
  FakeConnection& alice = Alice(node);
  const auto parked = [&] { return node.Do(ThisNode{}, Describe{}).connections.at(0).parked; };
  EXPECT_FALSE(parked());
  Lose(node, alice);
  EXPECT_TRUE(parked());
}

}  // namespace
}  // namespace wsrouter
