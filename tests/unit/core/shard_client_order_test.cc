// What clients ask for, one thing behind the other, while services change their minds and fail.
#include <string>

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/shard_client_fixture.h"

namespace wsrouter {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(ShardClientTest, ALeaveOfAServiceWithdrawsAJoinThatIsAskedAbout) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  Say(node, alice, kJoinLobby);
  node.Leave(alice, "lobby");
  std::move(backend.AwaitJoin().answer)(absl::OkStatus());
  node.Settle();
  EXPECT_THAT(node.Read(alice), ElementsAre(HasSubstr(R"("id":"1","reason":"JOIN_WITHDRAWN")")));
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
  EXPECT_FALSE(alice.paused);
}

TEST_F(ShardClientTest, WhatWasAllowedBeforeAReleaseIsNotAllowedBehindIt) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  Say(node, alice, kJoinLobby);
  node.Do(node.IdOf(alice), Release{});
  node.Own(alice, "alice");
  node.Read(alice);
  std::move(backend.AwaitJoin().answer)(absl::OkStatus());
  node.Settle();
  EXPECT_THAT(node.Read(alice), ElementsAre(HasSubstr("JOIN_WITHDRAWN")));
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST_F(ShardClientTest, LeavingARoomThatItIsNotInAsksNobody) {
  ShardFixture node;
  FakeConnection& alice = Alice(node);
  const char leave[] = R"({"leave":{"id":"2","room":"lobby"}})";
  node.shard(0).OnMessage(alice, Opcode::kText, leave);
  EXPECT_FALSE(alice.paused);
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"left":{"id":"2","room":"lobby"}})"));
}

TEST_F(ShardClientTest, TheNextFrameWaitsForTheLeave) {
  ShardFixture node;
  FakeConnection& alice = Alice(node, {"*"});
  Say(node, alice, kJoinLobby);
  node.shard(0).OnMessage(alice, Opcode::kText, R"({"leave":{"id":"2","room":"lobby"}})");
  EXPECT_TRUE(alice.paused);
  node.Settle();
  EXPECT_FALSE(alice.paused);
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"left":{"id":"2","room":"lobby"}})"));
}

TEST_F(ShardClientTest, AnEffectThatFailedIsToldInPlaceOfTheAck) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  EXPECT_THAT(Say(node, alice, R"({"message":{"id":"7","text":"hi"}})"), IsEmpty());
  Effects effects;
  effects.push_back({.to = node.IdOf(alice), .action = Own{.client = {"bob"}}});
  effects.push_back({.to = node.IdOf(alice), .action = Text("ok")});
  std::move(backend.AwaitMessage().answer)(std::move(effects));
  node.Settle();
  EXPECT_THAT(node.Read(alice),
              ElementsAre(R"({"msg":{"text":"ok"}})",
                          AllOf(HasSubstr(R"("id":"7")"),
                                HasSubstr(R"("reason":"CONNECTION_ALREADY_OWNED")"))));
  EXPECT_EQ(node.Total(Counter::kEffectsFailed), 1u);
  EXPECT_FALSE(alice.paused);
}

TEST_F(ShardClientTest, APushThatIsLongerAsJsonThanAnOutboxMayHoldReachesWhoReads) {
  ShardFixture node({.slow_consumer_bytes = 4096});
  FakeConnection& alice = Alice(node, {"*"});
  Say(node, alice, kJoinLobby);
  const std::string payload(3000, '\x01');
  EXPECT_EQ(node.Push("lobby", payload).queued, 1u);
  EXPECT_EQ(node.Push("lobby", "x").dropped_slow_consumer, 1u);
  EXPECT_THAT(node.Read(alice), Contains(HasSubstr("\\u0001\\u0001")));
}

}  // namespace
}  // namespace wsrouter
