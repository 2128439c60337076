// Members that ask for what a room was sent while they were away.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/support/recovery_fixture.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ShardRecoveryTest : public RecoveryFixture {
 protected:
  // The room has five pushes; the position of the second.
  static Position Five(ShardFixture& node, const std::string& room = "log") {
    Position second;
    for (const char* text : {"a", "b", "c", "d", "e"}) {
      const Position at = Keep(node, room, text);
      if (at.offset == 2) second = at;
    }
    return second;
  }
};

TEST_F(ShardRecoveryTest, AJoinBringsWhatWasMissedAndThenWhatComes) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  const Position second = Five(node);
  EXPECT_THAT(HearJoin(node, alice, "log", second),
              ElementsAre("joined 2 yes", "msg 3 c", "msg 4 d", "msg 5 e"));
  EXPECT_FALSE(alice.paused);
  EXPECT_EQ(node.Push("log", "f").queued, 1u);
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 6 f"));
  EXPECT_EQ(node.Total(Counter::kPushesReplayed), 3u);
  EXPECT_EQ(node.Total(Counter::kPushes), 4u) << "what is replayed is delivered";
  EXPECT_EQ(node.history.reads, 1u);
}

TEST_F(ShardRecoveryTest, OffsetZeroAsksForAllThatIsKept) {
  ShardFixture node(WithHistory());
  Five(node);
  FakeConnection& alice = Client(node);
  EXPECT_THAT(HearJoin(node, alice, "log", {}),
              ElementsAre("joined 0 yes", "msg 1 a", "msg 2 b", "msg 3 c", "msg 4 d", "msg 5 e"));
  FakeConnection& bob = Client(node, "bob");
  EXPECT_THAT(HearJoin(node, bob, "log-empty", {}), ElementsAre("joined 0 yes"));
  Keep(node, "log-empty", "x");
  EXPECT_THAT(Hear(node, bob), ElementsAre("msg 1 x"));
}

TEST_F(ShardRecoveryTest, AJoinWithoutSinceTellsThePosition) {
  ShardFixture node(WithHistory());
  Five(node);
  FakeConnection& alice = Client(node);
  Say(node, alice, R"({"join":{"id":"1","room":"log"}})");
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined 5"));
  Keep(node, "log", "f");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 6 f"));
  // Who is a member gets what comes; there is nothing to be read.
  node.history.keeps_back = true;
  Say(node, alice, R"({"join":{"id":"2","room":"log"}})");
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined"));
  Keep(node, "log", "g");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 7 g"));
}

TEST_F(ShardRecoveryTest, NothingOvertakesTheJoinedAndTheReplay) {
  ShardFixture node(WithHistory());
  FakeConnection& bob = Client(node, "bob");
  HearJoin(node, bob, "log", {});
  FakeConnection& alice = Client(node);
  const Position second = Five(node);
  Hear(node, bob);
  node.history.keeps_back = true;
  Say(node, alice, JoinSince("log", second));
  EXPECT_THAT(Hear(node, alice), IsEmpty());
  EXPECT_TRUE(alice.paused) << "its next frame finds it joined";
  const Receipt pushed = node.Push("log", "f");
  EXPECT_EQ(pushed.matched, 2u);
  EXPECT_EQ(pushed.queued, 1u) << "bob";
  EXPECT_THAT(Hear(node, bob), ElementsAre("msg 6 f"));
  EXPECT_THAT(Hear(node, alice), IsEmpty());
  node.history.LetThrough();
  EXPECT_THAT(Hear(node, alice),
              ElementsAre("joined 2 yes", "msg 3 c", "msg 4 d", "msg 5 e", "msg 6 f"));
  EXPECT_EQ(node.Total(Counter::kPushesHeld), 1u);
  EXPECT_EQ(node.history.reads, 2u) << "what came meanwhile needs no page";
  Keep(node, "log", "g");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 7 g"));
  EXPECT_FALSE(alice.held);
}

TEST_F(ShardRecoveryTest, APageIsReadWhenTheOneBeforeHasLeftTheOutbox) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  const Position second = Five(node);
  node.history.entries_max = 2;
  Say(node, alice, JoinSince("log", second));
  node.Settle();
  EXPECT_EQ(node.history.reads, 1u);
  EXPECT_THAT(node.Read(alice), SizeIs(3));
  node.Settle();
  EXPECT_EQ(node.history.reads, 2u);
  Keep(node, "log", "f");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 5 e", "msg 6 f"));
}

