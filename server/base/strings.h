#ifndef WSROUTER_BASE_STRINGS_H_
#define WSROUTER_BASE_STRINGS_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace wsrouter {

// Debian's absl::string_view is a type of its own, which neither converts to nor hashes like
// std::string_view. Ours is std::string_view; these two cross the border.
inline std::string_view StdView(absl::string_view text) { return {text.data(), text.size()}; }
inline absl::string_view AbslView(std::string_view text) { return {text.data(), text.size()}; }

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

// A hash map that is looked up by std::string_view without making a string.
template <typename Value>
using StringMap = absl::flat_hash_map<std::string, Value, StringHash, std::equal_to<>>;

}  // namespace wsrouter

#endif  // WSROUTER_BASE_STRINGS_H_
