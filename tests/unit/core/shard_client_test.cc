// Clients that speak wsrouter.v1.json: what they may do by themselves and what they are told.
#include <string>
#include <vector>

#include "core/client_protocol.h"
#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/shard_client_fixture.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(ShardClientTest, IsWelcomedAndAgainAsSomebody) {
  ShardFixture node;
  FakeConnection& alice = node.Open(0, kClientProtocol);
  const std::string id = node.IdOf(alice).ToString();
  EXPECT_THAT(node.Read(alice), ElementsAre(WelcomeText(id, "")));
  node.Own(alice, "alice", {"lobby"});
  EXPECT_THAT(node.Read(alice),
              ElementsAre(WelcomeText(id, "alice"), R"({"joined":{"room":"lobby"}})"));
  node.Do(node.IdOf(alice), Release{});
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"left":{"room":"lobby"}})", WelcomeText(id, "")));
}

TEST_F(ShardClientTest, WhoIsOwnedFromTheStartIsWelcomedOnceAndFirst) {
  ShardFixture node;
  FakeConnection& alice = node.connections().emplace_back();
  alice.handshake = std::make_shared<const Handshake>(Handshake{.path = "/ws", .speaks = true});
  node.shard(0).OnOpen(alice, Own{.client = {"alice"}, .rooms = {{"lobby"}}});
  EXPECT_TRUE(node.shard(0).Greet(alice, Frame::Make(Opcode::kText, "hi")));
  node.Settle();
  EXPECT_THAT(node.Read(alice),
              ElementsAre(WelcomeText(node.IdOf(alice).ToString(), "alice"),
                          R"({"msg":{"text":"hi"}})", R"({"joined":{"room":"lobby"}})"));
}

TEST_F(ShardClientTest, JoinsWhatAPatternNamesAndNothingElse) {
  ShardFixture node;
  FakeConnection& alice = Alice(node, {"lob*"});
  EXPECT_THAT(Say(node, alice, kJoinLobby), ElementsAre(kJoinedLobby));
  EXPECT_FALSE(alice.paused);
  EXPECT_EQ(node.SizeOf("lobby").connections, 1u);
  EXPECT_THAT(Say(node, alice, R"({"join":{"id":"2","room":"kitchen"}})"),
              ElementsAre(HasSubstr(R"("id":"2","reason":"JOIN_FORBIDDEN")")));
  EXPECT_EQ(node.SizeOf("kitchen").connections, 0u);
  EXPECT_EQ(node.Total(Counter::kClientJoinsDenied), 1u);
}

TEST_F(ShardClientTest, ANewOwnTakesPatternsAway) {
  ShardFixture node;
  FakeConnection& alice = Alice(node, {"*"});
  node.Own(alice, "alice");
  EXPECT_THAT(Say(node, alice, kJoinLobby), ElementsAre(HasSubstr("JOIN_FORBIDDEN")));
}

TEST_F(ShardClientTest, NobodyJoinsNothing) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& nobody = node.Open(0, kClientProtocol);
  node.Read(nobody);
  EXPECT_THAT(Say(node, nobody, kJoinLobby),
              ElementsAre(HasSubstr(R"("id":"1","reason":"CONNECTION_NOT_OWNED")")));
  EXPECT_EQ(backend.waiting(), 0u);
}

TEST_F(ShardClientTest, TheNextFrameWaitsForTheJoin) {
  ShardFixture node;
  FakeConnection& alice = Alice(node, {"*"});
  node.shard(0).OnMessage(alice, Opcode::kText, kJoinLobby);
  EXPECT_TRUE(alice.paused);
  node.Settle();
  EXPECT_FALSE(alice.paused);
  EXPECT_THAT(node.Read(alice), ElementsAre(kJoinedLobby));
}

TEST_F(ShardClientTest, AServiceAllowsAJoinUnderTheBoundIdentity) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  EXPECT_THAT(Say(node, alice, kJoinLobby), IsEmpty());
  EXPECT_TRUE(alice.paused);
  auto asked = backend.AwaitJoin();
  EXPECT_EQ(asked.question.client.value, "alice");
  EXPECT_EQ(asked.question.room.value, "lobby");
  std::move(asked.answer)(absl::OkStatus());
  node.Settle();
  EXPECT_FALSE(alice.paused);
  EXPECT_THAT(node.Read(alice), ElementsAre(kJoinedLobby));
}

