#include "engine/redis_answer.h"

#include <algorithm>

#include "base/strings.h"
#include "core/error.h"
#include "engine/redis_keys.h"

namespace wsrouter {

absl::Status DirectoryUnavailable(std::string_view why) {
  return Refusal(absl::StatusCode::kUnavailable, "DIRECTORY_UNAVAILABLE", why);
}

absl::Status DirectoryStatus(const absl::Status& status) {
  if (!absl::IsUnavailable(status)) return status;
  return DirectoryUnavailable(StdView(status.message()));
}

uint64_t NumberAt(const RedisValue& answer, size_t index) {
  const auto& elements = answer.array();
  return index < elements.size() ? static_cast<uint64_t>(elements[index].integer()) : 0;
}

std::vector<ConnectionId> ConnectionsFrom(const RedisValue& answer, size_t index) {
  std::vector<ConnectionId> connections;
  const auto& elements = answer.array();
  for (; index < elements.size(); ++index) {
    auto connection = ConnectionId::Parse(elements[index].text());
    if (connection.has_value()) connections.push_back(*std::move(connection));
  }
  return connections;
}

std::string_view TakePart(std::string_view& text) {
  const std::string_view part = text.substr(0, text.find(kRedisSeparator));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

}  // namespace wsrouter
