#ifndef WSROUTER_CORE_EVENT_LOG_H_
#define WSROUTER_CORE_EVENT_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/directory.h"
#include "core/ids.h"
#include "core/keep.h"
#include "core/log_group.h"

namespace wsrouter {

enum class LogKind : uint8_t {
  kConnected,     // a connection became a client's
  kReleased,      // it is no client's any more, and stays
  kDisconnected,  // it is no client's any more, and gone
  kJoined,
  kLeft,
  kOccupied,  // a room has its first member in the cluster
  kVacated,   // ... no member any more
  kSlow,      // the outbox of the connection began to refuse frames
  kResumed,   // a connection became a client's in place of one that had broken off
  kMessage,   // a push was kept in the history of its room
};

// Something that happened in the cluster. `client` and `connection` are those that it happened to;
// for a room that is occupied or vacated, the member who came or went.
struct LogEntry {
  std::string id;  // no other entry has it
  LogKind kind = LogKind::kConnected;
  absl::Time at;
  ClientId client;
  ConnectionId connection;
  RoomName room;
  Ending ending;  // of kDisconnected
  // Of kResumed: the connection that ends with this entry. Nullopt: that one had ended before.
  std::optional<ConnectionId> previous;
  Labels labels;  // of kConnected and kResumed: what the connection has by then
  // Of kMessage, which has no connection, and whose client is the sender's: where it is.
  Position position;
};

// An entry that was handed out. `receipt` settles it, and is another each time that a partition
// names it anew.
struct LogDelivery {
  std::string receipt;
  LogEntry entry;
  uint64_t deliveries = 1;
};
struct LogTaken {
  uint64_t partitions = 0;  // that the consumer holds now
  uint64_t dead = 0;        // entries that became dead letters meanwhile
  uint64_t lost = 0;        // entries that the group was too slow for
  std::vector<LogDelivery> deliveries;
};
// Who takes. Consumers of a group share its entries.
struct LogConsumer {
  std::string group;
  std::string name;                               // no other consumer of the group has it
  absl::Duration visibility = absl::Seconds(30);  // until what was not settled comes again
  bool from_start = false;  // a group that is new begins with the oldest entry; else with the next
};
struct LogSettlement {
  std::string receipt;
  std::optional<absl::Duration> again_after;  // nullopt: it is done
};
struct DeadLetter {
  std::string id;
  LogEntry entry;
  uint64_t deliveries = 0;
};
struct DeadLettersPage {
  std::vector<DeadLetter> letters;
  std::string next_cursor;  // empty at the end
};

// What the log keeps, the same at all nodes.
struct EventLogOptions {
  bool on = false;
  uint32_t partitions = 8;
  uint64_t entries_max = 100'000;  // of all partitions together; about
  absl::Duration age_max = absl::Hours(24);
  uint32_t deliveries_max = 5;              // then an entry is a dead letter
  absl::Duration stay = absl::Seconds(10);  // how long a consumer may not ask and still holds
};

// SEAM 8. What happens to clients and rooms, kept for services that must not miss it.
//
// Who appends. The directory, in the step that changes a row: a row that comes is kConnected or
// kJoined, one that goes is kReleased, kDisconnected or kLeft, whoever takes it out (its node, a
// newer connection, the collector of a dead node, a rewrite), and one that takes the place of
// another is kResumed. So every connection begins with one kConnected or kResumed and ends with
// exactly one kReleased, kDisconnected or kResumed that names it as `previous`, and a room is
// occupied and vacated by turns. The broker appends kMessage, in the step that keeps and publishes
// a push, for rooms whose HistoryOptions say so; it has the position alone, and the history what
// was pushed, as long as it keeps it. Only kSlow is appended from here (Append), by and by, and may
// be lost.
//
// Order. Entries lie in partitions. Those of one client share one and are in order there, and those
// that a room was occupied or vacated share another, with its messages. A connection whose client
// was taken over (superseded), or whose node was lost, may leave its rooms behind its
// kDisconnected.
//
// Consumers. A group has each entry at least once. A partition is held by one consumer of a group
// at a time, the partitions are divided evenly, and one changes hands when nothing in it is
// unsettled, or when its holder is gone (Leave, or silent for `stay`): who takes it gets at once
// what that one left. So no two consumers have entries of one client out of order; what comes again
// because it was not settled in time comes behind what was handed out meanwhile. What was handed
// out `deliveries_max` times becomes a dead letter of the group.
//
// Loss. The log is bounded by number and by age; what a group was too slow for is counted in
// `lost`. In Redis it lasts as long as Redis keeps its data: one that comes back empty has an empty
// log, and nodes that write their rows again append kConnected and kJoined again. Ownerships and
// rooms that end while Redis is away are appended when the node is back, with the cause unknown.
// The memory engine's log ends with the process.
//
// Any thread. Every method returns at once; `done` runs exactly once, perhaps inside the call, and
// must not block. Where Redis is away the answer is UNAVAILABLE (DIRECTORY_UNAVAILABLE); where the
// log is off, FAILED_PRECONDITION (EVENT_LOG_OFF).
class EventLog {
 public:
  template <typename Answer>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Answer>) &&>;
  static constexpr size_t kGroupsMax = 100;

  virtual ~EventLog() = default;

  virtual bool on() const = 0;

  virtual void Append(LogKind kind, const ClientId& client, const ConnectionId& connection) = 0;

  // At most `count` that wait. Who does not ask again within `stay`, if only for 0, loses what it
  // holds. What one handed out that was UNAVAILABLE comes first in the next, as for the first time.
  // The first Take of a group makes it; RESOURCE_EXHAUSTED (TOO_MANY_GROUPS) beyond kGroupsMax.
  virtual void Take(const LogConsumer& consumer, uint32_t count, Done<LogTaken> done) = 0;
  // The answer is how many were settled that had not been. What is done is done, whoever had it;
  // what is given back comes again after its time, if the consumer still holds it.
  virtual void Settle(const LogConsumer& consumer, std::vector<LogSettlement> settlements,
                      Done<uint64_t> done) = 0;
  virtual void Leave(const LogConsumer& consumer) = 0;

  // At most `count` after `cursor`, oldest first.
  virtual void DeadLetters(const std::string& group, const std::string& cursor, uint32_t count,
                           Done<DeadLettersPage> done) = 0;
  // Takes dead letters away; with `again` they are handed out once more, to this group. The answer
  // is how many there were.
  virtual void TakeDeadLetters(const std::string& group, const std::vector<std::string>& ids,
                               bool again, Done<uint64_t> done) = 0;

  virtual void Groups(Done<LogGroups> done) = 0;
  // Whether there was one.
  virtual void DeleteGroup(const std::string& group, Done<bool> done) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_EVENT_LOG_H_
