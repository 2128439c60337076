#include "auth/token_verifier.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "auth/compact_jws.h"
#include "auth/strict_json.h"
#include "auth/token_refusal.h"

namespace wsrouter {

absl::StatusOr<TokenVerifier> TokenVerifier::Create(TokenOptions options,
                                                    std::shared_ptr<KeySource> keys) {
  if (absl::Status good = CheckTokenOptions(options); !good.ok()) return good;
  return TokenVerifier(std::move(options), std::move(keys));
}

absl::StatusOr<VerifiedToken> TokenVerifier::Verify(std::string_view text, absl::Time now) const {
  const absl::StatusOr<CompactJws> token = ParseCompactJws(text);
  if (!token.ok()) return token.status();
  const absl::StatusOr<const TokenIssuer*> issuer = IssuerOf(*token);
  if (!issuer.ok()) return issuer.status();
  if (absl::Status proved = CheckSignature(*token, **issuer); !proved.ok()) return proved;
  const absl::StatusOr<absl::Time> expires_at = CheckTimes(token->claims, options_, now);
  if (!expires_at.ok()) return expires_at.status();
  if (absl::Status ours = CheckAudience(token->claims, **issuer); !ours.ok()) return ours;
  absl::StatusOr<VerifiedToken> verified = MapClaims(token->claims, **issuer, options_);
  if (verified.ok()) verified->expires_at = *expires_at;
  return verified;
}

absl::StatusOr<const TokenIssuer*> TokenVerifier::IssuerOf(const CompactJws& token) const {
  const std::string* said = FindString(token.claims, "iss");
  const bool missing = !token.claims.contains("iss");
  for (const TokenIssuer& issuer : options_.issuers) {
    if (issuer.name.empty() ? missing : said != nullptr && *said == issuer.name) return &issuer;
  }
  return RefuseToken(kTokenWrongIssuer, "the token is of no issuer that is configured (iss)");
}

absl::Status TokenVerifier::CheckSignature(const CompactJws& token,
                                           const TokenIssuer& issuer) const {
  const std::optional<Algorithm> algorithm = ParseAlgorithm(token.algorithm);
  if (!algorithm || std::ranges::find(issuer.algorithms, *algorithm) == issuer.algorithms.end()) {
    return RefuseToken(kTokenAlgorithm, "the token's alg is not the one configured");
  }
  const std::shared_ptr<const KeySet> set = keys_->Keys(issuer.name);
  if (set == nullptr) {
    keys_->Missed(issuer.name, "");
    return RefuseToken(kTokenUnknownKey, "there are no keys of the token's issuer yet");
  }
  const std::vector<const VerificationKey*> keys = set->Find(*algorithm, token.kid);
  for (const VerificationKey* key : keys) {
    if (key->Verifies(token.signed_part, token.signature)) return absl::OkStatus();
  }
  const bool named = token.kid.empty() || set->Has(token.kid);
  if (!named) keys_->Missed(issuer.name, token.kid);
  if (!keys.empty()) return RefuseToken(kTokenBadSignature, "no key proves the token's signature");
  if (named && !token.kid.empty()) {
    return RefuseToken(kTokenAlgorithm, "the token's key is for another algorithm than its alg");
  }
  return RefuseToken(kTokenUnknownKey, "no key can prove the token's signature (kid)");
}

}  // namespace wsrouter
