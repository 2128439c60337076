#ifndef WSROUTER_CORE_SESSION_BOOK_H_
#define WSROUTER_CORE_SESSION_BOOK_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "core/event.h"
#include "core/ids.h"
#include "core/sessions.h"

namespace wsrouter {

// What a shard knows of the sessions of its clients, by the counters of their connections. Beside
// the connections, since not all clients can come back.
//
// Owned by one shard thread; not synchronised.
class SessionBook {
 public:
  // How the connection of a client ended that may come back.
  struct Parked {
    CloseCause cause;
    CloseWith close;
  };
  // Whose place a connection takes, and as what.
  struct Return {
    ConnectionId previous;
    Own own;
  };
  // A connection whose old one may have changed since its session was taken, until it has said so.
  struct Arrival {
    Own taken;
    absl::flat_hash_set<RoomName> touched;  // about which it has heard something newer itself
  };

  // Of the clients of that shard. `sessions` may be null: then nobody can come back.
  SessionBook(Sessions* sessions, NodeIdentity node, uint16_t shard)
      : sessions_(sessions), node_(std::move(node)), shard_(shard) {}

  bool on() const { return sessions_ != nullptr; }
  bool Has(uint64_t counter) const { return tokens_.contains(counter); }

  // The token of a new session in place of the one that there was.
  const std::string& Begin(uint64_t counter) {
    End(counter);
    changed_.insert(counter);
    return tokens_[counter].token = sessions_->NewToken();
  }
  // The client has come back with `token`, and may not have read the new one before `until`: so
  // long the session is under both.
  void Spare(uint64_t counter, std::string_view token, absl::Duration until) {
    tokens_[counter].spare = token;
    spares_.emplace_back(until, counter);
  }
  // Those whose time has come are good no more.
  void EndSpares(absl::Duration uptime) {
    while (!spares_.empty() && spares_.front().first <= uptime) {
      const uint64_t counter = spares_.front().second;
      const auto tokens = tokens_.find(counter);
      if (tokens != tokens_.end()) Erase(counter, std::exchange(tokens->second.spare, {}));
      spares_.pop_front();
    }
  }
  // What the connection is has changed.
  void Changed(uint64_t counter) {
    if (tokens_.contains(counter)) changed_.insert(counter);
  }
  // Nobody comes back to it.
  void End(uint64_t counter) {
    const auto tokens = tokens_.extract(counter);
    if (tokens.empty() || stopping_) return;
    Erase(counter, tokens.mapped().token);
    Erase(counter, tokens.mapped().spare);
  }
  // From now on sessions that end here stay where they were put: clients find them elsewhere.
  void Stop() { stopping_ = true; }
  bool stopping() const { return stopping_; }

  // Puts what has changed; record_of(counter) is what the connection is now, nothing where nobody
  // owns it.
  template <typename RecordOf>
  void PutChanged(RecordOf record_of) {
    for (const uint64_t counter : std::exchange(changed_, {})) {
      const auto tokens = tokens_.find(counter);
      if (tokens == tokens_.end()) continue;
      const std::optional<SessionRecord> record = record_of(counter);
      if (!record.has_value()) continue;
      sessions_->Put(tokens->second.token, *record);
      if (!tokens->second.spare.empty()) sessions_->Put(tokens->second.spare, *record);
    }
  }

  // The connection has heard itself whether it is to be in the room.
  void Touch(uint64_t counter, const RoomName& room) {
    if (arrivals.empty()) return;
    const auto arrival = arrivals.find(counter);
    if (arrival != arrivals.end()) arrival->second.touched.insert(room);
  }

  absl::btree_map<uint64_t, Parked> parked;
  absl::flat_hash_map<uint64_t, Arrival> arrivals;

  // Connections of which nobody is told, since to others the client just stays: those that come
  // back, until they are admitted; and those that it has left.
  absl::flat_hash_map<uint64_t, Return> quiet;

 private:
  struct Tokens {
    std::string token;
    std::string spare;  // empty: none
  };

  void Erase(uint64_t counter, const std::string& token) {
    if (token.empty()) return;
    sessions_->Erase(token, {.node = node_, .shard = shard_, .counter = counter});
  }

  Sessions* const sessions_;
  const NodeIdentity node_;
  const uint16_t shard_;
  bool stopping_ = false;
  absl::flat_hash_map<uint64_t, Tokens> tokens_;
  absl::flat_hash_set<uint64_t> changed_;
  std::deque<std::pair<absl::Duration, uint64_t>> spares_;  // when they end, by connection
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_SESSION_BOOK_H_
