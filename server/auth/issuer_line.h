#ifndef WSROUTER_AUTH_ISSUER_LINE_H_
#define WSROUTER_AUTH_ISSUER_LINE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "auth/verification_key.h"

namespace wsrouter {

// Who signs tokens, with which algorithm, and where the keys are: a line of configuration,
// "<issuer> <algorithm> <keys>[ <prefix>]". `-` stands for tokens without an issuer.
struct IssuerLine {
  std::string issuer;
  Algorithm algorithm = Algorithm::kRs256;
  std::string keys;              // a path, or a URL
  std::string client_id_prefix;  // see TokenIssuer

  // https, or http to this machine alone.
  bool by_url() const { return keys.find("://") != std::string::npos; }
};

absl::StatusOr<IssuerLine> ParseIssuerLine(std::string_view text);

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_ISSUER_LINE_H_
