#ifndef WSROUTER_CORE_SESSION_BOOK_H_
#define WSROUTER_CORE_SESSION_BOOK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
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

  // `sessions` may be null: then nobody can come back.
  explicit SessionBook(Sessions* sessions) : sessions_(sessions) {}

  bool on() const { return sessions_ != nullptr; }
  bool Has(uint64_t counter) const { return tokens_.contains(counter); }

  // The token of a new session in place of the one that there was.
  const std::string& Begin(uint64_t counter) {
    End(counter);
    changed_.insert(counter);
    return tokens_[counter] = sessions_->NewToken();
  }
  // What the connection is has changed.
  void Changed(uint64_t counter) {
    if (tokens_.contains(counter)) changed_.insert(counter);
  }
  // Nobody comes back to it.
  void End(uint64_t counter) {
    const auto token = tokens_.extract(counter);
    if (!token.empty() && !stopping_) sessions_->Erase(token.mapped());
  }
  // From now on sessions that end here stay where they were put: clients find them elsewhere.
  void Stop() { stopping_ = true; }
  bool stopping() const { return stopping_; }

  // Puts what has changed; record_of(counter) is what the connection is now, nothing where nobody
  // owns it.
  template <typename RecordOf>
  void PutChanged(RecordOf record_of) {
    for (const uint64_t counter : std::exchange(changed_, {})) {
      const auto token = tokens_.find(counter);
      if (token == tokens_.end()) continue;
      if (const std::optional<SessionRecord> record = record_of(counter)) {
        sessions_->Put(token->second, *record);
      }
    }
  }

  absl::btree_map<uint64_t, Parked> parked;

  // Connections of which nobody is told, since to others the client just stays: those that come
  // back, each with its old connection, until they are admitted; and those that it has left.
  absl::flat_hash_map<uint64_t, ConnectionId> quiet;

 private:
  Sessions* const sessions_;
  bool stopping_ = false;
  absl::flat_hash_map<uint64_t, std::string> tokens_;
  absl::flat_hash_set<uint64_t> changed_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_SESSION_BOOK_H_