TEST_F(ShardClientTest, AServiceDeniesAJoin) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  Say(node, alice, kJoinLobby);
  std::move(backend.AwaitJoin().answer)(
      Refusal(absl::StatusCode::kUnavailable, "JOIN_UNDECIDED", "away"));
  node.Settle();
  EXPECT_FALSE(alice.paused);
  EXPECT_THAT(node.Read(alice),
              ElementsAre(R"({"error":{"id":"1","reason":"JOIN_UNDECIDED","text":"away",)"
                          R"("retryAfterMs":2000}})"));
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST_F(ShardClientTest, WhatWasAllowedToOneIsNotAllowedToTheNext) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& connection = Alice(node);
  Say(node, connection, kJoinLobby);
  node.Do(node.IdOf(connection), Release{});
  node.Own(connection, "bob");
  node.Read(connection);
  std::move(backend.AwaitJoin().answer)(absl::OkStatus());
  node.Settle();
  EXPECT_THAT(node.Read(connection), ElementsAre(HasSubstr("JOIN_WITHDRAWN")));
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
  EXPECT_FALSE(connection.paused);
}

TEST_F(ShardClientTest, WhoGoesWhileAJoinIsAskedAboutNeedsNoAnswer) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  Say(node, alice, kJoinLobby);
  auto asked = backend.AwaitJoin();
  node.Close(alice, CloseCause::kConnectionLost);
  ASSERT_EQ(backend.waiting(), 1u);  // the end, before any answer
  EXPECT_EQ(backend.AwaitCancel(), asked.ticket);
  EXPECT_EQ(backend.AwaitEnd().event.client.value, "alice");
  std::move(asked.answer)(absl::OkStatus());
  node.Settle();
  EXPECT_EQ(backend.waiting(), 0u);
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
}

TEST_F(ShardClientTest, AnAnsweredJoinIsNotCancelledByTheEnd) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  Say(node, alice, kJoinLobby);
  std::move(backend.AwaitJoin().answer)(absl::OkStatus());
  node.Settle();
  node.Close(alice, CloseCause::kConnectionLost);
  backend.AwaitEnd();
  EXPECT_EQ(backend.cancelled(), 0u);
}

TEST_F(ShardClientTest, LimitsAreToldByTheirReasons) {
  ShardFixture node({.room_members_capacity = 1, .rooms_per_connection = 2});
  FakeConnection& alice = Alice(node, {"*"});
  EXPECT_THAT(Say(node, alice, kJoinLobby), ElementsAre(kJoinedLobby));
  EXPECT_THAT(Say(node, alice, R"({"join":{"id":"2","room":"b"}})"),
              ElementsAre(HasSubstr(R"("id":"2","reason":"CAPACITY_ROOM_MEMBERS")")));
  EXPECT_FALSE(alice.paused);
}

TEST_F(ShardClientTest, MembersAreAnsweredAndLeaveWithoutPermission) {
  ShardFixture node;
  FakeConnection& alice = Alice(node);
  node.Join(alice, "lobby");
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"joined":{"room":"lobby"}})"));
  EXPECT_THAT(Say(node, alice, kJoinLobby), ElementsAre(kJoinedLobby));
  const std::string leave = R"({"leave":{"id":"2","room":"lobby"}})";
  const std::string left = R"({"left":{"id":"2","room":"lobby"}})";
  EXPECT_THAT(Say(node, alice, leave), ElementsAre(left));
  EXPECT_THAT(Say(node, alice, leave), ElementsAre(left));
  EXPECT_EQ(node.SizeOf("lobby").connections, 0u);
  EXPECT_EQ(node.events.Of<event::Left>().size(), 1u);
}

TEST_F(ShardClientTest, AServiceThatJoinsAgainSaysNothing) {
  ShardFixture node;
  FakeConnection& alice = Alice(node);
  node.Join(alice, "lobby");
  node.Read(alice);
  node.Join(alice, "lobby");
  EXPECT_THAT(node.Read(alice), IsEmpty());
  node.Leave(alice, "lobby");
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"left":{"room":"lobby"}})"));
}

TEST_F(ShardClientTest, AMembershipThatAServiceEndsWhileItComesAboutIsTold) {
  ShardFixture node;
  FakeConnection& alice = Alice(node, {"*"});
  node.broker.keeps_back = true;
  node.shard(0).OnMessage(alice, Opcode::kText, kJoinLobby);
  node.Settle();
  node.Leave(alice, "lobby");
  node.broker.keeps_back = false;
  node.broker.LetThrough();
  node.Settle();
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"left":{"room":"lobby"}})",
                                            HasSubstr(R"("id":"1","reason":"JOIN_WITHDRAWN")")));
  EXPECT_FALSE(alice.paused);
}

