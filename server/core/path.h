#ifndef WSROUTER_CORE_PATH_H_
#define WSROUTER_CORE_PATH_H_

#include <string_view>

namespace wsrouter {

// Whether `path` is `prefix` or lies below it, segment by segment: "/chat/7" is below "/chat" and
// "/chat/", "/chats" is not. Everything is below "/".
inline bool IsBelow(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/';
}

}  // namespace wsrouter

#endif  // WSROUTER_CORE_PATH_H_