TEST_F(ShardRecoveryTest, APositionThatHistoryDoesNotHaveIsNotRecovered) {
  ShardFixture node(WithHistory());
  const Position second = Five(node);
  FakeConnection& alice = Client(node);
  const auto join = [&](const Position& since) { return HearJoin(node, alice, "log", since); };
  EXPECT_THAT(join({.offset = 2, .epoch = "another"}), ElementsAre("joined 5 no"));
  EXPECT_THAT(join({.offset = 6, .epoch = second.epoch}), ElementsAre("joined 5 no"));
  node.history.Trim({"log"}, {.up_to_offset = {}, .keep = 1}, [](auto) {});
  EXPECT_THAT(join(second), ElementsAre("joined 5 no"));
  EXPECT_EQ(node.Total(Counter::kRecoveriesLost), 3u);
  EXPECT_THAT(join({.offset = 4, .epoch = second.epoch}), ElementsAre("joined 4 yes", "msg 5 e"));
  Keep(node, "log", "f");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 6 f"));
}

TEST_F(ShardRecoveryTest, WhatIsTrimmedDuringAReplayIsAGap) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  const Position second = Five(node);
  node.history.entries_max = 1;
  Say(node, alice, JoinSince("log", second));
  node.Settle();
  node.history.Trim({"log"}, {.up_to_offset = {}, .keep = 1}, [](auto) {});
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined 2 yes", "msg 3 c", "gap 2"));
  Keep(node, "log", "f");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 6 f"));
  EXPECT_EQ(node.Total(Counter::kRecoveriesLost), 1u);
}

TEST_F(ShardRecoveryTest, AnotherEpochDuringAReplayIsAGap) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  const Position second = Five(node);
  node.history.entries_max = 1;
  Say(node, alice, JoinSince("log", second));
  node.Settle();
  node.Pass(absl::Hours(800));  // longer than the position is kept
  EXPECT_NE(Keep(node, "log", "A").epoch, second.epoch);
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined 2 yes", "msg 3 c", "gap"));
  Keep(node, "log", "B");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 2 B"));
}

TEST_F(ShardRecoveryTest, CopiesThatComeLateAreThrownAway) {
  ShardFixture node(WithHistory());
  FakeConnection& bob = Client(node, "bob");
  HearJoin(node, bob, "log", {});
  const Position second = Five(node);
  FakeConnection& alice = Client(node);
  node.Publish(RoomName{"log"}, Text("f"));  // in the history, and still in the mailbox
  node.Publish(RoomName{"log"}, Text("g"));
  Say(node, alice, JoinSince("log", second));
  node.RunTasks();
  EXPECT_THAT(node.Read(alice), SizeIs(6));
  EXPECT_TRUE(alice.held);
  node.TakeMail();
  EXPECT_TRUE(alice.outbox.empty());
  EXPECT_FALSE(alice.held) << "no older ones follow";
  Keep(node, "log", "h");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 8 h"));
}

TEST_F(ShardRecoveryTest, AHoldIsForgottenWhenNoCopyCanComeAnyMore) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  HearJoin(node, alice, "log", Five(node));
  node.Pass(absl::Seconds(59));
  EXPECT_THAT(Hear(node, alice), IsEmpty());
  EXPECT_TRUE(alice.held);
  node.Pass(absl::Seconds(1));
  EXPECT_THAT(Hear(node, alice), IsEmpty());
  EXPECT_FALSE(alice.held);
  Keep(node, "log", "f");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 6 f"));
}

TEST_F(ShardRecoveryTest, WhomAPushLeftOutDoesNotGetItFromHistory) {
  ShardFixture node(WithHistory(), 1, nullptr, &sessions);
  FakeConnection& alice = Client(node);
  const Position top = Five(node);
  HearJoin(node, alice, "log", {});
  const auto push = [&](std::string_view text, const Exceptions& except) {
    Deliver deliver = Text(text);
    deliver.except = std::make_shared<const Exceptions>(except);
    node.Do(RoomName{"log"}, std::move(deliver));
  };
  push("mine", {.connections = {node.IdOf(alice)}, .clients = {}});
  push("ours", {.connections = {}, .clients = {{"alice"}}});
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 6", "msg 7")) << "she knows of no hole";
  Keep(node, "log", "f");
  Lose(node, alice);
  FakeConnection& again = Resume(node);
  Hear(node, again);
  EXPECT_THAT(HearJoin(node, again, "log", {.offset = 5, .epoch = top.epoch}),
              ElementsAre("joined 5 yes", "msg 6", "msg 7", "msg 8 f"));
}

TEST_F(ShardRecoveryTest, ARoomWithoutHistoryTellsOfTheGap) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  EXPECT_THAT(HearJoin(node, alice, "lobby", {.offset = 7, .epoch = "e"}),
              ElementsAre("joined", "gap"));
  EXPECT_FALSE(alice.held);
  node.Push("lobby", "hi");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg hi"));
}

}  // namespace
}  // namespace wsrouter
