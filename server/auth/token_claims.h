#ifndef WSROUTER_AUTH_TOKEN_CLAIMS_H_
#define WSROUTER_AUTH_TOKEN_CLAIMS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "auth/token_options.h"
#include "core/envelope.h"
#include "core/ids.h"
#include "nlohmann/json_fwd.hpp"

namespace wsrouter {

// What a token grants to the connection that brought it.
struct VerifiedToken {
  std::string issuer;
  ClientId client_id;
  std::vector<RoomName> rooms;  // to join at once; names of rooms (CheckName)
  Labels labels;
  std::vector<std::string> may_join;  // patterns of room names (core/room_pattern.h)
  // When the token is no longer accepted: `exp` and the clock slack.
  absl::Time expires_at = absl::InfiniteFuture();
};

// `exp`, `nbf`, `iat` (RFC 7519 section 4.1), in this order: TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, or
// TOKEN_CLAIMS for what is no date or missing. Otherwise the time for expires_at.
absl::StatusOr<absl::Time> CheckTimes(const nlohmann::json& claims, const TokenOptions& options,
                                      absl::Time now);
// TOKEN_WRONG_AUDIENCE.
absl::Status CheckAudience(const nlohmann::json& claims, const TokenIssuer& issuer);
// All but expires_at. TOKEN_CLAIMS where a claim is missing or breaks the rules of core.
absl::StatusOr<VerifiedToken> MapClaims(const nlohmann::json& claims, const TokenIssuer& issuer,
                                        const TokenOptions& options);

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_TOKEN_CLAIMS_H_
