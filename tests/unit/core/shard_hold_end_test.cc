// Members that are held in a room: clients that come back and those that go, slow ones and many.
#include <string>
#include <vector>

#include "core/history_reads.h"
#include "gmock/gmock.h"
#include "tests/support/recovery_fixture.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ShardHoldEndTest : public RecoveryFixture {};

TEST_F(ShardHoldEndTest, WhoComesBackIsHeldUntilItsJoin) {
  ShardFixture node(WithHistory(), 1, nullptr, &sessions);
  FakeConnection& alice = Back(node);
  EXPECT_THAT(Hear(node, alice), ElementsAre("welcome", "gap", "joined", "joined"))
      << "of the lobby nobody knows what she has missed";
  Keep(node, "log", "3");
  node.Push("lobby", "hi");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg hi"));
  EXPECT_THAT(HearJoin(node, alice, "log", since),
              ElementsAre("joined 1 yes", "msg 2 2", "msg 3 3"));
  Keep(node, "log", "4");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 4 4"));
}

TEST_F(ShardHoldEndTest, WhoComesBackAndDoesNotAskHasAGap) {
  ShardFixture node(WithHistory(), 1, nullptr, &sessions);
  FakeConnection& alice = Back(node);
  Hear(node, alice);
  Keep(node, "log", "3");
  node.Pass(absl::Seconds(9));
  EXPECT_THAT(Hear(node, alice), IsEmpty());
  node.Pass(absl::Seconds(1));
  EXPECT_THAT(Hear(node, alice), ElementsAre("gap"));
  Keep(node, "log", "4");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 4 4"));
  EXPECT_EQ(node.Total(Counter::kRecoveriesLate), 1u);
  EXPECT_FALSE(alice.held);
}

TEST_F(ShardHoldEndTest, WhoComesBackAndAsksForNothingHasAGap) {
  ShardFixture node(WithHistory(), 1, nullptr, &sessions);
  FakeConnection& alice = Back(node);
  Hear(node, alice);
  Say(node, alice, R"({"join":{"id":"1","room":"log"}})");
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined 2", "gap"));
  Keep(node, "log", "3");
  EXPECT_THAT(Hear(node, alice), ElementsAre("msg 3 3"));
}

TEST_F(ShardHoldEndTest, AMembershipThatEndsEndsTheHold) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Held(node);
  node.Leave(alice, "log");
  EXPECT_THAT(Hear(node, alice), ElementsAre("left", "error JOIN_WITHDRAWN"));
  EXPECT_FALSE(alice.held);
  EXPECT_FALSE(alice.paused);
  LetThrough(node);
  EXPECT_THAT(Hear(node, alice), IsEmpty()) << "an answer to nobody";

  node.history.keeps_back = true;
  Say(node, alice, JoinSince("log", since, "2"));
  node.Settle();
  node.Do(node.IdOf(alice), Release{});
  EXPECT_THAT(Hear(node, alice), ElementsAre("left", "welcome", "error JOIN_WITHDRAWN"));
  EXPECT_FALSE(alice.held);
  LetThrough(node);
  EXPECT_THAT(Hear(node, alice), IsEmpty());
}

TEST_F(ShardHoldEndTest, AnAnswerToAJoinBeforeIsNotTakenForOne) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Held(node);
  node.Leave(alice, "log");
  Say(node, alice, JoinSince("log", {}, "2"));
  node.Settle();
  node.history.LetOneThrough();
  EXPECT_THAT(Hear(node, alice), ElementsAre("left", "error JOIN_WITHDRAWN"));
  LetThrough(node);
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined 0 yes", "msg 1 1", "msg 2 2"));
}

