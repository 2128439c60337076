#ifndef WSROUTER_CONTROL_STREAM_QUEUE_H_
#define WSROUTER_CONTROL_STREAM_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace wsrouter {

struct StreamQueueLimits {
  size_t items_max = 8192;
  size_t bytes_max = size_t{8} << 20;
};

// What waits for one stream: first in first out, bounded in items and in octets, but for what is
// put always.
//
// Items are numbered from 1. One that does not fit is lost, but has its number, and the reader is
// told at that place of the stream how many were lost. Any thread.
template <typename Item>
class StreamQueue {
 public:
  enum class Add { kFirst, kQueued, kLost };

  struct Taken {
    uint64_t sequence = 0;  // of the item, or of the last one that was lost
    uint64_t lost = 0;      // where not 0, this is told instead of an item
    std::optional<Item> item;
  };

  explicit StreamQueue(StreamQueueLimits limits) : limits_(limits) {}

  // kFirst: nothing waited, so the reader must be woken. An item that is larger than all that may
  // wait is taken when no other waits that came this way.
  [[nodiscard]] Add Put(Item item, size_t bytes) {
    absl::MutexLock lock(&mutex_);
    const bool fits = bounded_ < limits_.items_max && bytes + bytes_ <= limits_.bytes_max;
    if (fits || bounded_ == 0) {
      ++bounded_;
      bytes_ += bytes;
      return PutLocked({.item = std::move(item), .bytes = bytes, .bounded = true});
    }
    ++sequence_;
    ++lost_;
    return Add::kLost;
  }

  // For what must not be lost and is bounded by something else. Takes no room from other items.
  [[nodiscard]] Add PutAlways(Item item) {
    absl::MutexLock lock(&mutex_);
    return PutLocked({.item = std::move(item)});
  }

  // The next thing to tell; nothing when nothing waits.
  std::optional<Taken> Take() {
    absl::MutexLock lock(&mutex_);
    if (items_.empty()) {
      if (lost_ == 0) return std::nullopt;
      return Taken{.sequence = sequence_, .lost = std::exchange(lost_, 0)};
    }
    Waiting& front = items_.front();
    if (front.lost_before > 0) {
      return Taken{.sequence = front.sequence - 1, .lost = std::exchange(front.lost_before, 0)};
    }
    Taken taken = {.sequence = front.sequence, .item = std::move(front.item)};
    bytes_ -= front.bytes;
    if (front.bounded) --bounded_;
    items_.pop_front();
    return taken;
  }

 private:
  struct Waiting {
    Item item;
    size_t bytes = 0;
    bool bounded = false;
    uint64_t sequence = 0;
    uint64_t lost_before = 0;
  };

  Add PutLocked(Waiting waiting) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool first = items_.empty() && lost_ == 0;
    waiting.sequence = ++sequence_;
    waiting.lost_before = std::exchange(lost_, 0);
    items_.push_back(std::move(waiting));
    return first ? Add::kFirst : Add::kQueued;
  }

  const StreamQueueLimits limits_;
  absl::Mutex mutex_;
  std::deque<Waiting> items_ ABSL_GUARDED_BY(mutex_);
  // Invariant: the sums over items_.
  size_t bounded_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;  // since the last item was queued
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_STREAM_QUEUE_H_
