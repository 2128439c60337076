#ifndef WSROUTER_AUTH_JWK_H_
#define WSROUTER_AUTH_JWK_H_

#include <openssl/types.h>

#include <memory>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"

namespace wsrouter {

// The public key of a JWK of kty RSA (RFC 7518 section 6.3.1), EC on P-256 (section 6.2.1) or OKP
// with Ed25519 (RFC 8037 section 2), its strength not yet checked. Private members are not read.
absl::StatusOr<std::shared_ptr<EVP_PKEY>> PublicKeyOfJwk(const nlohmann::json& jwk);

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_JWK_H_
