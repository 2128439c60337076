// Who is in a room, as clients of wsrouter.v1.json hear it.
#include <string>
#include <vector>

#include "core/client_protocol.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/shard_client_fixture.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Texts = std::vector<std::string>;

constexpr char kOn[] = R"({"presence":{"id":"p","room":"lobby","on":true}})";
constexpr char kOff[] = R"({"presence":{"id":"p","room":"lobby"}})";
constexpr char kAck[] = R"({"ack":{"id":"p"}})";

class ShardPresenceTest : public ShardClientTest {
 protected:
  // Speaks the protocol, and is in the lobby; what it heard of that is read away.
  static FakeConnection& InLobby(ShardFixture& node, const std::string& client,
                                 uint16_t shard = 0) {
    FakeConnection& connection = node.Open(shard, kClientProtocol);
    node.Own(connection, client, {"lobby"});
    node.Read(connection);
    return connection;
  }
  static Texts SayTo(ShardFixture& node, FakeConnection& connection, const std::string& frame) {
    node.shard(connection.shard).OnMessage(connection, Opcode::kText, frame);
    node.Settle();
    return node.Read(connection);
  }
  static void PassSecond(ShardFixture& node) {
    node.Pass(absl::Seconds(1));
    node.Settle();
  }
  // What a client hears in a second.
  static Texts Next(ShardFixture& node, FakeConnection& connection) {
    PassSecond(node);
    return node.Read(connection);
  }
  // What it hears until nothing comes for longer than the grace and two looks; at most a minute.
  static Texts InTime(ShardFixture& node, FakeConnection& connection) {
    Texts heard;
    for (int quiet = 0, second = 0; quiet < 8 && second < 60; ++second, ++quiet) {
      for (std::string& text : Next(node, connection)) {
        heard.push_back(std::move(text));
        quiet = 0;
      }
    }
    return heard;
  }
  static std::string Full(const std::string& names, int count) {
    return R"({"presence":{"room":"lobby","full":true,"joined":[)" + names + R"(],"count":)" +
           std::to_string(count) + "}}";
  }
  static std::string Joined(const std::string& names, int count) {
    return R"({"presence":{"room":"lobby","joined":[)" + names + R"(],"count":)" +
           std::to_string(count) + "}}";
  }
  static std::string Left(const std::string& names, int count) {
    return R"({"presence":{"room":"lobby","left":[)" + names + R"(],"count":)" +
           std::to_string(count) + "}}";
  }
};

TEST_F(ShardPresenceTest, HearsAllFirstThenWhatChanges) {
  ShardFixture node;
  FakeConnection& alice = InLobby(node, "alice");
  node.Online("bob", {"lobby"});
  EXPECT_THAT(SayTo(node, alice, kOn), ElementsAre(kAck, Full(R"("alice","bob")", 2)));
  node.Online("carol", {"lobby"});
  node.Online("dave", {"lobby"});
  EXPECT_THAT(node.Read(alice), IsEmpty()) << "once a second";
  EXPECT_THAT(Next(node, alice), ElementsAre(Joined(R"("carol","dave")", 4)));
  EXPECT_THAT(InTime(node, alice), IsEmpty());
  EXPECT_EQ(node.Total(Counter::kPresenceFrames), 2u);
}

TEST_F(ShardPresenceTest, AClientLeavesWithItsLastConnectionAndBehindTheGrace) {
  ShardFixture node;
  FakeConnection& alice = InLobby(node, "alice");
  FakeConnection& phone = node.Online("bob", {"lobby"});
  FakeConnection& laptop = node.Online("bob", {"lobby"});
  EXPECT_THAT(SayTo(node, alice, kOn), ElementsAre(kAck, Full(R"("alice","bob")", 2)));
  node.Close(phone);
  EXPECT_THAT(InTime(node, alice), IsEmpty());
  node.Close(laptop);
  for (int second = 0; second < 5; ++second) EXPECT_THAT(Next(node, alice), IsEmpty()) << second;
  EXPECT_THAT(Next(node, alice), ElementsAre(Left(R"("bob")", 1)));
  EXPECT_THAT(InTime(node, alice), IsEmpty());
}

TEST_F(ShardPresenceTest, WhoIsBackInTimeWasNeverAway) {
  ShardFixture node;
  FakeConnection& alice = InLobby(node, "alice");
  FakeConnection* bob = &node.Online("bob", {"lobby"});
  SayTo(node, alice, kOn);
  for (int flap = 0; flap < 5; ++flap) {
    node.Close(*bob);
    for (int second = 0; second < 4; ++second) EXPECT_THAT(Next(node, alice), IsEmpty());
    bob = &node.Online("bob", {"lobby"});
    EXPECT_THAT(Next(node, alice), IsEmpty());
  }
  EXPECT_THAT(InTime(node, alice), IsEmpty());
}

