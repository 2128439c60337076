#include "client/cpp/missed.h"

#include <gtest/gtest.h>

namespace wsrouter::client {
namespace {

TEST(MissedCountTest, UnbrokenNumbersAreNoLoss) {
  MissedCount missed;

  EXPECT_EQ(missed.OnNumber(1), 0u);
  EXPECT_EQ(missed.OnNumber(2), 0u);
}

TEST(MissedCountTest, GapIsALossAlsoBeforeTheFirstNumber) {
  MissedCount missed;

  EXPECT_EQ(missed.OnNumber(3), 2u);
  EXPECT_EQ(missed.OnNumber(7), 3u);
  EXPECT_EQ(missed.OnNumber(8), 0u);
}

TEST(MissedCountTest, LossThatIsToldBehindItsGapCountsOnce) {
  MissedCount missed;
  (void)missed.OnNumber(1);

  EXPECT_EQ(missed.OnMissed(3, 5), 3u);
  EXPECT_EQ(missed.OnNumber(6), 0u);
}

TEST(MissedCountTest, LossThatIsToldBeforeItsGapCountsOnce) {
  MissedCount missed;
  (void)missed.OnNumber(1);

  EXPECT_EQ(missed.OnMissed(3, 2), 3u);
  EXPECT_EQ(missed.OnNumber(6), 0u);
  EXPECT_EQ(missed.OnNumber(8), 1u);
}

TEST(MissedCountTest, LossThatIsToldWithoutANumberCountsOnce) {
  MissedCount missed;
  (void)missed.OnNumber(1);

  EXPECT_EQ(missed.OnMissed(3, 0), 3u);
  EXPECT_EQ(missed.OnNumber(5), 0u);
  EXPECT_EQ(missed.OnNumber(7), 1u);
}

TEST(MissedCountTest, GapLargerThanWhatWasToldIsCountedInFull) {
  MissedCount missed;

  EXPECT_EQ(missed.OnMissed(2, 6), 5u);
  EXPECT_EQ(missed.OnMissed(1, 0), 1u);
  EXPECT_EQ(missed.OnNumber(9), 1u);
}

}  // namespace
}  // namespace wsrouter::client
