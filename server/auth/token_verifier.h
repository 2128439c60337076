#ifndef WSROUTER_AUTH_TOKEN_VERIFIER_H_
#define WSROUTER_AUTH_TOKEN_VERIFIER_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "auth/key_source.h"
#include "auth/token_claims.h"
#include "auth/token_options.h"

namespace wsrouter {

struct CompactJws;

// Decides whether a JWT (RFC 7519) is one that an issuer of ours signed for us and that is valid
// now; RFC 8725 is the list of mistakes it must not make. Which algorithms may be used is said by
// the options, per issuer, never by the token. Immutable: any thread, no lock but the key source's.
// A token costs at most KeySet::kTriedMax checks of a signature.
class TokenVerifier {
 public:
  static absl::StatusOr<TokenVerifier> Create(TokenOptions options,
                                              std::shared_ptr<KeySource> keys);

  // `text` is the token alone, without `Bearer `. Refused with a reason of auth/token_refusal.h.
  absl::StatusOr<VerifiedToken> Verify(std::string_view text, absl::Time now) const;

 private:
  TokenVerifier(TokenOptions options, std::shared_ptr<KeySource> keys)
      : options_(std::move(options)), keys_(std::move(keys)) {}

  // The issuer that the token says it is of, unproved; it decides about the keys.
  absl::StatusOr<const TokenIssuer*> IssuerOf(const CompactJws& token) const;
  absl::Status CheckSignature(const CompactJws& token, const TokenIssuer& issuer) const;

  TokenOptions options_;
  std::shared_ptr<KeySource> keys_;
};

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_TOKEN_VERIFIER_H_
