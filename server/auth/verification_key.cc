#include "auth/verification_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "auth/base64url.h"
#include "auth/hmac_sha256.h"
#include "auth/jwk.h"
#include "auth/openssl_scope.h"
#include "auth/strict_json.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"HS256", "RS256", "ES256", "EdDSA"};
constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;
constexpr size_t kEs256Bytes = 64;    // RFC 7518 section 3.4: R and S, 32 octets each
constexpr size_t kEd25519Bytes = 64;  // RFC 8032 section 5.1.6

absl::Status Bad(std::string_view what) { return absl::InvalidArgumentError(AbslView(what)); }

// A key in PEM can be encrypted, and OpenSSL would ask at the terminal for the password.
int NoPassword(char*, int, int, void*) { return -1; }

bool IsP256(const EVP_PKEY* key) {
  char name[32] = {};
  size_t size = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name),
                                        &size) == 1 &&
         std::string_view(name, size) == "prime256v1";
}

absl::Status CheckKind(Algorithm algorithm, const EVP_PKEY* key) {
  switch (algorithm) {
    case Algorithm::kHs256:
      return Bad("HS256 wants a secret, not a public key");
    case Algorithm::kRs256: {
      if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return Bad("RS256 wants an RSA key");
      const int bits = EVP_PKEY_get_bits(key);
      if (bits >= kRsaBitsMin && bits <= kRsaBitsMax) return absl::OkStatus();
      return Bad(
          fmt::format("the RSA key has {} bits, wanted {} to {}", bits, kRsaBitsMin, kRsaBitsMax));
    }
    case Algorithm::kEs256:
      return IsP256(key) ? absl::OkStatus() : Bad("ES256 wants a key on the curve P-256");
    case Algorithm::kEdDsa:
      return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? absl::OkStatus()
                                                           : Bad("EdDSA wants an Ed25519 key");
  }
  return Bad("no such algorithm");
}

// The signature in the form that OpenSSL wants, nothing where its length is wrong.
std::optional<std::string> SignatureForOpenSsl(Algorithm algorithm, std::string_view signature) {
  if (algorithm == Algorithm::kRs256) return std::string(signature);
  if (algorithm == Algorithm::kEdDsa) {
    if (signature.size() != kEd25519Bytes) return std::nullopt;
    return std::string(signature);
  }
  if (signature.size() != kEs256Bytes) return std::nullopt;
  const int half = kEs256Bytes / 2;
  const OpenSslPtr<ECDSA_SIG, ECDSA_SIG_free> parts(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(OpenSslBytes(signature), half, nullptr);
  BIGNUM* s = BN_bin2bn(OpenSslBytes(signature) + half, half, nullptr);
  if (parts == nullptr || ECDSA_SIG_set0(parts.get(), r, s) != 1) {  // takes both only if it can
    BN_free(r);
    BN_free(s);
    return std::nullopt;
  }
  std::array<uint8_t, kEs256Bytes + 16> der;  // two integers with at most 33 octets, and 6 around
  uint8_t* end = der.data();
  const int size = i2d_ECDSA_SIG(parts.get(), nullptr);
  if (size <= 0 || static_cast<size_t>(size) > der.size()) return std::nullopt;
  i2d_ECDSA_SIG(parts.get(), &end);
  return std::string(der.data(), end);
}

bool VerifiesWith(EVP_PKEY* key, Algorithm algorithm, std::string_view message,
                  std::string_view signature) {
  const OpenSslScope scope;
  const std::optional<std::string> form = SignatureForOpenSsl(algorithm, signature);
  const OpenSslPtr<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  // Ed25519 hashes on its own. RSA pads as of PKCS #1 v1.5 unless told otherwise.
  const char* digest = algorithm == Algorithm::kEdDsa ? nullptr : "SHA256";
  return form.has_value() && context != nullptr &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key, nullptr) ==
             1 &&
         EVP_DigestVerify(context.get(), OpenSslBytes(*form), form->size(), OpenSslBytes(message),
                          message.size()) == 1;
}

