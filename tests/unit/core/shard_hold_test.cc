// Members that are held while they catch up with a room: what is pushed meanwhile, and a history
// that is away.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/support/recovery_fixture.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ShardHoldTest : public RecoveryFixture {};

TEST_F(ShardHoldTest, PushesThatAreNotKeptFollowWhatIsReplayed) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Held(node, "log-asked");
  node.Push("log-asked", "x");
  Keep(node, "log-asked", "3");
  node.Push("log-asked", "y");
  LetThrough(node);
  EXPECT_THAT(Hear(node, alice),
              ElementsAre("joined 1 yes", "msg 2 2", "msg x", "msg 3 3", "msg y"));
  EXPECT_EQ(node.Total(Counter::kPushesHeld), 3u);
}

TEST_F(ShardHoldTest, TooManyOfThemAreLostAndTold) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Held(node, "log-asked");
  for (int i = 0; i < 300; ++i) node.Push("log-asked", "x");
  Keep(node, "log-asked", "3");
  LetThrough(node);
  const std::vector<std::string> frames = Hear(node, alice);
  EXPECT_EQ(std::ranges::count(frames, "msg x"), 256);
  EXPECT_EQ(std::ranges::count(frames, "msg 3 3"), 1);
  EXPECT_EQ(frames.back(), "gap 44");
  EXPECT_EQ(node.Total(Counter::kPushesDroppedHeld), 44u);
}

TEST_F(ShardHoldTest, TooManyThatAreKeptAreReadAgain) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Held(node);
  std::vector<std::string> expected = {"joined 1 yes", "msg 2 2"};
  for (int i = 3; i <= 700; ++i) {
    Keep(node, "log", std::to_string(i));
    expected.push_back(fmt::format("msg {} {}", i, i));
  }
  LetThrough(node);
  EXPECT_THAT(Hear(node, alice), testing::ElementsAreArray(expected));
  EXPECT_EQ(node.Total(Counter::kPushesDroppedHeld), 0u);
  Keep(node, "log", "last");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 701 last"));
}

TEST_F(ShardHoldTest, OneThatGotLostOnItsWayIsReadAgain) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Held(node);
  Keep(node, "log", "3");
  node.mailbox().capacity = 0;
  Keep(node, "log", "4");
  node.mailbox().capacity = SIZE_MAX;
  Keep(node, "log", "5");
  LetThrough(node);
  EXPECT_THAT(Hear(node, alice),
              ElementsAre("joined 1 yes", "msg 2 2", "msg 3 3", "msg 4 4", "msg 5 5"));
}

TEST_F(ShardHoldTest, ARoomThatIsPushedToAllTheTimeIsCaughtUpWith) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Held(node);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20; ++i) Keep(node, "log", "x");
    node.history.LetThrough();
    node.Settle();
    node.Read(alice);
  }
  EXPECT_EQ(node.history.reads, 1u) << "what waited was enough";
  EXPECT_FALSE(alice.held);
}

TEST_F(ShardHoldTest, WhereHistoryIsAwayAJoinMayBeRepeated) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  since = Keep(node, "log", "1");
  node.history.away = true;
  Say(node, alice, JoinSince("log", since));
  node.Settle();
  const auto frames = node.Read(alice);
  ASSERT_THAT(frames, SizeIs(1));
  const auto error = nlohmann::json::parse(frames[0])["error"];
  EXPECT_EQ(error["id"], "1");
  EXPECT_EQ(error["reason"], "HISTORY_UNAVAILABLE");
  EXPECT_EQ(error["retryAfterMs"], 2000);
  EXPECT_FALSE(alice.paused);
  node.history.away = false;
  Keep(node, "log", "2");
  node.Pass(absl::Seconds(9));
  EXPECT_THAT(Hear(node, alice), IsEmpty()) << "held until she asks again";
  EXPECT_THAT(HearJoin(node, alice, "log", since), ElementsAre("joined 1 yes", "msg 2 2"));
  EXPECT_EQ(node.Total(Counter::kRecoveriesFailed), 1u);
}

TEST_F(ShardHoldTest, WhereItIsNotRepeatedThereIsAGap) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  since = Keep(node, "log", "1");
  node.history.away = true;
  EXPECT_THAT(HearJoin(node, alice, "log", since), ElementsAre("error HISTORY_UNAVAILABLE"));
  Keep(node, "log", "2");
  node.Pass(absl::Seconds(10));
  EXPECT_THAT(Hear(node, alice), ElementsAre("gap"));
  EXPECT_EQ(node.Total(Counter::kPushesDroppedHeld), 1u);
  Keep(node, "log", "3");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 3 3"));
}

TEST_F(ShardHoldTest, AJoinWithoutSinceDoesWithoutAHistoryThatIsAway) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  node.history.away = true;
  Say(node, alice, R"({"join":{"id":"1","room":"log"}})");
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined"));
  Keep(node, "log", "1");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 1 1"));
}

TEST_F(ShardHoldTest, AReplayOutlastsAHistoryThatIsAwayForAWhile) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  for (const char* text : {"1", "2", "3"}) Keep(node, "log", text);
  node.history.entries_max = 1;
  Say(node, alice, JoinSince("log", {}));
  node.Settle();
  node.history.away = true;
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined 0 yes", "msg 1 1"));
  node.Pass(absl::Seconds(5));
  EXPECT_THAT(Hear(node, alice), IsEmpty());
  node.history.away = false;
  node.Pass(absl::Seconds(1));
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 2 2", "msg 3 3"));
}

TEST_F(ShardHoldTest, AReplayEndsWithAGapWhereItStaysAway) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  for (const char* text : {"1", "2", "3"}) Keep(node, "log", text);
  node.history.entries_max = 1;
  Say(node, alice, JoinSince("log", {}));
  node.Settle();
  node.history.away = true;
  std::vector<std::string> heard = Hear(node, alice);
  for (int second = 0; second < 12; ++second) {
    node.Pass(absl::Seconds(1));
    for (const std::string& frame : Hear(node, alice)) heard.push_back(frame);
  }
  EXPECT_THAT(heard, ElementsAre("joined 0 yes", "msg 1 1", "gap"));
  Keep(node, "log", "4");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 4 4"));
}

}  // namespace
}  // namespace wsrouter
