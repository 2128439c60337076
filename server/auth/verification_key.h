#ifndef WSROUTER_AUTH_VERIFICATION_KEY_H_
#define WSROUTER_AUTH_VERIFICATION_KEY_H_

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"

namespace wsrouter {

// RFC 7518 section 3.1 and RFC 8037 section 3.1. `none` is not among them.
enum class Algorithm : uint8_t { kHs256, kRs256, kEs256, kEdDsa };

std::string_view AlgorithmName(Algorithm algorithm);  // "HS256", ... "EdDSA"
std::optional<Algorithm> ParseAlgorithm(std::string_view name);

// A key that is good for one algorithm, which is bound to it when it is read: what a token says of
// its algorithm never decides how a key is used (RFC 8725 sections 2.1 and 3.1). RSA keys have 2048
// to 8192 bits, secrets 32 octets or more (RFC 7518 sections 3.2 and 3.3), EC keys the curve P-256,
// EdDSA keys Ed25519. Immutable; a copy shares the key; any thread.
class VerificationKey {
 public:
  static constexpr size_t kSecretBytesMin = 32;
  static constexpr size_t kKeyBytesMax = 16384;  // of the text that a key is read from

  // A secret for HS256, as octets.
  static absl::StatusOr<VerificationKey> FromSecret(std::string_view octets);
  // `-----BEGIN PUBLIC KEY-----` (RFC 7468 section 13) for one of the other three.
  static absl::StatusOr<VerificationKey> FromPem(Algorithm algorithm, std::string_view pem);
  // RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2. The algorithm is that of `alg`, or
  // else the one of ours that the type of key is for. Refused when `use` or `key_ops` say that the
  // key does not verify. An error never shows the key.
  static absl::StatusOr<VerificationKey> FromJwk(const nlohmann::json& jwk);

  Algorithm algorithm() const { return algorithm_; }
  // Whether `signature`, as a JWS has it (RFC 7518 section 3), is of `message` and by this key.
  // Leaves nothing in OpenSSL's queue of errors, in which the thread's TLS looks for its own.
  bool Verifies(std::string_view message, std::string_view signature) const;

 private:
  using Secret = std::shared_ptr<const std::string>;
  using PublicKey = std::shared_ptr<EVP_PKEY>;

  VerificationKey(Algorithm algorithm, std::variant<Secret, PublicKey> key)
      : algorithm_(algorithm), key_(std::move(key)) {}
  // Refuses a key that is not of the algorithm, or weaker than it wants.
  static absl::StatusOr<VerificationKey> FromPublicKey(Algorithm algorithm, PublicKey key);

  Algorithm algorithm_;
  std::variant<Secret, PublicKey> key_;
};

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_VERIFICATION_KEY_H_
