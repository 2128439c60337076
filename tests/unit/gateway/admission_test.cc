// The buckets, tables and thresholds with which a gateway protects itself.

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "gateway/connect_rate.h"
#include "gateway/loop_lag.h"
#include "gateway/pressure.h"
#include "gateway/token_rate.h"
#include "tests/support/fakes.h"

namespace wsrouter {
namespace {

AddressKey KeyOf(uint64_t number) {
  AddressKey key;
  std::memcpy(key.data(), &number, key.size());
  return key;
}

TEST(TokenRateTest, BurstPassesAtOnceAndThenOneForEachInterval) {
  ManualClock clock;
  const TokenRate rate(10, 5);
  int64_t full_at = 0;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(rate.Take(full_at, clock.now.uptime)) << i;
  EXPECT_FALSE(rate.Take(full_at, clock.now.uptime));
  clock.Advance(absl::Milliseconds(99));
  EXPECT_FALSE(rate.Take(full_at, clock.now.uptime));
  clock.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(rate.Take(full_at, clock.now.uptime));
  EXPECT_FALSE(rate.Take(full_at, clock.now.uptime));
  clock.Advance(absl::Hours(1));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(rate.Take(full_at, clock.now.uptime)) << i;
  EXPECT_FALSE(rate.Take(full_at, clock.now.uptime));
}

TEST(TokenRateTest, SeveralAreTakenTogetherOrNoneIs) {
  ManualClock clock;
  const TokenRate rate(10, 5);
  int64_t full_at = 0;
  EXPECT_FALSE(rate.Take(full_at, clock.now.uptime, 6));
  EXPECT_TRUE(rate.Take(full_at, clock.now.uptime, 3));
  EXPECT_FALSE(rate.Take(full_at, clock.now.uptime, 3));
  EXPECT_TRUE(rate.Take(full_at, clock.now.uptime, 2));
}

TEST(TokenRateTest, NoRateRefusesNothing) {
  const TokenRate rate(0, 1);
  int64_t full_at = 0;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(rate.Take(full_at, absl::Hours(1)));
}

TEST(TokenRateTest, WhatCameInAPauseIsChargedAsIfItHadBeenReadThen) {
  ManualClock clock;
  const TokenRate rate(10, 5);
  PauseCredit credit;
  int64_t full_at = 0;
  const auto taken = [&] {
    int count = 0;
    while (rate.Take(full_at, clock.now.uptime, 1, credit.Left(clock.now.uptime))) ++count;
    return count;
  };
  credit.Pause(clock.now.uptime);
  clock.Advance(absl::Seconds(2));
  credit.Resume(clock.now.uptime);
  credit.Pause(clock.now.uptime);  // a pause behind another takes nothing away
  credit.Resume(clock.now.uptime);
  EXPECT_EQ(taken(), 5 + 20);
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(taken(), 10);
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(taken(), 5);

  credit.Pause(clock.now.uptime);
  clock.Advance(absl::Seconds(2));
  credit.Resume(clock.now.uptime);
  clock.Advance(absl::Seconds(2));  // as long as the pause was: what came in it has been read
  EXPECT_EQ(taken(), 5);
}

TEST(TokenRateTest, APauseIsCreditedUpToAMinute) {
  PauseCredit credit;
  credit.Pause(absl::Hours(1));
  credit.Resume(absl::Hours(2));
  EXPECT_EQ(credit.Left(absl::Hours(2)), absl::Minutes(1));
}

TEST(ConnectRateTest, EachAddressHasItsOwnBucket) {
  ManualClock clock;
  ConnectRate connects({10, 3}, 7);
  for (uint64_t address = 1; address <= 100; ++address) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(connects.Take(KeyOf(address), clock.now.uptime));
    EXPECT_FALSE(connects.Take(KeyOf(address), clock.now.uptime)) << address;
  }
  clock.Advance(absl::Milliseconds(100));
  EXPECT_TRUE(connects.Take(KeyOf(1), clock.now.uptime));
  EXPECT_FALSE(connects.Take(KeyOf(1), clock.now.uptime));
}

TEST(ConnectRateTest, ARateThatComesLaterCounts) {
  ManualClock clock;
  ConnectRate connects({0, 1}, 7);
  EXPECT_TRUE(connects.Take({1}, clock.Now().uptime));
  connects.SetRate({10, 1});
  EXPECT_TRUE(connects.Take({1}, clock.Now().uptime));
  EXPECT_FALSE(connects.Take({1}, clock.Now().uptime));
}

TEST(ConnectRateTest, AFullTableForgetsThoseWhoOweLeast) {
  ManualClock clock;
  ConnectRate connects({10, 20}, 7, 8);  // one row of eight
  const AddressKey greedy = KeyOf(1'000'000);
  while (connects.Take(greedy, clock.now.uptime)) {
  }
  for (uint64_t address = 1; address <= 1000; ++address) {
    EXPECT_TRUE(connects.Take(KeyOf(address), clock.now.uptime)) << address;
  }
  EXPECT_FALSE(connects.Take(greedy, clock.now.uptime));
}

TEST(LoopLagTest, OneLateTurnIsForgivenAndLastingLagIsNot) {
  const absl::Duration tick = absl::Milliseconds(100);
  absl::Duration now = absl::Hours(1);
  LoopLag lag(absl::Milliseconds(250), tick, now);
  lag.Tick(now += tick);
  EXPECT_FALSE(lag.too_late());
  lag.Tick(now += tick + absl::Milliseconds(900));
  EXPECT_FALSE(lag.too_late());
  for (int i = 0; i < 10; ++i) lag.Tick(now += tick + absl::Milliseconds(400));
  EXPECT_TRUE(lag.too_late());
  lag.Tick(now += tick + absl::Milliseconds(150));  // less than the limit, more than half of it
  EXPECT_TRUE(lag.too_late());
  for (int i = 0; i < 10; ++i) lag.Tick(now += tick);
  EXPECT_FALSE(lag.too_late());
}

TEST(LoopLagTest, ZeroIsNoLimit) {
  LoopLag lag(absl::ZeroDuration(), absl::Milliseconds(100), absl::Hours(1));
  lag.Tick(absl::Hours(2));
  EXPECT_FALSE(lag.too_late());
}

TEST(PressureTest, MemoryIsShortUntilItIsWellBelowTheLimit) {
  Pressure pressure({.memory_max = 1000});
  pressure.SetMemory(1000);
  EXPECT_FALSE(pressure.memory_short());
  pressure.SetMemory(1001);
  EXPECT_TRUE(pressure.memory_short());
  pressure.SetMemory(951);
  EXPECT_TRUE(pressure.memory_short());
  pressure.SetMemory(950);
  EXPECT_FALSE(pressure.memory_short());
  pressure.SetMemory(999);
  EXPECT_FALSE(pressure.memory_short());
}

TEST(PressureTest, AHalfOpenPlaceComesBackWithItsOwner) {
  Pressure pressure({.half_open_max = 2});
  HalfOpenPlace first = pressure.TakeHalfOpen({1});
  EXPECT_FALSE(pressure.half_open_full());
  HalfOpenPlace second = pressure.TakeHalfOpen({1});
  EXPECT_TRUE(pressure.half_open_full());
  second = std::move(first);
  EXPECT_FALSE(pressure.half_open_full());
}

TEST(PressureTest, OneAddressGetsItsShareOfHalfOpenPlaces) {
  Pressure pressure({.half_open_max = 4, .half_open_per_address = 1});
  HalfOpenPlace first = pressure.TakeHalfOpen({1});
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(pressure.TakeHalfOpen({1}), nullptr);
  const HalfOpenPlace other = pressure.TakeHalfOpen({2});
  EXPECT_NE(other, nullptr);
  first = nullptr;
  EXPECT_NE(pressure.TakeHalfOpen({1}), nullptr);
}

TEST(PressureTest, ThoseWhoAreRefusedComeBackAtTheRateAtWhichTheyAreTaken) {
  ManualClock clock;
  Pressure pressure({.upgrades_rate = 100});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pressure.TakeUpgrade(clock.now.uptime), std::nullopt);
  std::multiset<int64_t> seconds;
  for (int i = 0; i < 2000; ++i) {
    const auto wait = pressure.TakeUpgrade(clock.now.uptime);
    ASSERT_TRUE(wait.has_value());
    seconds.insert(absl::ToInt64Seconds(absl::Floor(*wait, absl::Seconds(1))));
  }
  EXPECT_EQ(*seconds.begin(), 1);
  EXPECT_EQ(*seconds.rbegin(), 21);
  for (int64_t second = 1; second <= 20; ++second) EXPECT_NEAR(seconds.count(second), 100, 1);
}

