#ifndef WSROUTER_CORE_PRESENCE_H_
#define WSROUTER_CORE_PRESENCE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/strings.h"
#include "core/counters.h"
#include "core/directory.h"
#include "core/ids.h"
#include "core/limits.h"

namespace wsrouter {

// Who is in a room, as its members are told.
struct PresenceState {
  bool named = false;                // else there are too many: only how many is known
  std::vector<std::string> clients;  // each once, in order
  uint64_t count = 0;                // of the clients, where they are named
  friend bool operator==(const PresenceState&, const PresenceState&) = default;
};

// Who is in the rooms that members of them on this node want to hear of: one for all shards of it.
//
// The directory alone sees joins and leaves of the whole cluster, so it is asked: each such room
// once an interval, however many hear of it, with one script that names at most so many clients.
// What a join, a leave or a crash told by itself could be lost, and would then be wrong for good; a
// look at the room is right whatever went before, and costs the same however many come and go.
//
// Who has gone is shown for as long as `grace`, counted from the first look that missed him, unless
// he was seen again: reconnects and a Redis that lost its rows show nothing. Where so many go that
// those who have gone would be more than named_max, none of them is shown any more. In a room with
// more than named_max clients there are no names, and no grace.
//
// While the directory cannot be asked the last state stays (counted: presence_reads_failed_total).
//
// Any thread.
class Presence : public std::enable_shared_from_this<Presence> {
 public:
  // Something is there to be taken; called on any thread, under a lock: must not block nor call
  // back. Not again before Take.
  using News = std::function<void()>;

  // Answers of the directory may come behind its end, and are dropped then.
  static std::shared_ptr<Presence> Make(const PresenceLimits& limits, Directory& directory,
                                        Counters& counters) {
    return std::shared_ptr<Presence>(new Presence(limits, directory, counters));
  }

  const PresenceLimits& limits() const { return limits_; }

  // From now on `shard` hears of the room, which it must not yet. RESOURCE_EXHAUSTED
  // PRESENCE_CAPACITY: the node looks at as many rooms as it may.
  absl::Status Watch(const RoomName& room, uint16_t shard, News news);
  void Unwatch(const RoomName& room, uint16_t shard);

  // The room as it was last seen; null before the first look. The shard must hear of it.
  std::shared_ptr<const PresenceState> Take(const RoomName& room, uint16_t shard);

  // Looks at the rooms whose turn it is. Every shard calls it at every turn, with its uptime; costs
  // nothing when no room is due.
  void Tick(absl::Duration now);

 private:
  struct Listener {
    News news;
    bool told = false;  // and has not taken since
  };
  struct Room {
    std::shared_ptr<const PresenceState> state;
    StringMap<absl::Duration> missed_since;  // of the clients in `state` that have gone
    absl::flat_hash_map<uint16_t, Listener> listeners;
    bool reading = false;  // the directory has not answered yet
  };
  struct Due {
    absl::Duration at;
    RoomName room;
  };

  Presence(const PresenceLimits& limits, Directory& directory, Counters& counters)
      : limits_(limits), directory_(directory), counters_(counters) {}

  std::vector<RoomName> TakeDue(absl::Duration now);
  void OnRead(const RoomName& room, const absl::StatusOr<RoomClients>& read);
  PresenceState Next(Room& room, const RoomClients& read) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const PresenceLimits limits_;
  Directory& directory_;
  Counters& counters_;
  std::atomic<int64_t> next_due_{INT64_MAX};  // nanoseconds of uptime
  absl::Mutex mutex_;
  absl::Duration now_ ABSL_GUARDED_BY(mutex_);
  // Invariant: each of `rooms_` stands in `due_` once, and nothing else does; what is due first
  // stands first. A room that nobody hears of any more goes when it is due.
  StringMap<Room> rooms_ ABSL_GUARDED_BY(mutex_);
  std::deque<Due> due_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_PRESENCE_H_
