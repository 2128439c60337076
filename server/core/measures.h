#ifndef WSROUTER_CORE_MEASURES_H_
#define WSROUTER_CORE_MEASURES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/histogram.h"

namespace wsrouter {

// What a node measures, each as a histogram. Durations are in seconds.
enum class Measure : size_t {
  // From a push's arrival at a shard to the end of the turn in which the last of its connections
  // was written what its socket took: for those that are backlogged the frames still wait then.
  kDelivery,
  kFanOut,          // connections of a shard that one push was queued for
  kPing,            // from a Ping to the next Pong, which came before a Ping counts as unanswered
  kTurn,            // what a shard's loop did between two sleeps
  kRedisRoundTrip,  // of the PUBLISH that proves each second that the link lives
  kCount,
};

inline constexpr std::array kDurationBounds = {
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
    0.025,   0.05,     0.1,     0.25,   0.5,     1.0,    2.5,   5.0,    10.0};
inline constexpr std::array kSizeBounds = {1.0,   2.0,   5.0,    10.0,   25.0,   50.0,    100.0,
                                           250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, 100000.0};

inline std::span<const double> BoundsOf(Measure measure) {
  if (measure == Measure::kFanOut) return kSizeBounds;
  return kDurationBounds;
}

// The histograms of one owner: a shard, the link to Redis. Any thread adds and reads.
class MeasureBlock {
 public:
  void Add(Measure measure, double value, uint64_t times = 1) {
    histograms_[static_cast<size_t>(measure)].Add(value, times);
  }
  void Add(Measure measure, absl::Duration duration, uint64_t times = 1) {
    Add(measure, absl::ToDoubleSeconds(duration), times);
  }
  Histogram::Reading Read(Measure measure) const {
    return histograms_[static_cast<size_t>(measure)].Read();
  }

 private:
  std::array<Histogram, static_cast<size_t>(Measure::kCount)> histograms_ = {
      Histogram(BoundsOf(Measure::kDelivery)), Histogram(BoundsOf(Measure::kFanOut)),
      Histogram(BoundsOf(Measure::kPing)), Histogram(BoundsOf(Measure::kTurn)),
      Histogram(BoundsOf(Measure::kRedisRoundTrip))};
};

// All blocks of a node. Any thread.
class Measures {
 public:
  // Good as long as this is.
  MeasureBlock& AddBlock() {
    absl::MutexLock lock(&mutex_);
    return blocks_.emplace_back();
  }

  // The sum over all blocks.
  Histogram::Reading Read(Measure measure) const {
    Histogram::Reading sum;
    sum.cumulative.resize(BoundsOf(measure).size() + 1);
    absl::MutexLock lock(&mutex_);
    for (const MeasureBlock& block : blocks_) sum.Add(block.Read(measure));
    return sum;
  }

 private:
  mutable absl::Mutex mutex_;  // while blocks are added; what they hold is atomic
  std::deque<MeasureBlock> blocks_ ABSL_GUARDED_BY(mutex_);  // a deque does not move what it holds
};

// How a node's shards keep up, seen from outside of them.
struct LoopLoad {
  absl::Duration lag;                 // the age of the oldest loop turn
  uint64_t mailbox_messages = 0;      // that wait, in all mailboxes
  uint64_t mailbox_messages_max = 0;  // in the fullest
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_MEASURES_H_
