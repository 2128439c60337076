#ifndef WSROUTER_CONTROL_ROLE_H_
#define WSROUTER_CONTROL_ROLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace wsrouter {

// What a caller may do; each may do what those before it may.
enum class Role : uint8_t {
  kRead,     // look
  kPublish,  // and change what clients are, where they are and what they get
  kAdmin,    // and what concerns the node and the cluster
};

inline std::optional<Role> ParseRole(std::string_view text) {
  if (text == "read") return Role::kRead;
  if (text == "publish") return Role::kPublish;
  if (text == "admin") return Role::kAdmin;
  return std::nullopt;
}

struct NamedRole {
  std::string name;
  Role role = Role::kRead;
};

// "<name> <role>". A name may have blanks inside, as common names do.
inline std::optional<NamedRole> ParseNamedRole(std::string_view text) {
  const size_t blank = text.rfind(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const std::string_view name = text.substr(0, blank);
  const std::optional<Role> role = ParseRole(text.substr(blank + 1));
  if (!role || name.empty() || name.front() == ' ' || name.back() == ' ' || !IsPlainText(name)) {
    return std::nullopt;
  }
  return NamedRole{.name = std::string(name), .role = *role};
}

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ROLE_H_
