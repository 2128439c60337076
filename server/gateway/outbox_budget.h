#ifndef WSROUTER_GATEWAY_OUTBOX_BUDGET_H_
#define WSROUTER_GATEWAY_OUTBOX_BUDGET_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wsrouter {

// What may wait in all outboxes of a node together. Each shard tells what waits in its own, and how
// large the largest of them is; while all together are over the budget, the shard that has the
// largest of the node ends that connection, and none else does anything. So connections go in the
// order of what they hold, whichever shards they are on, as far as was told ten times a second.
//
// Any thread tells and asks; a shard tells of itself alone.
class OutboxBudget {
 public:
  OutboxBudget(uint64_t bytes_max, size_t shards) : bytes_max_(bytes_max), shards_(shards) {}

  bool on() const { return bytes_max_ > 0; }

  void Tell(size_t shard, uint64_t bytes, uint64_t largest) {
    shards_[shard].largest.store(largest, std::memory_order_relaxed);
    shards_[shard].bytes.store(bytes, std::memory_order_release);  // who sees this sees the largest
  }

  bool Over() const { return Sum() > bytes_max_; }
  // With `bytes` in the outboxes of the shard it is so much that everybody had better know which
  // are large.
  bool Near(size_t shard, uint64_t bytes) const {
    return Sum() - shards_[shard].bytes.load(std::memory_order_relaxed) + bytes > bytes_max_ / 2;
  }
  bool HoldsLargest(size_t shard) const {
    const uint64_t own = shards_[shard].largest.load(std::memory_order_relaxed);
    return std::ranges::all_of(shards_, [&](const OfShard& other) {
      return other.largest.load(std::memory_order_relaxed) <= own;
    });
  }

 private:
  struct OfShard {
    alignas(64) std::atomic<uint64_t> bytes{0};
    std::atomic<uint64_t> largest{0};
  };

  uint64_t Sum() const {
    uint64_t sum = 0;
    for (const OfShard& shard : shards_) sum += shard.bytes.load(std::memory_order_acquire);
    return sum;
  }

  const uint64_t bytes_max_;  // 0: no limit
  std::vector<OfShard> shards_;
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_OUTBOX_BUDGET_H_
