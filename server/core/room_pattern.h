#ifndef WSROUTER_CORE_ROOM_PATTERN_H_
#define WSROUTER_CORE_ROOM_PATTERN_H_

#include <string_view>

namespace wsrouter {

// A pattern is the name of a room, or ends in `*` and stands for all names that begin like it. A
// `*` elsewhere is a character like any other.
inline bool MatchesRoom(std::string_view pattern, std::string_view room) {
  if (!pattern.ends_with('*')) return pattern == room;
  pattern.remove_suffix(1);
  return room.starts_with(pattern);
}

}  // namespace wsrouter

#endif  // WSROUTER_CORE_ROOM_PATTERN_H_
