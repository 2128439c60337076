#ifndef WSROUTER_CORE_HISTOGRAM_H_
#define WSROUTER_CORE_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wsrouter {

// How many of the values that were added are at most so much, in buckets whose bounds never change.
//
// Any thread adds and reads, without a lock; who adds often has a histogram of its own, so that
// adding never contends, and a node's figures are the sums over them. A value that is added during
// a reading is in it with its count, with its part of the sum, with both, or not at all.
class Histogram {
 public:
  static constexpr size_t kBoundsMax = 24;

  struct Reading {
    // How many values were at most each bound; one more for all of them, which is the count.
    std::vector<uint64_t> cumulative;
    double sum = 0;

    uint64_t count() const { return cumulative.empty() ? 0 : cumulative.back(); }
    // Of a histogram with the same bounds. An empty reading takes any.
    void Add(const Reading& other) {
      if (cumulative.size() < other.cumulative.size()) cumulative.resize(other.cumulative.size());
      for (size_t i = 0; i < other.cumulative.size(); ++i) cumulative[i] += other.cumulative[i];
      sum += other.sum;
    }
  };

  // `bounds` ascend, are kBoundsMax at most (what is more counts as above all), and outlive this.
  explicit Histogram(std::span<const double> bounds)
      : bounds_(bounds.first(std::min(bounds.size(), kBoundsMax))) {}

  // `times` values of the same size cost what one costs.
  void Add(double value, uint64_t times = 1) {
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    buckets_[static_cast<size_t>(bound - bounds_.begin())].fetch_add(times,
                                                                     std::memory_order_relaxed);
    sum_.fetch_add(value * static_cast<double>(times), std::memory_order_relaxed);
  }

  Reading Read() const {
    Reading reading;
    reading.cumulative.reserve(bounds_.size() + 1);
    uint64_t sum = 0;
    for (size_t i = 0; i <= bounds_.size(); ++i) {
      sum += buckets_[i].load(std::memory_order_relaxed);
      reading.cumulative.push_back(sum);
    }
    reading.sum = sum_.load(std::memory_order_relaxed);
    return reading;
  }

  std::span<const double> bounds() const { return bounds_; }

 private:
  const std::span<const double> bounds_;
  alignas(64) std::array<std::atomic<uint64_t>, kBoundsMax + 1> buckets_{};
  std::atomic<double> sum_{0};
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_HISTOGRAM_H_
