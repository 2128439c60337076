#ifndef WSROUTER_CORE_SESSIONS_H_
#define WSROUTER_CORE_SESSIONS_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "core/envelope.h"
#include "core/ids.h"

namespace wsrouter {

// What a client comes back to: all that services made of its connection.
struct SessionRecord {
  ConnectionId connection;
  std::string path;  // of its handshake; it comes back to the same one
  Own own;           // its rooms are those that it is in
};

// SEAM 9. The sessions of the clients of this node, by tokens that the clients alone know, for
// whichever node a client comes back to.
//
// A node writes sessions of its own connections, and takes those of any; of one that led to nothing
// it gives back what it took. What it writes lasts while
// it lives, and a resume window and its lease longer. A token is a secret: no log, event or metric
// has it, and Redis knows no more than a hash.
//
// Any thread. Every method returns at once; calls of one thread take effect in the order in which
// they were made. `done` runs exactly once, perhaps inside the call, and must not block. While
// Redis is away a Take is UNAVAILABLE, and what was put or erased is lost: the shards put all they
// have again when the node has joined anew, and what was not erased ends with its window.
class Sessions {
 public:
  using Taken = absl::AnyInvocable<void(absl::StatusOr<std::optional<SessionRecord>>) &&>;

  virtual ~Sessions() = default;

  // Never the same twice, and not to be guessed. Letters, digits, - and _.
  virtual std::string NewToken() = 0;

  // Overwrites what there was. Under a token of another node, which was taken, it lasts no longer
  // than it would if this node died now.
  virtual void Put(std::string_view token, const SessionRecord& record) = 0;
  // Removes the session unless it is another connection's.
  virtual void Erase(std::string_view token, const ConnectionId& connection) = 0;

  // Removes the session and hands it out, in one step: of all who take a token, one at most gets
  // it. Nothing where there is none, or `token` is none.
  virtual void Take(std::string_view token, Taken done) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_SESSIONS_H_
