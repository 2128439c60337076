#include "core/histogram.h"

#include <array>
#include <memory>
#include <span>

#include "gmock/gmock.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;

constexpr std::array kBounds = {1.0, 5.0, 10.0};

// On the heap: AddressSanitizer's stack is not aligned as a Histogram wants.
std::unique_ptr<Histogram> New(std::span<const double> bounds) {
  return std::make_unique<Histogram>(bounds);
}

TEST(HistogramTest, CountsWhatIsAtMostEachBound) {
  const auto histogram = New(kBounds);
  for (const double value : {0.5, 1.0, 1.5, 5.0, 10.0, 10.5, 1e9}) histogram->Add(value);
  EXPECT_THAT(histogram->Read().cumulative, ElementsAre(2, 4, 5, 7));
  EXPECT_EQ(histogram->Read().count(), 7u);
}

TEST(HistogramTest, AddsUpItsValues) {
  const auto histogram = New(kBounds);
  histogram->Add(2.5);
  histogram->Add(0.25, 4);
  EXPECT_DOUBLE_EQ(histogram->Read().sum, 3.5);
  EXPECT_EQ(histogram->Read().count(), 5u);
}

TEST(HistogramTest, IsEmptyAtFirst) {
  const auto histogram = New(kBounds);
  EXPECT_THAT(histogram->Read().cumulative, ElementsAre(0, 0, 0, 0));
  EXPECT_EQ(histogram->Read().sum, 0);
}

TEST(HistogramTest, ReadingsOfTheSameBoundsAddUp) {
  const auto one = New(kBounds);
  const auto other = New(kBounds);
  one->Add(1);
  other->Add(7, 2);
  Histogram::Reading sum;
  EXPECT_EQ(sum.count(), 0u);
  sum.Add(one->Read());
  sum.Add(other->Read());
  EXPECT_THAT(sum.cumulative, ElementsAre(1, 1, 3, 3));
  EXPECT_DOUBLE_EQ(sum.sum, 15);
}

TEST(HistogramTest, BoundsThatAreTooManyCountAsAboveAll) {
  std::array<double, Histogram::kBoundsMax + 2> many{};
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<double>(i);
  const auto histogram = New(many);
  histogram->Add(1e9);
  EXPECT_EQ(histogram->Read().cumulative.size(), Histogram::kBoundsMax + 1);
  EXPECT_EQ(histogram->Read().count(), 1u);
}

}  // namespace
}  // namespace wsrouter
