#ifndef WSROUTER_ENGINE_REDIS_SESSIONS_H_
#define WSROUTER_ENGINE_REDIS_SESSIONS_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/ids.h"
#include "core/sessions.h"
#include "engine/redis_link.h"

namespace wsrouter {

// The sessions of a cluster: a hash for each node (engine/lua/rows.lua), whose time the node
// prolongs with its lease. So nothing is refreshed session by session, and those of a dead node end
// by themselves. What a token of another node led to is a key of its own, for as long as a client
// may need it again.
class RedisSessions final : public Sessions {
 public:
  // A hash ends when its node has neither put nor prolonged anything for `stay`.
  RedisSessions(std::string_view prefix, const NodeIdentity& node, absl::Duration stay,
                RedisLink& link);

  std::string NewToken() override;
  void Put(std::string_view token, const SessionRecord& record) override;
  void Erase(std::string_view token, const ConnectionId& connection) override;
  void Take(std::string_view token, Taken done) override;

  // With each heartbeat. The link's thread.
  void Prolong();

 private:
  const std::string root_;
  const NodeIdentity node_;
  const std::string stay_;  // milliseconds
  RedisLink& link_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_SESSIONS_H_
