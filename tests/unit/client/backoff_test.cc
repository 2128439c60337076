#include "wsrouter/backoff.h"

#include <gtest/gtest.h>

#include <vector>

#include "absl/time/time.h"

namespace wsrouter::client {
namespace {

constexpr BackoffOptions kOptions = {.first_bound = absl::Seconds(1),
                                     .bound_max = absl::Seconds(8),
                                     .stable_after = absl::Seconds(10)};
constexpr absl::Duration kStart = absl::Hours(100);

// Always the upper end, so that a delay is its bound.
double Highest() { return 1.0; }

std::vector<absl::Duration> Failures(Backoff& backoff, int count) {
  std::vector<absl::Duration> delays;
  for (int i = 0; i < count; ++i) delays.push_back(backoff.OnLost(kStart));
  return delays;
}

TEST(BackoffTest, BoundDoublesWithEachFailureUpToItsMaximum) {
  Backoff backoff(kOptions, Highest);

  EXPECT_EQ(Failures(backoff, 6),
            (std::vector{absl::Seconds(1), absl::Seconds(2), absl::Seconds(4), absl::Seconds(8),
                         absl::Seconds(8), absl::Seconds(8)}));
}

TEST(BackoffTest, DelayIsDrawnFromTheWholeIntervalBelowTheBound) {
  double drawn = 0;
  Backoff backoff(kOptions, [&] { return drawn; });

  EXPECT_EQ(backoff.OnLost(kStart), absl::ZeroDuration());
  drawn = 0.25;
  EXPECT_EQ(backoff.OnLost(kStart), absl::Milliseconds(500));
}

TEST(BackoffTest, StableConnectionMakesTheNextFailureTheFirst) {
  Backoff backoff(kOptions, Highest);
  (void)Failures(backoff, 5);

  backoff.OnConnected(kStart);

  EXPECT_EQ(backoff.OnLost(kStart + kOptions.stable_after), absl::Seconds(1));
}

TEST(BackoffTest, ConnectionThatDoesNotLastIsOneMoreFailure) {
  Backoff backoff(kOptions, Highest);
  (void)Failures(backoff, 1);

  backoff.OnConnected(kStart);

  EXPECT_EQ(backoff.OnLost(kStart + absl::Seconds(9)), absl::Seconds(2));
}

TEST(BackoffTest, ConnectionOfLongAgoDoesNotVouchForLaterAttempts) {
  Backoff backoff(kOptions, Highest);
  backoff.OnConnected(kStart);
  (void)backoff.OnLost(kStart + absl::Seconds(10));

  EXPECT_EQ(backoff.OnLost(kStart + absl::Seconds(30)), absl::Seconds(2));
  EXPECT_EQ(backoff.OnLost(kStart + absl::Seconds(60)), absl::Seconds(4));
}

TEST(BackoffTest, StableConnectionMayComeBackAtOnceWhenAsked) {
  Backoff backoff(kOptions, Highest);
  backoff.OnConnected(kStart);

  EXPECT_EQ(backoff.OnLost(kStart + absl::Minutes(1), true), absl::ZeroDuration());
}

TEST(BackoffTest, PeerThatAcceptsAndDropsIsNotHammeredAlthoughItAsks) {
  Backoff backoff(kOptions, Highest);

  backoff.OnConnected(kStart);
  EXPECT_EQ(backoff.OnLost(kStart, true), absl::Seconds(1));
  backoff.OnConnected(kStart);
  EXPECT_EQ(backoff.OnLost(kStart, true), absl::Seconds(2));
}

TEST(BackoffTest, MaximumBelowTheFirstBoundWins) {
  Backoff backoff({.first_bound = absl::Seconds(5), .bound_max = absl::Seconds(2)}, Highest);

  EXPECT_EQ(backoff.OnLost(kStart), absl::Seconds(2));
}

}  // namespace
}  // namespace wsrouter::client
