#include "engine/redis_sessions.h"

#include <optional>
#include <utility>

#include "engine/redis_keys.h"
#include "engine/redis_scripts.h"
#include "engine/session_codec.h"
#include "engine/session_token.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

void Ignore(const absl::StatusOr<RedisValue>&) {}

}  // namespace

RedisSessions::RedisSessions(std::string_view prefix, const NodeIdentity& node, absl::Duration stay,
                             RedisLink& link)
    : root_(RedisRoot(prefix)),
      node_(node),
      stay_(fmt::format("{}", absl::ToInt64Milliseconds(stay))),
      link_(link) {}

std::string RedisSessions::NewToken() { return MakeSessionToken(node_); }

void RedisSessions::Put(std::string_view token, const SessionRecord& record) {
  const std::optional<SessionToken> parsed = ParseSessionToken(token);
  if (!parsed.has_value()) return;
  if (parsed->node != RedisNodeText(node_)) {
    return link_.Command(
        {"SET", root_ + "spare:" + parsed->digest, EncodeSession(record), "PX", stay_}, Ignore);
  }
  link_.Run(scripts::SessionPut(), {root_},
            {parsed->node, parsed->digest, EncodeSession(record), stay_}, Ignore);
}

void RedisSessions::Erase(std::string_view token, const ConnectionId& connection) {
  const std::optional<SessionToken> parsed = ParseSessionToken(token);
  if (!parsed.has_value()) return;
  link_.Run(scripts::SessionTake(), {root_},
            {parsed->node, parsed->digest, SessionBegin(connection)}, Ignore);
}

void RedisSessions::Take(std::string_view token, Taken done) {
  const std::optional<SessionToken> parsed = ParseSessionToken(token);
  if (!parsed.has_value()) return std::move(done)(std::nullopt);
  link_.Run(scripts::SessionTake(), {root_}, {parsed->node, parsed->digest, ""},
            [done = std::move(done)](const absl::StatusOr<RedisValue>& taken) mutable {
              if (!taken.ok()) return std::move(done)(taken.status());
              if (taken->text().empty()) return std::move(done)(std::nullopt);
              absl::StatusOr<SessionRecord> record = DecodeSession(taken->text());
              if (!record.ok()) return std::move(done)(record.status());
              std::move(done)(*std::move(record));
            });
}

void RedisSessions::Prolong() {
  link_.Command({"PEXPIRE", root_ + "sessions:" + RedisNodeText(node_), stay_}, Ignore);
}

}  // namespace wsrouter
