#include "core/rate_log.h"

#include <algorithm>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/fakes.h"

namespace wsrouter {
namespace {

using Result = RateVerdict::Result;

class RateLogTest : public testing::Test {
 protected:
  static RateCharge Room(RateLimit limit, std::string room = "r") {
    return {.client = {}, .room = {.log = std::move(room), .limit = limit}};
  }
  static RateCharge Both(RateLimit client, RateLimit room) {
    return {.client = {.log = "c", .limit = client}, .room = {.log = "r", .limit = room}};
  }
  RateVerdict Spend(const RateCharge& charge) { return log_.Spend(charge, clock_.Now().uptime); }
  bool Allowed(const RateCharge& charge) { return Spend(charge).result == Result::kAllowed; }

  ManualClock clock_;
  RateLog log_;
};

TEST_F(RateLogTest, NAreAllowedAndTheNextIsToldWhenItMayCome) {
  const RateCharge charge = Room({.n = 3, .window = absl::Seconds(1)});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Allowed(charge));
    clock_.Advance(absl::Milliseconds(100));
  }
  const RateVerdict refused = Spend(charge);
  EXPECT_EQ(refused.result, Result::kRoom);
  EXPECT_EQ(refused.retry_after, absl::Milliseconds(700));
  clock_.Advance(refused.retry_after - absl::Nanoseconds(1));
  EXPECT_FALSE(Allowed(charge));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(Allowed(charge));
  EXPECT_FALSE(Allowed(charge));
}

// A counter that begins anew with each window would let 2n through around its edge.
TEST_F(RateLogTest, TwoBurstsAroundAnEdgeAreOneWindow) {
  const RateCharge charge = Room({.n = 10, .window = absl::Seconds(1)});
  clock_.Advance(absl::Milliseconds(990));
  int allowed = 0;
  for (int i = 0; i < 10; ++i) allowed += Allowed(charge) ? 1 : 0;
  clock_.Advance(absl::Milliseconds(20));
  for (int i = 0; i < 10; ++i) allowed += Allowed(charge) ? 1 : 0;
  EXPECT_EQ(allowed, 10);
}

TEST_F(RateLogTest, NoWindowOfAnyOffsetHoldsMoreThanN) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const RateLimit limit = {.n = 1 + static_cast<uint32_t>(random() % 20),
                             .window = absl::Milliseconds(1 + random() % 500)};
    const RateCharge charge = Room(limit, std::to_string(round));
    std::vector<absl::Duration> allowed;
    std::vector<absl::Duration> refused;
    for (int i = 0; i < 300; ++i) {
      if (random() % 3 == 0) clock_.Advance(limit.window * (random() % 1000) / 2000);
      (Allowed(charge) ? allowed : refused).push_back(clock_.Now().uptime);
    }
    for (size_t i = limit.n; i < allowed.size(); ++i) {
      ASSERT_GE(allowed[i] - allowed[i - limit.n], limit.window);
    }
    for (const absl::Duration at : refused) {  // and none was refused without need
      const auto recent = std::ranges::count_if(
          allowed, [&](absl::Duration time) { return time <= at && at - time < limit.window; });
      ASSERT_GE(recent, limit.n);
    }
  }
}

TEST_F(RateLogTest, ASenderOverItsOwnLimitSpendsNothingOfTheRoom) {
  const RateCharge charge =
      Both({.n = 1, .window = absl::Seconds(1)}, {.n = 2, .window = absl::Seconds(1)});
  EXPECT_TRUE(Allowed(charge));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Spend(charge).result, Result::kClient);
  EXPECT_TRUE(Allowed(Room({.n = 2, .window = absl::Seconds(1)})));
}

TEST_F(RateLogTest, ARoomThatIsFullSpendsNothingOfTheSender) {
  const RateLimit one = {.n = 1, .window = absl::Seconds(1)};
  EXPECT_TRUE(Allowed(Room(one)));
  EXPECT_EQ(Spend(Both(one, one)).result, Result::kRoom);
  EXPECT_TRUE(Allowed({.client = {.log = "c", .limit = one}, .room = {}}));
}

TEST_F(RateLogTest, ALimitThatChangesCountsWhatTheLogHas) {
  const absl::Duration window = absl::Seconds(1);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Allowed(Room({.n = 5, .window = window})));
  EXPECT_FALSE(Allowed(Room({.n = 2, .window = window})));
  EXPECT_TRUE(Allowed(Room({.n = 6, .window = window})));
}

TEST_F(RateLogTest, LogsGoWithTheirWindows) {
  for (int i = 0; i < 1000; ++i) {
    Allowed(Room({.n = 1, .window = absl::Seconds(1)}, std::to_string(i)));
  }
  EXPECT_EQ(log_.size(), 1000u);
  clock_.Advance(absl::Seconds(2));
  for (int i = 0; i < 1000; ++i) Allowed(Room({.n = 1, .window = absl::Seconds(1)}, "one"));
  EXPECT_EQ(log_.size(), 1u);
}

TEST_F(RateLogTest, BeyondItsBoundTheLogThatWouldGoFirstIsForgotten) {
  log_ = RateLog(2);
  const RateLimit limit = {.n = 1, .window = absl::Seconds(10)};
  for (const char* room : {"a", "b", "c"}) {
    EXPECT_TRUE(Allowed(Room(limit, room)));
    clock_.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(log_.size(), 2u);
  EXPECT_FALSE(Allowed(Room(limit, "b")));
  EXPECT_FALSE(Allowed(Room(limit, "c")));
  EXPECT_TRUE(Allowed(Room(limit, "a")));
  EXPECT_EQ(log_.size(), 2u);
}

}  // namespace
}  // namespace wsrouter