TEST_F(ShardClientTest, RawMembersGetThePayloadAndOthersAMsg) {
  ShardFixture node;
  FakeConnection& alice = Alice(node, {"*"});
  FakeConnection& raw = node.Online("bob", {"lobby"});
  Say(node, alice, kJoinLobby);
  EXPECT_EQ(node.Push("lobby", "hi").queued, 2u);
  const uint64_t held = node.Gauges().outbox_bytes;
  EXPECT_EQ(held, alice.outbox.bytes() + raw.outbox.bytes());
  EXPECT_THAT(node.Read(raw), ElementsAre("hi"));
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"msg":{"room":"lobby","text":"hi"}})"));
  node.Do(ClientId{"alice"}, Text("psst"));
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"msg":{"text":"psst"}})"));
  Deliver kept = Text("kept");
  kept.position = {7, "e"};
  node.Do(RoomName{"lobby"}, kept);
  EXPECT_THAT(node.Read(raw), ElementsAre("kept"));
  EXPECT_THAT(node.Read(alice), ElementsAre(HasSubstr(R"("offset":"7","epoch":"e")")));
}

TEST_F(ShardClientTest, AMessageReachesServicesLikeThatOfARawClient) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  EXPECT_THAT(Say(node, alice, R"({"message":{"id":"7","binary":"+/8="}})"), IsEmpty());
  auto asked = backend.AwaitMessage();
  EXPECT_EQ(asked.question.opcode, Opcode::kBinary);
  EXPECT_EQ(asked.question.payload, "\xFB\xFF");
  const auto seen = node.events.Of<event::Message>();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].payload, "\xFB\xFF");
  Effects effects;
  effects.push_back({.to = node.IdOf(alice), .action = Text("ok")});
  std::move(asked.answer)(std::move(effects));
  node.Settle();
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"msg":{"text":"ok"}})", R"({"ack":{"id":"7"}})"));
}

TEST_F(ShardClientTest, AMessageIsAcknowledgedOnlyIfItWasHeardAndHasAnId) {
  ShardFixture node;
  FakeConnection& alice = Alice(node);
  EXPECT_THAT(Say(node, alice, R"({"message":{"id":"7","text":"x"}})"),
              ElementsAre(R"({"ack":{"id":"7"}})"));
  EXPECT_THAT(Say(node, alice, R"({"message":{"text":"x"}})"), IsEmpty());
  node.events.wanted.reset();
  EXPECT_THAT(Say(node, alice, R"({"message":{"id":"8","text":"x"}})"),
              ElementsAre(HasSubstr(R"("id":"8","reason":"MESSAGE_UNHEARD")")));
}

TEST_F(ShardClientTest, WhatIsNotInOrderIsToldAndTheConnectionStays) {
  ShardFixture node;
  FakeConnection& alice = Alice(node);
  EXPECT_THAT(Say(node, alice, R"({"hello":{}})"), ElementsAre(HasSubstr("FRAME_UNKNOWN")));
  EXPECT_FALSE(alice.closing);
  EXPECT_EQ(node.Total(Counter::kClientFramesRefused), 1u);
}

TEST_F(ShardClientTest, WhatIsNoFrameAtAllEndsTheConnection) {
  ShardFixture node;
  FakeConnection& alice = Alice(node);
  node.shard(0).OnMessage(alice, Opcode::kText, "hello");
  EXPECT_EQ(alice.closed->code, 1007);
  FakeConnection& bob = node.Open(0, kClientProtocol);
  node.shard(0).OnMessage(bob, Opcode::kBinary, kJoinLobby);
  EXPECT_EQ(bob.closed->code, 1008);
  EXPECT_EQ(node.Total(Counter::kClosedProtocolError), 2u);
}

TEST_F(ShardClientTest, WhoDoesNotReadAnswersIsClosed) {
  ShardFixture node({.slow_consumer_bytes = 4096});
  FakeConnection& alice = Alice(node);
  for (int i = 0; i < 100 && !alice.closing; ++i) {
    node.shard(0).OnMessage(alice, Opcode::kText, kJoinLobby);
  }
  node.Settle();
  ASSERT_TRUE(alice.closed.has_value());
  EXPECT_EQ(alice.closed->code, 4014);
}

}  // namespace
}  // namespace wsrouter
