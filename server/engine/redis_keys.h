#ifndef WSROUTER_ENGINE_REDIS_KEYS_H_
#define WSROUTER_ENGINE_REDIS_KEYS_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "fmt/format.h"

namespace wsrouter {

// What C++ and the scripts agree on; all else about the layout is in engine/lua/rows.lua alone.

// What all keys of a directory begin with: the braces keep them in one hash slot.
inline std::string RedisRoot(std::string_view prefix) { return fmt::format("{{{}}}:", prefix); }

// What the channels of topics begin with; KeyOf(topic) follows.
inline std::string RedisTopics(std::string_view prefix) { return RedisRoot(prefix) + "t:"; }

// What a message is, its first octet inside of the seal.
inline constexpr char kSealedEnvelope = 'e';
inline constexpr char kSealedReceipt = 'r';

// A node as its connections' ids begin.
inline std::string RedisNodeText(const NodeIdentity& node) {
  return fmt::format("{}.{:016x}", node.server_id, node.incarnation);
}
inline std::optional<NodeIdentity> ParseRedisNode(std::string_view text) {
  const auto connection = ConnectionId::Parse(fmt::format("{}.00.0", text));
  if (!connection.has_value()) return std::nullopt;
  return connection->node;
}

// Between the parts of a row; no name and no id has it.
inline constexpr char kRedisSeparator = '\0';

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_KEYS_H_
