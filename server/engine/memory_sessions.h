#ifndef WSROUTER_ENGINE_MEMORY_SESSIONS_H_
#define WSROUTER_ENGINE_MEMORY_SESSIONS_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/strings.h"
#include "core/sessions.h"
#include "engine/session_token.h"

namespace wsrouter {

// The sessions of a cluster of one node: they end with its process.
class MemorySessions final : public Sessions {
 public:
  explicit MemorySessions(NodeIdentity node) : node_(std::move(node)) {}

  std::string NewToken() override { return MakeSessionToken(node_); }

  void Put(std::string_view token, const SessionRecord& record) override {
    absl::MutexLock lock(&mutex_);
    sessions_.insert_or_assign(std::string(token), record);
  }

  void Erase(std::string_view token, const ConnectionId& connection) override {
    absl::MutexLock lock(&mutex_);
    const auto found = sessions_.find(token);
    if (found != sessions_.end() && found->second.connection == connection) sessions_.erase(found);
  }

  void Take(std::string_view token, Taken done) override { std::move(done)(Extract(token)); }

 private:
  std::optional<SessionRecord> Extract(std::string_view token) {
    absl::MutexLock lock(&mutex_);
    const auto found = sessions_.find(token);
    if (found == sessions_.end()) return std::nullopt;
    std::optional<SessionRecord> record = std::move(found->second);
    sessions_.erase(found);
    return record;
  }

  const NodeIdentity node_;
  absl::Mutex mutex_;
  StringMap<SessionRecord> sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_MEMORY_SESSIONS_H_
