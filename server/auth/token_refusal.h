#ifndef WSROUTER_AUTH_TOKEN_REFUSAL_H_
#define WSROUTER_AUTH_TOKEN_REFUSAL_H_

#include <string_view>

#include "absl/status/status.h"
#include "core/error.h"

namespace wsrouter {

// Why a token or a signed cookie is refused, each UNAUTHENTICATED. The first that holds, from top
// to bottom, is the one that is told. No message shows the token or a claim's value: they end in
// logs and in front of whoever sent it.
inline constexpr std::string_view kTokenTooLong = "TOKEN_TOO_LONG";
inline constexpr std::string_view kTokenMalformed = "TOKEN_MALFORMED";
inline constexpr std::string_view kTokenWrongIssuer = "TOKEN_WRONG_ISSUER";
inline constexpr std::string_view kTokenAlgorithm = "TOKEN_ALGORITHM";
inline constexpr std::string_view kTokenUnknownKey = "TOKEN_UNKNOWN_KEY";
inline constexpr std::string_view kTokenBadSignature = "TOKEN_BAD_SIGNATURE";
inline constexpr std::string_view kTokenExpired = "TOKEN_EXPIRED";
inline constexpr std::string_view kTokenNotYetValid = "TOKEN_NOT_YET_VALID";
inline constexpr std::string_view kTokenWrongAudience = "TOKEN_WRONG_AUDIENCE";
inline constexpr std::string_view kTokenClaims = "TOKEN_CLAIMS";

// A request's head is at most 8 KiB as a whole, so no longer token can come in one.
inline constexpr size_t kTokenBytesMax = 8191;

inline absl::Status RefuseToken(std::string_view reason, std::string_view message) {
  return Refusal(absl::StatusCode::kUnauthenticated, reason, message);
}

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_TOKEN_REFUSAL_H_