TEST(PressureTest, NobodyIsToldToComeBackLaterThanInAMinute) {
  ManualClock clock;
  Pressure pressure({.upgrades_rate = 10});
  absl::Duration longest;
  for (int i = 0; i < 5000; ++i) {
    longest = std::max(longest, pressure.TakeUpgrade(clock.now.uptime).value_or(longest));
  }
  EXPECT_GT(longest, absl::Seconds(59));
  EXPECT_LE(longest, absl::Seconds(60) + absl::Milliseconds(100));
}

TEST(PressureTest, TheSmallestLimitOfAllGroupsAboveCounts) {
  const std::string folder = testing::TempDir() + "control_groups";
  std::filesystem::create_directories(folder + "/a/b/c");
  std::filesystem::create_directories(folder + "/memory/x/y");
  const auto write = [&](const std::string& file, const std::string& text) {
    std::ofstream(folder + file) << text;
  };
  write("/groups", "0::/a/b/c\n");
  EXPECT_EQ(MemoryOfControlGroup(folder + "/groups", folder), 0u);
  write("/a/b/c/memory.max", "max\n");
  write("/a/b/memory.max", "3000\n");
  write("/a/memory.max", "2000\n");
  write("/memory.max", "9000\n");
  EXPECT_EQ(MemoryOfControlGroup(folder + "/groups", folder), 2000u);
  write("/groups", "0::/not/here\n");
  EXPECT_EQ(MemoryOfControlGroup(folder + "/groups", folder), 9000u);
  write("/memory.max", "max\n");
  write("/groups", "3:cpu:/z\n4:memory:/x/y\n0::/\n");
  write("/memory/x/memory.limit_in_bytes", "500\n");
  write("/memory/x/y/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(MemoryOfControlGroup(folder + "/groups", folder), 500u);
  std::filesystem::remove_all(folder);
}

TEST(PressureTest, ThisProcessHasMemory) { EXPECT_GT(ResidentMemory(), uint64_t{1} << 20); }

}  // namespace
}  // namespace wsrouter
