#ifndef WSROUTER_AUTH_COMPACT_JWS_H_
#define WSROUTER_AUTH_COMPACT_JWS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace wsrouter {

// A JWS in its compact form (RFC 7515 section 3.1) with claims as its payload (RFC 7519 section 3),
// taken apart. Nothing of it is proved.
struct CompactJws {
  std::string algorithm;
  std::string kid;  // empty where the header has none
  nlohmann::json claims;
  std::string signature;
  std::string_view signed_part;  // of the text that was parsed
};

// TOKEN_TOO_LONG, TOKEN_MALFORMED. Refuses every token with `crit` (RFC 7515 section 4.1.11): we
// know no extension. Keys that a header brings or points to (`jwk`, `jku`, `x5c`, `x5u`) are never
// looked at (RFC 8725 section 3.10).
absl::StatusOr<CompactJws> ParseCompactJws(std::string_view text);

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_COMPACT_JWS_H_
