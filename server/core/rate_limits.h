#ifndef WSROUTER_CORE_RATE_LIMITS_H_
#define WSROUTER_CORE_RATE_LIMITS_H_

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "core/envelope.h"
#include "core/namespaces_in_force.h"
#include "core/rate_limit.h"

namespace wsrouter {

struct RateLimitsPage {
  std::vector<std::pair<RateSubject, RateLimit>> rows;
  std::string next_cursor;  // empty at the end
};

// Which limits a push is under: those that were set at run time, else those of its namespace. Any
// thread. Where there is no limit at all, asking costs the read of one flag; where some were set
// for rooms, or for clients, a shared lock and a search for each of that kind.
class RateRules {
 public:
  explicit RateRules(Namespaces namespaces = {});

  // In place of those that it was made with. What is under way may be under those before.
  void SetNamespaces(Namespaces namespaces);

  // What an envelope is charged to; none where no limit is on. Only payloads for rooms and clients
  // are charged: the room, and the client in whose name they are sent, never those who get them.
  std::optional<RateCharge> ChargeOf(const Envelope& envelope) const;

  // Absent: the namespace's counts again. False where there are kRateOverridesMax.
  bool Set(const RateSubject& subject, std::optional<RateLimit> limit);
  // All of them, by the keys of subjects.
  void Replace(const absl::btree_map<std::string, RateLimit>& overrides);
  absl::btree_map<std::string, RateLimit> overrides() const;
  RateLimitsPage Page(std::string_view cursor, uint32_t count) const;

  // A subject as text and back: 'r' and a room, or 'c' and a client.
  static std::string KeyOf(const RateSubject& subject);
  static std::optional<RateSubject> SubjectOf(std::string_view key);

 private:
  // Of one kind of subject, by their names. `limits` is the lock's.
  struct Kind {
    absl::btree_map<std::string, RateLimit, std::less<>> limits;
    std::atomic<bool> any = false;
  };

  // What was set for it; does not lock where nothing was for any of its kind.
  std::optional<RateLimit> Find(const Kind& kind, std::string_view name) const;
  void Note() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  NamespacesInForce namespaces_;
  mutable absl::Mutex mutex_;
  std::atomic<bool> any_ = false;
  Kind clients_;
  Kind rooms_;
};

// SEAM 6. How many pushes rooms may get and clients may send, in the whole cluster.
//
// Whether a push may go is asked by the broker, in the step in which it publishes: of two pushes
// that both want the last place one is published and one is refused, on whatever nodes they came.
// The sender is asked first, and who is refused has spent nothing, neither its own nor the room's.
// A push to several rooms is one for each. Budgets are lost with the process, or with Redis.
//
// Limits set here hold on every node: on this one when `done` says OK, on the others a moment
// later. While Redis is away none can be set, those known hold on, and each node counts by itself:
// a cluster of k nodes lets through k times n then, and receipts say `partial`.
//
// Every method may be called from any thread and returns at once; `done` runs exactly once, on a
// thread of its choosing (also inside the call), and must not block. The last Set of a subject
// counts.
class RateLimits {
 public:
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  virtual ~RateLimits() = default;

  // In place of the configured limit, also where it is off; absent: that counts again. Fails with
  // TOO_MANY_LIMITS at kRateOverridesMax.
  virtual void Set(const RateSubject& subject, std::optional<RateLimit> limit, Done done) = 0;

  // What was set, as far as this node knows: at most `count` rows behind `cursor`.
  virtual RateLimitsPage Get(std::string_view cursor, uint32_t count) const = 0;
};

absl::Status TooManyLimits();

}  // namespace wsrouter

#endif  // WSROUTER_CORE_RATE_LIMITS_H_
