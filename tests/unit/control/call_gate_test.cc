#include "control/call_gate.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fakes.h"

namespace wsrouter {
namespace {

using Verdict = CallGate::Verdict;
using Outcome = CallGate::Outcome;

class CallGateTest : public testing::Test {
 protected:
  absl::Duration Now() const { return clock.Now().uptime; }
  absl::Duration In(absl::Duration time) const { return Now() + time; }
  Verdict Enter(CallGate& gate, uint64_t call, absl::Duration patience = absl::Seconds(5)) {
    return gate.Enter(call, 0, In(patience), Now());
  }
  Verdict EnterWith(CallGate& gate, uint64_t call, size_t octets) {
    return gate.Enter(call, octets, In(absl::Seconds(5)), Now());
  }
  void Fail(CallGate& gate, uint64_t call) {
    ASSERT_EQ(Enter(gate, call), Verdict::kStart);
    gate.Leave(call, Outcome::kFailure, Now());
  }
  void Pause(CallGate& gate) {
    for (uint64_t call = 1; !gate.paused(); ++call) Fail(gate, call);
  }

  ManualClock clock;
};

TEST_F(CallGateTest, NoMoreThanSoManyAtATimeAndTheRestInOrder) {
  CallGate gate({.concurrency_max = 2});
  EXPECT_EQ(Enter(gate, 1), Verdict::kStart);
  EXPECT_EQ(Enter(gate, 2), Verdict::kStart);
  EXPECT_EQ(Enter(gate, 3), Verdict::kWait);
  EXPECT_EQ(Enter(gate, 4), Verdict::kWait);
  EXPECT_FALSE(gate.Next(Now()).has_value());
  gate.Leave(2, Outcome::kSuccess, Now());
  const auto turn = gate.Next(Now());
  EXPECT_EQ(turn->call, 3u);
  EXPECT_EQ(turn->verdict, Verdict::kStart);
  EXPECT_FALSE(gate.Next(Now()).has_value());
  gate.Leave(1, Outcome::kSuccess, Now());
  EXPECT_EQ(gate.Next(Now())->call, 4u);
  EXPECT_EQ(gate.running(), 2u);
}

TEST_F(CallGateTest, NoMoreThanSoManyWait) {
  CallGate gate({.concurrency_max = 1, .queue_max = 1});
  Enter(gate, 1);
  EXPECT_EQ(Enter(gate, 2), Verdict::kWait);
  EXPECT_EQ(Enter(gate, 3), Verdict::kFull);
  EXPECT_TRUE(gate.Withdraw(2));
  EXPECT_FALSE(gate.Withdraw(2));
  EXPECT_EQ(Enter(gate, 4), Verdict::kWait);
  gate.Leave(1, Outcome::kSuccess, Now());
  EXPECT_EQ(gate.Next(Now())->call, 4u);
}

TEST_F(CallGateTest, NoMoreThanSoManyOctetsWaitOrAreUnderWay) {
  CallGate gate({.concurrency_max = 1, .octets_max = 100});
  EXPECT_EQ(EnterWith(gate, 1, 60), Verdict::kStart);
  EXPECT_EQ(EnterWith(gate, 2, 41), Verdict::kHeavy);
  EXPECT_EQ(EnterWith(gate, 3, 40), Verdict::kWait);
  EXPECT_EQ(EnterWith(gate, 4, 1), Verdict::kHeavy);
  EXPECT_EQ(EnterWith(gate, 5, 0), Verdict::kWait);
  EXPECT_TRUE(gate.Withdraw(3));
  EXPECT_EQ(gate.octets(), 60u);
  gate.Leave(1, Outcome::kWithdrawn, Now());
  EXPECT_EQ(gate.octets(), 0u);
  EXPECT_EQ(EnterWith(gate, 6, 100), Verdict::kWait);
  EXPECT_EQ(gate.Next(Now())->call, 5u);
  gate.Leave(5, Outcome::kSuccess, Now());
  EXPECT_EQ(gate.Next(Now())->call, 6u);
  EXPECT_EQ(gate.octets(), 100u);
}

TEST_F(CallGateTest, OctetsOfThoseWhoAreNotStartedAreGivenBack) {
  CallGate gate({.concurrency_max = 1, .octets_max = 100, .failures_max = 1});
  EnterWith(gate, 1, 10);
  gate.Enter(2, 20, In(absl::Seconds(1)), Now());
  EnterWith(gate, 3, 30);
  clock.Advance(absl::Seconds(1));
  gate.Leave(1, Outcome::kFailure, Now());
  EXPECT_EQ(gate.Next(Now())->verdict, Verdict::kLate);
  EXPECT_EQ(gate.octets(), 30u);
  EXPECT_EQ(gate.Next(Now())->verdict, Verdict::kPaused);
  EXPECT_EQ(gate.octets(), 0u);
}

TEST_F(CallGateTest, ACallThatIsLargerThanAllThatMayBeIsLetInAlone) {
  CallGate gate({.concurrency_max = 2, .octets_max = 100});
  EXPECT_EQ(EnterWith(gate, 1, 101), Verdict::kStart);
  EXPECT_EQ(EnterWith(gate, 2, 1), Verdict::kHeavy);
  gate.Leave(1, Outcome::kSuccess, Now());
  EXPECT_EQ(EnterWith(gate, 3, 1), Verdict::kStart);
  EXPECT_EQ(EnterWith(gate, 4, 101), Verdict::kHeavy);
}

TEST_F(CallGateTest, WhoWaitedTooLongIsNotStarted) {
  CallGate gate({.concurrency_max = 1});
  Enter(gate, 1);
  Enter(gate, 2, absl::Seconds(1));
  Enter(gate, 3, absl::Seconds(9));
  clock.Advance(absl::Seconds(1));
  gate.Leave(1, Outcome::kSuccess, Now());
  EXPECT_EQ(gate.Next(Now())->verdict, Verdict::kLate);
  EXPECT_EQ(gate.Next(Now())->verdict, Verdict::kStart);
}

TEST_F(CallGateTest, FailuresInARowBringAPauseAndRefuseThoseWhoWait) {
  CallGate gate({.concurrency_max = 1, .failures_max = 3});
  Fail(gate, 1);
  Fail(gate, 2);
  EXPECT_FALSE(gate.paused());
  EXPECT_EQ(Enter(gate, 3), Verdict::kStart);
  EXPECT_EQ(Enter(gate, 4), Verdict::kWait);
  gate.Leave(3, Outcome::kFailure, Now());
  EXPECT_TRUE(gate.paused());
  EXPECT_EQ(gate.Next(Now())->verdict, Verdict::kPaused);
  EXPECT_FALSE(gate.Next(Now()).has_value());
  EXPECT_EQ(Enter(gate, 5), Verdict::kPaused);
  EXPECT_EQ(gate.PauseLeft(Now()), absl::Milliseconds(500));
}

TEST_F(CallGateTest, SuccessesInBetweenBringNone) {
  CallGate gate({.failures_max = 3});
  for (uint64_t call = 0; call < 100; call += 4) {
    Fail(gate, call);
    for (uint64_t more = 1; more < 4; ++more) {
      ASSERT_EQ(Enter(gate, call + more), Verdict::kStart);
      gate.Leave(call + more, Outcome::kSuccess, Now());
    }
  }
  EXPECT_FALSE(gate.paused());
}

TEST_F(CallGateTest, HalfOfManyFailingBringsAPause) {
  CallGate gate({.failures_max = 3, .rate_calls_min = 20});
  uint64_t call = 0;
  for (; !gate.paused() && call < 100; call += 2) {
    Fail(gate, call);
    if (gate.paused()) break;
    Enter(gate, call + 1);
    gate.Leave(call + 1, Outcome::kSuccess, Now());
  }
  EXPECT_TRUE(gate.paused());
  EXPECT_GE(call, 18u);
}

TEST_F(CallGateTest, FailuresOfAnEarlierWindowDoNotCount) {
  CallGate gate({.failures_max = 100, .rate_calls_min = 4, .rate_window = absl::Seconds(10)});
  for (uint64_t call = 0; call < 3; ++call) Fail(gate, call);
  clock.Advance(absl::Seconds(10));
  for (uint64_t call = 3; call < 6; ++call) Fail(gate, call);
  EXPECT_FALSE(gate.paused());
  Fail(gate, 6);
  EXPECT_TRUE(gate.paused());
}

TEST_F(CallGateTest, OneProbeBehindThePauseAndItsSuccessEndsTheTrouble) {
  CallGate gate({});
  Pause(gate);
  clock.Advance(absl::Milliseconds(500));
  EXPECT_EQ(Enter(gate, 100), Verdict::kStart);
  EXPECT_EQ(Enter(gate, 101), Verdict::kPaused);
  gate.Leave(100, Outcome::kSuccess, Now());
  EXPECT_FALSE(gate.paused());
  EXPECT_EQ(Enter(gate, 102), Verdict::kStart);
  EXPECT_EQ(Enter(gate, 103), Verdict::kStart);
}

TEST_F(CallGateTest, AProbeThatFailsBringsAPauseTwiceAsLongUpToTheMost) {
  CallGate gate({});
  Pause(gate);
  for (const int expected : {1000, 2000, 4000, 8000, 10000, 10000}) {
    clock.Advance(gate.PauseLeft(Now()));
    Fail(gate, 100);
    EXPECT_EQ(gate.PauseLeft(Now()), absl::Milliseconds(expected));
  }
}

TEST_F(CallGateTest, AProbeThatNobodyWaitsForAnyMoreLeavesItsPlaceToTheNext) {
  CallGate gate({});
  Pause(gate);
  clock.Advance(absl::Milliseconds(500));
  EXPECT_EQ(Enter(gate, 100), Verdict::kStart);
  gate.Leave(100, Outcome::kWithdrawn, Now());
  EXPECT_TRUE(gate.paused());
  EXPECT_EQ(Enter(gate, 101), Verdict::kStart);
}

TEST_F(CallGateTest, CallsFromBeforeThePauseSayNothingAboutIt) {
  CallGate gate({.failures_max = 2});
  Enter(gate, 1);
  Enter(gate, 2);
  Enter(gate, 3);
  gate.Leave(1, Outcome::kFailure, Now());
  gate.Leave(2, Outcome::kFailure, Now());
  EXPECT_TRUE(gate.paused());
  gate.Leave(3, Outcome::kSuccess, Now());
  EXPECT_TRUE(gate.paused());
}

}  // namespace
}  // namespace wsrouter
