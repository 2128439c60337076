#ifndef WSROUTER_CORE_HISTORY_H_
#define WSROUTER_CORE_HISTORY_H_

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/envelope.h"
#include "core/keep.h"
#include "core/namespaces_in_force.h"

namespace wsrouter {

// Octets of payloads in one page; the first entry comes whatever it has.
inline constexpr size_t kHistoryPageBytesMax = size_t{2} << 20;

// What counts for the histories of all rooms.
struct HistoryLimits {
  // How long a room that nobody pushes to keeps its epoch, its last offset and its last version; at
  // least as long as its entries.
  absl::Duration position_ttl = absl::Hours(720);
  absl::Duration idempotency_window = absl::Minutes(5);
  size_t memory_bytes_max = size_t{64} << 20;  // of all rooms, where there is no Redis
};

// A push that the broker shall do more with than deliver it.
struct Keeping {
  RoomName room;
  HistoryOptions options;  // off: it is not kept
  Keep keep;
  ClientId from = {};
};

// Which pushes are kept. Any thread.
class HistoryRules {
 public:
  explicit HistoryRules(Namespaces namespaces) : namespaces_(std::move(namespaces)) {}

  // In place of those that it was made with. What rooms kept under those before stays until it is
  // too old, or too much, under these.
  void SetNamespaces(Namespaces namespaces) { namespaces_.Set(std::move(namespaces)); }

  // Nothing where the envelope is just to be delivered. FAILED_PRECONDITION, reason HISTORY_OFF,
  // where it wants to be kept in a room that keeps nothing.
  absl::StatusOr<std::optional<Keeping>> Of(const Envelope& envelope) const;
  // How the room keeps its pushes, or HISTORY_OFF.
  absl::StatusOr<HistoryOptions> Of(const RoomName& room) const;

 private:
  NamespacesInForce namespaces_;
};

struct HistoryQuery {
  // Entries behind this position (before it, where `reverse`). An empty epoch is the room's present
  // one. Offset 0: from the first entry on (from the last).
  Position since = {};
  uint32_t limit = 0;  // entries at most; 0: the answer has the room's last position alone
  bool reverse = false;
};

struct HistoryEntry {
  uint64_t offset = 0;
  absl::Time sent_at;
  ClientId from;  // empty: nobody's
  FramePtr frame;
  std::shared_ptr<const Exceptions> except;  // whom the push left out; null: nobody
};

struct HistoryPage {
  std::vector<HistoryEntry> entries;  // by offset, growing; falling where `reverse`
  Position top;                       // the room's last; without an epoch: nothing was ever kept
  // Whether `since` is of the room's epoch and nothing that was pushed behind it is missing, here
  // or in the pages that follow. Where `reverse`: whether it is of the room's epoch.
  bool recovered = false;
  bool more = false;  // ask again, since the last entry
};

// Which entries a trim leaves.
struct HistoryTrim {
  std::optional<uint64_t> up_to_offset;  // those behind it
  std::optional<uint64_t> keep;          // so many of the last
};
struct HistoryTrimmed {
  uint64_t removed = 0;
  Position top;
};

// SEAM 7. What rooms were sent, for those who come back and for those who come late.
//
// A push is appended by the broker, in the step in which it publishes: so the order of offsets is
// the order in which all members get the pushes, each push has its offset from its first moment on,
// and one that is refused (by a rate limit too), stale or a duplicate is neither sent nor kept, nor
// charged. Of two causes the first of these is told: duplicate, stale, over a limit. Keys and
// versions are looked at in rooms without history as well. What a push left out (`except`) is kept
// with it.
//
// Each room has its last HistoryOptions.size pushes, as long as they are not older than its ttl.
// Offsets never go back within an epoch. A room whose position was lost (Redis lost data, the
// memory of this node was wanted for others, nobody pushed for position_ttl) begins another epoch
// with its next push. Redis has lost data where it counts fewer kept pushes than some node has
// seen: a restart without persistence, from an old snapshot, or a replica that had not got
// everything. All rooms begin new epochs then.
//
// While Redis is away nothing is kept and nothing is read: such pushes fail with UNAVAILABLE and
// are not sent; where the link breaks meanwhile, whether they were is not known. An idempotency key
// makes it safe to repeat them.
//
// Every method may be called from any thread and returns at once; `done` runs exactly once, on a
// thread of its choosing (also inside the call), and must not block. A push that was answered is in
// what is read after that.
class History {
 public:
  template <typename Answer>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Answer>) &&>;

  virtual ~History() = default;

  // FAILED_PRECONDITION HISTORY_OFF where the room keeps nothing; UNAVAILABLE HISTORY_UNAVAILABLE.
  virtual void Read(const RoomName& room, const HistoryQuery& query, Done<HistoryPage> done) = 0;

  // Removes entries; the room's position stays. Errors likewise.
  virtual void Trim(const RoomName& room, const HistoryTrim& trim, Done<HistoryTrimmed> done) = 0;
};

absl::Status HistoryUnavailable(std::string_view why);

}  // namespace wsrouter

#endif  // WSROUTER_CORE_HISTORY_H_
