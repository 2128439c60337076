#ifndef WSROUTER_ENGINE_MEMORY_HISTORY_H_
#define WSROUTER_ENGINE_MEMORY_HISTORY_H_

#include <algorithm>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/strings.h"
#include "core/counters.h"
#include "core/history.h"

namespace wsrouter {

// The histories of a cluster of one node: for the life of the process, and within memory_bytes_max.
// When more is wanted the room that was pushed to longest ago loses everything, and then the room
// itself its oldest entries; each is counted. Idempotency keys weigh, too.
//
// The broker asks Find and then Append under a lock of its own, which orders pushes; nobody else
// appends.
class MemoryHistory final : public History {
 public:
  MemoryHistory(Namespaces namespaces, const HistoryLimits& limits, Counters& counters,
                const Clock& clock)
      : rules_(std::move(namespaces)), limits_(limits), counters_(counters), clock_(clock) {}

  void Read(const RoomName& room, const HistoryQuery& query, Done<HistoryPage> done) override;
  void Trim(const RoomName& room, const HistoryTrim& trim, Done<HistoryTrimmed> done) override;

  // From the engine. Any thread.
  void SetNamespaces(const Namespaces& namespaces) { rules_.SetNamespaces(namespaces); }

  // From the broker.
  const HistoryRules& rules() const { return rules_; }
  // The first push with the same key, if there was one within the window.
  std::optional<Kept> FindDuplicate(const Keeping& keeping);
  // Whether the room has had a newer version; counted.
  std::optional<Kept> FindNewer(const Keeping& keeping);
  // What is to be remembered of a push that is sent now.
  Kept Append(const Keeping& keeping, const Envelope& envelope);

  size_t octets() const {
    absl::MutexLock lock(&mutex_);
    return octets_;
  }

 private:
  struct Entry {
    HistoryEntry entry;
    absl::Duration at;  // uptime
  };
  struct Key {
    std::string text;
    absl::Duration until;  // uptime
  };
  struct Room {
    Position top = {};  // without an epoch until the first that is kept
    std::deque<Entry> entries = {};
    uint64_t version = 0;
    std::string version_epoch = {};
    StringMap<Position> sent = {};  // by idempotency key
    std::deque<Key> keys = {};      // of `sent`, the oldest first
    std::list<std::string>::iterator place = {};
    absl::Duration pushed_at = {};  // uptime
  };
  using Rooms = StringMap<std::unique_ptr<Room>>;

  static size_t WeightOf(const Entry& entry);
  static size_t WeightOf(const Key& key);

  // Null where nothing is known of the room. Forgets what is too old.
  Room* Find(const Keeping& keeping, absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Room& Touch(const std::string& name, absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldest(Room& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldestKey(Room& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropExpired(Room& room, absl::Duration ttl, absl::Duration now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Until the bound holds; `room` is the one that was pushed to.
  void MakeRoom(Room& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration PositionTtl(const HistoryOptions& options) const {
    return std::max(options.ttl, limits_.position_ttl);
  }

  HistoryRules rules_;
  const HistoryLimits limits_;
  Counters& counters_;
  const Clock& clock_;
  mutable absl::Mutex mutex_;
  Rooms rooms_ ABSL_GUARDED_BY(mutex_);
  std::list<std::string> by_push_ ABSL_GUARDED_BY(mutex_);  // the room pushed to last is first
  size_t octets_ ABSL_GUARDED_BY(mutex_) = 0;
  std::mt19937_64 epochs_ ABSL_GUARDED_BY(mutex_){RandomSeed()};
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_MEMORY_HISTORY_H_