TEST_F(ShardHoldEndTest, AConnectionThatEndsTakesItsHoldsAlong) {
  ShardFixture node(WithHistory(), 1, nullptr, &sessions);
  FakeConnection& alice = Held(node);
  Keep(node, "log", "3");
  Lose(node, alice);
  EXPECT_TRUE(alice.parked);
  EXPECT_FALSE(alice.held);
  FakeConnection& again = Resume(node);
  LetThrough(node);
  EXPECT_THAT(Hear(node, again), ElementsAre("welcome", "joined"));
  EXPECT_THAT(HearJoin(node, again, "log", since),
              ElementsAre("joined 1 yes", "msg 2 2", "msg 3 3"));
  node.history.keeps_back = true;
  Say(node, again, JoinSince("log", since));
  node.Settle();
  node.Do(node.IdOf(again), Disconnect{.close = {4021, ""}});
  LetThrough(node);
  node.Settle();
  EXPECT_FALSE(again.held);
}

TEST_F(ShardHoldEndTest, ANewOwnOfTheSameClientChangesNothing) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Held(node);
  EXPECT_TRUE(node.Own(alice, "alice", {"log"}).status.ok());
  LetThrough(node);
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined 1 yes", "msg 2 2"));
}

TEST_F(ShardHoldEndTest, AJoinIsNotLiveBeforeTheBrokerSaysSo) {
  ShardFixture node(WithHistory());
  FakeConnection& alice = Client(node);
  since = Keep(node, "log", "1");
  node.broker.keeps_back = true;
  Say(node, alice, JoinSince("log", since));
  node.Settle();
  EXPECT_EQ(node.history.reads, 0u) << "what is pushed between the two would be lost";
  Keep(node, "log", "2");
  node.broker.keeps_back = false;
  node.broker.LetThrough();
  EXPECT_THAT(Hear(node, alice), ElementsAre("joined 1 yes", "msg 2 2"));
  node.broker.refuses = true;
  EXPECT_THAT(HearJoin(node, alice, "log-2", {}), ElementsAre("left", "error INTERNAL"));
  EXPECT_FALSE(alice.held);
}

TEST_F(ShardHoldEndTest, WhoReadsSlowlyGetsAllOfAReplayAndLosesWhatIsLive) {
  Limits limits = WithHistory();
  limits.slow_consumer_bytes = 4096;
  limits.slow_consumer_policy = SlowConsumerPolicy::kDropOld;
  ShardFixture node(limits);
  FakeConnection& alice = Client(node);
  node.Join(alice, "lobby");
  node.Read(alice);
  std::vector<std::string> expected;
  for (int i = 1; i <= 50; ++i) {
    Keep(node, "log", std::string(200, 'x'));
    expected.push_back(fmt::format("msg {} {}", i, std::string(200, 'x')));
  }
  Say(node, alice, JoinSince("log", {}));
  node.Settle();
  for (int i = 0; i < 100; ++i) node.Push("lobby", std::string(200, 'y'));
  std::vector<std::string> log;
  for (const std::string& frame : Hear(node, alice)) {
    if (frame.starts_with("msg ") && frame.back() == 'x') log.push_back(frame);
  }
  EXPECT_THAT(log, testing::ElementsAreArray(expected));
  EXPECT_GT(node.Total(Counter::kPushesDroppedSlowConsumer), 0u);
}

TEST_F(ShardHoldEndTest, ManyWhoComeAtOnceShareTheirReads) {
  constexpr size_t kClients = 400;
  ShardFixture node(WithHistory());
  for (const char* text : {"1", "2", "3"}) Keep(node, "log", text);
  std::vector<FakeConnection*> clients;
  for (size_t i = 0; i < kClients; ++i) clients.push_back(&Client(node, fmt::format("c{}", i)));
  node.history.keeps_back = true;
  for (FakeConnection* client : clients) Say(node, *client, JoinSince("log", {}));
  node.Settle();
  EXPECT_EQ(node.history.kept_back(), HistoryReads::kUnderWayMax);
  while (node.history.kept_back() > 0) {
    node.history.LetThrough();
    node.Settle();
  }
  const size_t alone = HistoryReads::kUnderWayMax;
  EXPECT_EQ(node.history.reads,
            alone + (kClients - alone + HistoryReads::kReadersMax - 1) / HistoryReads::kReadersMax);
  for (FakeConnection* client : clients) {
    EXPECT_THAT(Hear(node, *client), ElementsAre("joined 0 yes", "msg 1 1", "msg 2 2", "msg 3 3"));
  }
}

}  // namespace
}  // namespace wsrouter
