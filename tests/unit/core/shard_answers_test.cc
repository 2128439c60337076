// What clients of wsrouter.v1.json are answered: how much they were sent, and what services reply.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/shard_client_fixture.h"

namespace wsrouter {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPing[] = R"({"ping":{"id":"p"}})";
constexpr char kAsk[] = R"({"message":{"id":"7","text":"price?"}})";

// Counts what comes as a client does, and what each pong said when it came.
class Counting {
 public:
  void Take(const std::vector<std::string>& frames) {
    for (const std::string& frame : frames) {
      if (frame.empty()) continue;  // a Ping of WebSocket's own
      const auto json = nlohmann::json::parse(frame);
      if (json.contains("msg")) ++got;
      if (json.contains("gap")) gap = true;
      if (!json.contains("pong")) continue;
      EXPECT_EQ(json["pong"]["id"], "p");
      missing.push_back(json["pong"]["sent"].get<int64_t>() - got);
      gaps.push_back(std::exchange(gap, false));
    }
  }

  int64_t got = 0;
  bool gap = false;
  std::vector<int64_t> missing;  // for each pong
  std::vector<bool> gaps;        // whether one came since the last
};

class ShardAnswersTest : public ShardClientTest {
 protected:
  static constexpr size_t kBytesMax = 2048;

  static Deliver With(SlowConsumerPolicy policy, std::string key = "") {
    Deliver deliver = Text(std::string(300, '.'));
    deliver.slow_consumer = policy;
    deliver.conflation_key = std::move(key);
    return deliver;
  }
  static void Ping(ShardFixture& node, FakeConnection& connection) {
    node.shard(0).OnMessage(connection, Opcode::kText, kPing);
  }
};

TEST_F(ShardAnswersTest, APongSaysHowManyMsgsWereSentBeforeIt) {
  ShardFixture node;
  FakeConnection& alice = node.Open(0, kClientProtocol);
  Counting client;
  Ping(node, alice);
  node.Do(node.IdOf(alice), Text("before anybody owns her"));
  node.Do(node.IdOf(alice), Own{.client = {"alice"}, .rooms = {{"lobby"}}, .may_join = {"*"}});
  for (int round = 0; round < 3; ++round) {
    node.Push("lobby", "room");
    node.Do(ClientId{"alice"}, Text("client"));
    node.Do(Everyone{}, Text("all"));
    EXPECT_TRUE(node.shard(0).Greet(alice, Frame::Make(Opcode::kText, "greeting")));
    // What the node itself says is not counted.
    EXPECT_TRUE(node.shard(0).Reply(alice, Frame::Make(Opcode::kPing, {})));
    node.shard(0).OnMessage(alice, Opcode::kText, R"({"leave":{"id":"1","room":"x"}})");
    Ping(node, alice);
    node.Push("lobby", "behind");
    if (round == 1) client.Take(node.Read(alice));
  }
  client.Take(node.Read(alice));
  EXPECT_EQ(client.got, 16);
  EXPECT_THAT(client.missing, ElementsAre(0, 0, 0, 0));
}

TEST_F(ShardAnswersTest, WhoGotFewerThanWereSentHasLostThem) {
  ShardFixture node;
  FakeConnection& alice = Alice(node);
  node.Do(ClientId{"alice"}, Text("lost on the way"));
  node.Read(alice);
  EXPECT_THAT(Say(node, alice, kPing), ElementsAre(R"({"pong":{"id":"p","sent":1}})"));
}

TEST_F(ShardAnswersTest, WhatNeverWasQueuedIsNotCounted) {
  ShardFixture node({.slow_consumer_bytes = kBytesMax});
  FakeConnection& alice = Alice(node);
  Counting client;
  for (int i = 0; i < 10; ++i) node.Do(ClientId{"alice"}, With(SlowConsumerPolicy::kDrop));
  EXPECT_EQ(node.Total(Counter::kPushesDroppedSlowConsumer), 6u);
  client.Take(node.Read(alice));
  client.Take(Say(node, alice, kPing));
  EXPECT_EQ(client.got, 4);
  EXPECT_THAT(client.missing, ElementsAre(0));
}

TEST_F(ShardAnswersTest, WhatMadeRoomIsNotCountedAndAGapStandsBeforeAPongThatCountedIt) {
  ShardFixture node({.slow_consumer_bytes = kBytesMax});
  FakeConnection& alice = Alice(node);
  Counting client;
  for (int i = 0; i < 3; ++i) node.Do(ClientId{"alice"}, With(SlowConsumerPolicy::kDropOld));
  Ping(node, alice);
  for (int i = 0; i < 4; ++i) node.Do(ClientId{"alice"}, With(SlowConsumerPolicy::kDropOld));
  EXPECT_GT(node.Total(Counter::kPushesDroppedOld), 0u);
  client.Take(node.Read(alice));
  ASSERT_THAT(client.missing, ::testing::SizeIs(1));
  EXPECT_GT(client.missing[0], 0);
  EXPECT_TRUE(client.gaps[0]);
  client.Take(Say(node, alice, kPing));
  EXPECT_EQ(client.missing[1], 0);
}

TEST_F(ShardAnswersTest, AMsgInWhosePlaceANewerOneCameCountsOnce) {
  ShardFixture node;
  FakeConnection& alice = Alice(node);
  Counting client;
  node.Do(ClientId{"alice"}, With(SlowConsumerPolicy::kConflate, "k"));
  Ping(node, alice);
  for (int i = 0; i < 5; ++i) {
    node.Do(ClientId{"alice"}, With(SlowConsumerPolicy::kConflate, "k"));
  }
  Ping(node, alice);
  client.Take(node.Read(alice));
  EXPECT_EQ(client.got, 1);
  EXPECT_THAT(client.missing, ElementsAre(0, 0));
}

TEST_F(ShardAnswersTest, APingWaitsItsTurnAndNeedsNobody) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& nobody = node.Open(0, kClientProtocol);
  node.Read(nobody);
  EXPECT_THAT(Say(node, nobody, R"({"ping":{}})"), ElementsAre(R"({"pong":{"sent":0}})"));
}

