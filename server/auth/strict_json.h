#ifndef WSROUTER_AUTH_STRICT_JSON_H_
#define WSROUTER_AUTH_STRICT_JSON_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json_fwd.hpp"

namespace wsrouter {

inline constexpr int kJsonDepthMax = 16;

// A JSON object (RFC 8259) in UTF-8: no name twice in any object of it, since readers differ in
// which of the two they take (RFC 7515 section 4, RFC 7519 section 4), and at most kJsonDepthMax
// values inside of one another. Nothing for other text. The caller bounds its length.
std::optional<nlohmann::json> ParseJsonObject(std::string_view text);

// The value of a member that is a string, and the strings of an array; null or nothing where the
// member is missing or of another type.
const std::string* FindString(const nlohmann::json& object, std::string_view name);
std::optional<std::vector<std::string>> StringsOf(const nlohmann::json& array);

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_STRICT_JSON_H_
