#ifndef WSROUTER_ENGINE_MEMORY_EVENT_LOG_H_
#define WSROUTER_ENGINE_MEMORY_EVENT_LOG_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "core/event_log.h"

namespace wsrouter {

namespace memory_log {

// Entries in the order in which they came; the first has the number `first`.
struct Ring {
  std::deque<LogEntry> entries;
  uint64_t first = 1;
  uint64_t end() const { return first + entries.size(); }
};
struct Pending {
  LogEntry entry;
  uint64_t deliveries = 1;
  absl::Duration due;  // uptime
};
// A partition as a group sees it.
struct Part {
  uint64_t next = 1;  // the number that is read next
  absl::btree_map<uint64_t, Pending> pending;
  std::string holder;
  absl::Duration held_until = -absl::InfiniteDuration();  // uptime
};
struct Group {
  std::vector<Part> parts;  // one a ring, then that of `again`
  Ring again;               // dead letters that are to be handed out once more
  absl::btree_map<uint64_t, DeadLetter> dead;
  absl::btree_map<std::string, absl::Duration> alive;  // consumer -> until, uptime
  uint64_t last_dead = 0;
  uint64_t lost = 0;
  uint64_t turns = 0;
};

}  // namespace memory_log

// The event log of a cluster of one node, in rings that the oldest entries leave. What was handed
// out is kept with its group until it is settled. Every answer is given inside the call, outside
// the lock.
class MemoryEventLog final : public EventLog {
 public:
  MemoryEventLog(const EventLogOptions& options, const Clock& clock);

  bool on() const override { return options_.on; }
  void Append(LogKind kind, const ClientId& client, const ConnectionId& connection) override;
  void Take(const LogConsumer& consumer, uint32_t count, Done<LogTaken> done) override;
  void Settle(const LogConsumer& consumer, std::vector<LogSettlement> settlements,
              Done<uint64_t> done) override;
  void Leave(const LogConsumer& consumer) override;
  void DeadLetters(const std::string& group, const std::string& cursor, uint32_t count,
                   Done<DeadLettersPage> done) override;
  void TakeDeadLetters(const std::string& group, const std::vector<std::string>& ids, bool again,
                       Done<uint64_t> done) override;
  void Groups(Done<LogGroups> done) override;
  void DeleteGroup(const std::string& group, Done<bool> done) override;

  // Gives the entry an id and a time.
  void Add(LogEntry entry);

 private:
  using Ring = memory_log::Ring;
  using Pending = memory_log::Pending;
  using Part = memory_log::Part;
  using Group = memory_log::Group;

  absl::StatusOr<LogTaken> TakeLocked(const LogConsumer& consumer, uint32_t count,
                                      absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Group* Find(const std::string& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Group*> FindOrMake(const LogConsumer& consumer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Ring& RingOf(Group& group, size_t part) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The parts that the consumer holds from now on; those from the `share`th on it is to give back.
  std::vector<size_t> Hold(Group& group, const LogConsumer& consumer, bool takes, size_t share,
                           absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HandOutAgain(Group& group, size_t part, const LogConsumer& consumer, uint32_t count,
                    absl::Duration now, LogTaken& taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HandOutFresh(Group& group, size_t part, const LogConsumer& consumer, uint32_t count,
                    absl::Duration now, LogTaken& taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t SettleLocked(const LogConsumer& consumer, const LogSettlement& settlement)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the oldest entries out that there is no room or no time for.
  void Trim(Ring& ring, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const EventLogOptions options_;
  const Clock& clock_;
  const size_t ring_max_;
  mutable absl::Mutex mutex_;
  std::vector<Ring> rings_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<std::string, Group> groups_ ABSL_GUARDED_BY(mutex_);
  uint64_t appended_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_MEMORY_EVENT_LOG_H_