// What `alg` says, or else what the type of key is for with us.
std::optional<Algorithm> AlgorithmOfJwk(const nlohmann::json& jwk) {
  const auto alg = jwk.find("alg");
  if (alg != jwk.end()) {
    const std::string* name = FindString(jwk, "alg");
    return name == nullptr ? std::nullopt : ParseAlgorithm(*name);
  }
  const std::string* type = FindString(jwk, "kty");
  if (type == nullptr) return std::nullopt;
  if (*type == "oct") return Algorithm::kHs256;
  if (*type == "RSA") return Algorithm::kRs256;
  if (*type == "EC") return Algorithm::kEs256;
  return *type == "OKP" ? std::optional(Algorithm::kEdDsa) : std::nullopt;
}

// RFC 7517 sections 4.2 and 4.3.
bool MayVerify(const nlohmann::json& jwk) {
  const auto use = jwk.find("use");
  if (use != jwk.end() && *use != "sig") return false;
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return true;
  const auto names = StringsOf(*operations);
  return names.has_value() && std::ranges::find(*names, "verify") != names->end();
}

}  // namespace

std::string_view AlgorithmName(Algorithm algorithm) {
  return kNames[static_cast<size_t>(algorithm)];
}

std::optional<Algorithm> ParseAlgorithm(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Algorithm>(found - kNames.begin());
}

absl::StatusOr<VerificationKey> VerificationKey::FromSecret(std::string_view octets) {
  if (octets.size() < kSecretBytesMin || octets.size() > kKeyBytesMax) {
    return Bad(fmt::format("the secret has {} octets, wanted {} to {}", octets.size(),
                           kSecretBytesMin, kKeyBytesMax));
  }
  return VerificationKey(Algorithm::kHs256, std::make_shared<const std::string>(octets));
}

absl::StatusOr<VerificationKey> VerificationKey::FromPem(Algorithm algorithm,
                                                         std::string_view pem) {
  const OpenSslScope scope;
  if (pem.size() > kKeyBytesMax) {
    return Bad(fmt::format("{} octets of PEM, wanted at most {}", pem.size(), kKeyBytesMax));
  }
  const OpenSslPtr<BIO, BIO_free_all> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVP_PKEY* key = PEM_read_bio_PUBKEY(bio.get(), nullptr, NoPassword, nullptr);
  if (key == nullptr) return Bad("wanted a public key in PEM (BEGIN PUBLIC KEY)");
  return FromPublicKey(algorithm, PublicKey(key, EVP_PKEY_free));
}

absl::StatusOr<VerificationKey> VerificationKey::FromJwk(const nlohmann::json& jwk) {
  if (!jwk.is_object()) return Bad("wanted a JWK, a JSON object");
  const std::optional<Algorithm> algorithm = AlgorithmOfJwk(jwk);
  if (!algorithm) return Bad("the JWK is for no algorithm of HS256, RS256, ES256 and EdDSA");
  if (!MayVerify(jwk)) return Bad("the JWK is not for signatures, by its use or key_ops");
  if (*algorithm == Algorithm::kHs256) {
    const std::string* type = FindString(jwk, "kty");
    const std::string* text = FindString(jwk, "k");
    const auto octets = text == nullptr ? std::nullopt : DecodeBase64Url(*text);
    if (type == nullptr || *type != "oct" || !octets) {
      return Bad("HS256 wants a kty of oct and k, a secret in base64url");
    }
    return FromSecret(*octets);
  }
  absl::StatusOr<PublicKey> key = PublicKeyOfJwk(jwk);
  if (!key.ok()) return key.status();
  return FromPublicKey(*algorithm, *std::move(key));
}

absl::StatusOr<VerificationKey> VerificationKey::FromPublicKey(Algorithm algorithm, PublicKey key) {
  const OpenSslScope scope;
  if (absl::Status kind = CheckKind(algorithm, key.get()); !kind.ok()) return kind;
  const OpenSslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  // Among others: a point off the curve, an RSA exponent of 1, with which everybody can sign.
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1) {
    return Bad(fmt::format("the {} key is not valid", AlgorithmName(algorithm)));
  }
  return VerificationKey(algorithm, std::move(key));
}

bool VerificationKey::Verifies(std::string_view message, std::string_view signature) const {
  if (const Secret* secret = std::get_if<Secret>(&key_)) {
    return HmacSha256(**secret, message).Matches(signature);
  }
  return VerifiesWith(std::get<PublicKey>(key_).get(), algorithm_, message, signature);
}

}  // namespace wsrouter
