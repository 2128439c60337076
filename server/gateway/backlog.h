#ifndef WSROUTER_GATEWAY_BACKLOG_H_
#define WSROUTER_GATEWAY_BACKLOG_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "gateway/session.h"

namespace wsrouter {

// The sessions of a shard whose sockets do not take all that they are given, and how long it has
// waited. Who keeps up is never in here and costs nothing; memory of a session that is: a few
// marks, whatever waits for it.
//
// Owned by one shard thread; not synchronised.
class Backlog {
 public:
  explicit Backlog(absl::Duration age_max) : age_max_(age_max) {}

  // The session has become `backlogged`.
  void Add(Session& session, absl::Duration now);
  // The session ends.
  void Remove(Session& session) {
    if (!sessions_.empty()) sessions_.erase(&session);
  }

  // Those for which something has waited for age_max, of what is in the outbox or was handed to the
  // socket library. Forgets who has caught up. To be called often: looks at all sessions here every
  // kLooks-th part of age_max only, so that so much may be missing to the truth.
  static constexpr int kLooks = 16;
  std::vector<Session*> TooOld(absl::Duration now);

  // Open ones, the largest outbox last.
  std::vector<Session*> ByOutbox() const;

 private:
  // At that time the frames before this number had come.
  struct Mark {
    uint32_t number;
    absl::Duration at;
  };
  struct Standing {
    absl::Duration since;    // when the socket last took less than it was given
    std::deque<Mark> marks;  // oldest first; the first one's frames have not all left
  };

  const absl::Duration age_max_;  // zero: no matter
  absl::Duration looked_at_;
  absl::flat_hash_map<Session*, Standing> sessions_;
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_BACKLOG_H_
