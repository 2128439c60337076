#ifndef WSROUTER_AUTH_TOKEN_OPTIONS_H_
#define WSROUTER_AUTH_TOKEN_OPTIONS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "auth/verification_key.h"
#include "core/limits.h"

namespace wsrouter {

// Somebody whose tokens are accepted, and which of them.
struct TokenIssuer {
  std::string name;                    // octet by octet the claim `iss`; empty: tokens without one
  std::vector<std::string> audiences;  // one must be in `aud`; empty: only tokens without `aud`
  std::vector<Algorithm> algorithms;   // at least one
  // Goes before the client id. Two issuers that name their clients alike need it: what an issuer
  // says of its subjects is unique with that issuer only (RFC 7519 section 4.1.2).
  std::string client_id_prefix;
};

// The claims that become something of a connection.
struct ClaimNames {
  std::string client_id = "sub";           // text, or an integer
  std::string rooms = "rooms";             // an array of text
  std::string labels = "labels";           // an object of text
  std::string may_join = "wsrouter.join";  // an array of text; one name, the dot is a part of it
};

struct TokenOptions {
  static constexpr size_t kIssuersMax = 32;
  static constexpr size_t kPatternsMax = 128;
  static constexpr absl::Duration kClockSlackMax = absl::Minutes(10);

  std::vector<TokenIssuer> issuers;
  ClaimNames claims;
  std::vector<std::string> may_join;               // of tokens that have no such claim
  absl::Duration clock_slack = absl::Seconds(30);  // how far clocks may differ
  // From `iat`, which is then wanted, to `exp`; a token that is valid for longer is refused.
  absl::Duration lifetime_max = absl::InfiniteDuration();
  bool require_expiry = true;
  size_t rooms_max = Limits{}.rooms_per_connection;
};

// Whether a verifier can be made of them.
absl::Status CheckTokenOptions(const TokenOptions& options);

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_TOKEN_OPTIONS_H_