TEST_F(ShardPresenceTest, AJoinAndALeaveBetweenTwoLooksShowNothing) {
  ShardFixture node;
  FakeConnection& alice = InLobby(node, "alice");
  SayTo(node, alice, kOn);
  node.Close(node.Online("bob", {"lobby"}));
  EXPECT_THAT(InTime(node, alice), IsEmpty());
}

TEST_F(ShardPresenceTest, ARoomWithManyTellsTheirNumberAlone) {
  ShardFixture node({.presence = {.named_max = 3}});
  FakeConnection& alice = InLobby(node, "alice");
  SayTo(node, alice, kOn);
  FakeConnection& bob = node.Online("bob", {"lobby"});
  node.Online("carol", {"lobby"});
  EXPECT_THAT(Next(node, alice), ElementsAre(Joined(R"("bob","carol")", 3)));
  node.Online("dave", {"lobby"});
  EXPECT_THAT(Next(node, alice),
              ElementsAre(R"({"presence":{"room":"lobby","full":true,"count":4}})"));
  node.Online("eve", {"lobby"});
  EXPECT_THAT(Next(node, alice), ElementsAre(R"({"presence":{"room":"lobby","count":5}})"));
  FakeConnection& late = InLobby(node, "bob");
  EXPECT_THAT(SayTo(node, late, kOn),
              ElementsAre(kAck, R"({"presence":{"room":"lobby","full":true,"count":5}})"));
  node.Close(bob);
  node.Close(late);
  node.Do(ClientId{"eve"}, Leave{.rooms = {{"lobby"}}});
  EXPECT_THAT(Next(node, alice), ElementsAre(Full(R"("alice","carol","dave")", 3)))
      << "no grace where nobody was named";
}

TEST_F(ShardPresenceTest, OnlyMembersHearAndOnlyWhileTheyAre) {
  ShardFixture node;
  FakeConnection& nobody = node.Open(0, kClientProtocol);
  node.Read(nobody);
  EXPECT_THAT(SayTo(node, nobody, kOn), ElementsAre(HasSubstr("CONNECTION_NOT_OWNED")));
  FakeConnection& alice = Alice(node, {"*"});
  EXPECT_THAT(SayTo(node, alice, kOn),
              ElementsAre(R"({"error":{"id":"p","reason":"NOT_A_MEMBER",)"
                          R"("text":"the connection is not in this room"}})"));
  SayTo(node, alice, kJoinLobby);
  EXPECT_THAT(SayTo(node, alice, kOn), ElementsAre(kAck, Full(R"("alice")", 1)));
  SayTo(node, alice, R"({"leave":{"room":"lobby"}})");
  node.Online("bob", {"lobby"});
  EXPECT_THAT(InTime(node, alice), IsEmpty());
  SayTo(node, alice, kJoinLobby);
  EXPECT_THAT(InTime(node, alice), IsEmpty()) << "it has to ask again";
}

TEST_F(ShardPresenceTest, OffIsAnsweredAndEndsIt) {
  ShardFixture node;
  FakeConnection& alice = InLobby(node, "alice");
  EXPECT_THAT(SayTo(node, alice, kOff), ElementsAre(kAck)) << "it was not on";
  SayTo(node, alice, kOn);
  EXPECT_THAT(SayTo(node, alice, kOff), ElementsAre(kAck));
  node.Online("bob", {"lobby"});
  EXPECT_THAT(InTime(node, alice), IsEmpty());
  const int reads = node.directory.reads_of_clients;
  InTime(node, alice);
  EXPECT_EQ(node.directory.reads_of_clients, reads) << "nobody looks at what nobody hears of";
}

TEST_F(ShardPresenceTest, AnIdIsNotNeededAndAskingTwiceTellsAllAgain) {
  ShardFixture node;
  FakeConnection& alice = InLobby(node, "alice");
  const std::string on = R"({"presence":{"room":"lobby","on":true}})";
  EXPECT_THAT(SayTo(node, alice, on), ElementsAre(Full(R"("alice")", 1)));
  EXPECT_THAT(SayTo(node, alice, on), ElementsAre(Full(R"("alice")", 1)));
}

TEST_F(ShardPresenceTest, WhatIsNotInOrderIsRefused) {
  ShardFixture node;
  FakeConnection& alice = InLobby(node, "alice");
  for (const char* frame :
       {R"({"presence":{"id":"1","on":true}})", R"({"presence":{"id":"1","room":7,"on":true}})",
        R"({"presence":{"id":"1","room":"lobby","on":"true"}})",
        R"({"presence":{"id":"1","room":"lobby","on":1}})",
        R"({"presence":{"id":"1","room":"a\u0007","on":true}})"}) {
    EXPECT_THAT(SayTo(node, alice, frame),
                ElementsAre(HasSubstr(R"("id":"1","reason":"FRAME_INVALID")")))
        << frame;
  }
  EXPECT_THAT(SayTo(node, alice, R"({"presence":[]})"), ElementsAre(HasSubstr("FRAME_INVALID")));
}