TEST_F(ShardAnswersTest, AReplyComesWithTheAckBehindTheEffects) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  EXPECT_THAT(Say(node, alice, kAsk), IsEmpty());
  Effects effects;
  effects.push_back({.to = node.IdOf(alice), .action = Text("first")});
  std::move(backend.AwaitMessage().answer)(
      {std::move(effects), Frame::Make(Opcode::kText, R"({"price":17})")});
  node.Settle();
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"msg":{"text":"first"}})",
                                            R"({"ack":{"id":"7","text":"{\"price\":17}"}})"));
  Say(node, alice, kAsk);
  std::move(backend.AwaitMessage().answer)({{}, Frame::Make(Opcode::kBinary, "\xFB\xFF")});
  node.Settle();
  EXPECT_THAT(node.Read(alice), ElementsAre(R"({"ack":{"id":"7","binary":"+/8="}})"));
  EXPECT_THAT(Say(node, alice, kPing), ElementsAre(HasSubstr(R"("sent":1)")))
      << "a reply is no msg";
  EXPECT_EQ(node.Total(Counter::kRepliesDropped), 0u);
}

TEST_F(ShardAnswersTest, AReplyThatNobodyWaitsForIsCounted) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  const auto reply = [&](Effects effects = {}) {
    std::move(backend.AwaitMessage().answer)(
        {std::move(effects), Frame::Make(Opcode::kText, "late")});
    node.Settle();
  };
  Say(node, alice, R"({"message":{"text":"no id"}})");
  reply();
  EXPECT_THAT(node.Read(alice), IsEmpty());
  EXPECT_EQ(node.Total(Counter::kRepliesDropped), 1u);
  Say(node, alice, kAsk);
  Effects failing;
  failing.push_back({.to = node.IdOf(alice), .action = Own{.client = {"bob"}}});
  reply(std::move(failing));
  EXPECT_THAT(node.Read(alice), ElementsAre(HasSubstr("CONNECTION_ALREADY_OWNED")));
  EXPECT_EQ(node.Total(Counter::kRepliesDropped), 2u);
  FakeConnection& raw = node.Online("bob");
  node.shard(0).OnMessage(raw, Opcode::kText, "price?");
  reply();
  EXPECT_THAT(node.Read(raw), IsEmpty());
  EXPECT_EQ(node.Total(Counter::kRepliesDropped), 3u);
  Say(node, alice, kAsk);
  node.Close(alice);
  reply();
  EXPECT_EQ(node.Total(Counter::kRepliesDropped), 4u);
}

TEST_F(ShardAnswersTest, AReplyThatNoOutboxCouldHoldIsRefusedAndTheConnectionStays) {
  ShardFixture node({.slow_consumer_bytes = 4096}, 1, &backend);
  FakeConnection& alice = Alice(node);
  Say(node, alice, kAsk);
  std::move(backend.AwaitMessage().answer)(
      {{}, Frame::Make(Opcode::kText, std::string(1000, '\x01'))});
  node.Settle();
  EXPECT_THAT(node.Read(alice), ElementsAre(HasSubstr(R"("id":"7","reason":"REPLY_TOO_LARGE")")));
  EXPECT_EQ(node.Total(Counter::kRepliesTooLarge), 1u);
  EXPECT_FALSE(alice.closing);
  // The largest that fits, to the octet.
  const size_t most =
      4096 - kFrameOverheadBytes - kFrameHeaderBytesMax - AckText("7").size() - 10;  // ,"text":""
  for (const size_t size : {most, most + 1}) {
    Say(node, alice, kAsk);
    std::move(backend.AwaitMessage().answer)(
        {{}, Frame::Make(Opcode::kText, std::string(size, 'x'))});
    node.Settle();
    EXPECT_THAT(node.Read(alice), ElementsAre(HasSubstr(size == most ? "xxx" : "TOO_LARGE")));
  }
  EXPECT_FALSE(alice.closing);
}

TEST_F(ShardAnswersTest, TheRoomThatAMessageIsAboutReachesServicesAndPushesNothing) {
  ShardFixture node({}, 1, &backend);
  FakeConnection& alice = Alice(node);
  FakeConnection& bob = node.Online("bob", {"attic"});
  Say(node, alice, R"({"message":{"id":"7","text":"hi","room":"attic"}})");
  auto asked = backend.AwaitMessage();
  EXPECT_EQ(asked.question.room.value, "attic");
  EXPECT_THAT(asked.question.rooms, IsEmpty());
  const auto seen = node.events.Of<event::Message>();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].room.value, "attic");
  std::move(asked.answer)(MessageAnswer());
  node.Settle();
  EXPECT_THAT(node.Read(bob), IsEmpty());
  EXPECT_THAT(node.Read(alice), Contains(R"({"ack":{"id":"7"}})"));
}

}  // namespace
}  // namespace wsrouter