TEST_F(ShardPresenceTest, ANodeMayTellNobody) {
  ShardFixture node({.presence = {.on = false}});
  EXPECT_THAT(SayTo(node, InLobby(node, "alice"), kOn), ElementsAre(HasSubstr("PRESENCE_OFF")));
}

TEST_F(ShardPresenceTest, RoomsOfAConnectionAndOfANodeAreBounded) {
  ShardFixture node({.presence = {.rooms_max = 3, .rooms_per_connection = 2}});
  FakeConnection& alice = node.Open(0, kClientProtocol);
  node.Own(alice, "alice", {"a", "b", "c"});
  FakeConnection& bob = node.Open(0, kClientProtocol);
  node.Own(bob, "bob", {"b", "c", "d"});
  const auto ask = [&](FakeConnection& who, const std::string& room) {
    node.Read(who);
    return SayTo(node, who, R"({"presence":{"id":"p","room":")" + room + R"(","on":true}})");
  };
  EXPECT_THAT(ask(alice, "a"), SizeIs(2));
  EXPECT_THAT(ask(alice, "b"), SizeIs(2));
  EXPECT_THAT(ask(alice, "b"), SizeIs(2)) << "no other room";
  const Texts third = ask(alice, "c");
  EXPECT_THAT(third, ElementsAre(HasSubstr("PRESENCE_PER_CONNECTION")));
  EXPECT_THAT(third, ElementsAre(testing::Not(HasSubstr("retryAfterMs"))));
  EXPECT_THAT(ask(bob, "c"), SizeIs(2));
  EXPECT_THAT(ask(bob, "d"), ElementsAre(testing::AllOf(HasSubstr("PRESENCE_CAPACITY"),
                                                        HasSubstr("retryAfterMs"))));
  node.Leave(alice, "a");
  PassSecond(node);
  EXPECT_THAT(ask(bob, "d"), SizeIs(2)) << "there is room again";
}

TEST_F(ShardPresenceTest, AllShardsOfANodeShareOneLook) {
  ShardFixture node({}, 2);
  FakeConnection& alice = InLobby(node, "alice", 0);
  FakeConnection& bob = InLobby(node, "bob", 1);
  SayTo(node, alice, kOn);
  EXPECT_THAT(SayTo(node, bob, kOn), ElementsAre(kAck, Full(R"("alice","bob")", 2)));
  const int reads = node.directory.reads_of_clients;
  node.Online("carol", {"lobby"}, 1);
  PassSecond(node);
  EXPECT_EQ(node.directory.reads_of_clients, reads + 1);
  EXPECT_THAT(node.Read(alice), ElementsAre(Joined(R"("carol")", 3)));
  EXPECT_THAT(node.Read(bob), ElementsAre(Joined(R"("carol")", 3)));
}

TEST_F(ShardPresenceTest, WhileTheDirectoryIsAwayNothingChanges) {
  ShardFixture node;
  FakeConnection& alice = InLobby(node, "alice");
  SayTo(node, alice, kOn);
  node.directory.fails_clients = true;
  node.Online("bob", {"lobby"});
  EXPECT_THAT(Next(node, alice), IsEmpty());
  EXPECT_THAT(Next(node, alice), IsEmpty());
  EXPECT_EQ(node.Total(Counter::kPresenceReadsFailed), 2u);
  node.directory.fails_clients = false;
  EXPECT_THAT(Next(node, alice), ElementsAre(Joined(R"("bob")", 2)));
}

TEST_F(ShardPresenceTest, WhoDoesNotReadIsToldAllOfItLaterAndOneFrameWaits) {
  ShardFixture node;
  FakeConnection& alice = InLobby(node, "alice");
  SayTo(node, alice, kOn);
  for (const char* client : {"bob", "carol", "dave"}) {
    node.Online(client, {"lobby"});
    PassSecond(node);
  }
  EXPECT_THAT(node.Read(alice), ElementsAre(Joined(R"("bob")", 2)));
  EXPECT_THAT(Next(node, alice), ElementsAre(Full(R"("alice","bob","carol","dave")", 4)));
  EXPECT_EQ(node.Total(Counter::kPresenceFramesSkipped), 2u);
  EXPECT_THAT(InTime(node, alice), IsEmpty());
}

TEST_F(ShardPresenceTest, AFullOutboxCostsNoConnection) {
  ShardFixture node({.slow_consumer_bytes = 4096});
  FakeConnection& alice = InLobby(node, "alice");
  SayTo(node, alice, kOn);
  for (int i = 0; i < 100; ++i) node.Push("lobby", "a text that takes its place in an outbox");
  node.Online("bob", {"lobby"});
  PassSecond(node);
  EXPECT_FALSE(alice.closing);
  for (const std::string& text : node.Read(alice)) {
    EXPECT_THAT(text, testing::Not(HasSubstr("presence")));
  }
  EXPECT_THAT(Next(node, alice), testing::Contains(Full(R"("alice","bob")", 2)));
}

}  // namespace
}  // namespace wsrouter
