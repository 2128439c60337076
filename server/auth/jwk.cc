#include "auth/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <optional>
#include <string>

#include "auth/base64url.h"
#include "auth/openssl_scope.h"
#include "auth/strict_json.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

using PublicKey = std::shared_ptr<EVP_PKEY>;

constexpr size_t kModulusBytesMax = 1024;
constexpr size_t kExponentBytesMax = 8;
constexpr size_t kCoordinateBytes = 32;  // RFC 7518 section 6.2.1.2: of P-256, with leading zeros

absl::Status Bad(const char* what) { return absl::InvalidArgumentError(what); }

std::optional<std::string> Octets(const nlohmann::json& jwk, std::string_view name) {
  const std::string* text = FindString(jwk, name);
  return text == nullptr ? std::nullopt : DecodeBase64Url(*text);
}

// A key of `type` out of its parts, or null.
PublicKey Make(const char* type, OSSL_PARAM_BLD* parts) {
  const OpenSslPtr<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(parts));
  const OpenSslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return PublicKey(key, EVP_PKEY_free);
}

absl::StatusOr<PublicKey> Rsa(const nlohmann::json& jwk) {
  const std::optional<std::string> modulus = Octets(jwk, "n");
  const std::optional<std::string> exponent = Octets(jwk, "e");
  if (!modulus || modulus->empty() || modulus->size() > kModulusBytesMax) {
    return Bad("wanted n, an RSA modulus in base64url");
  }
  if (!exponent || exponent->empty() || exponent->size() > kExponentBytesMax) {
    return Bad("wanted e, an RSA exponent in base64url");
  }
  const auto number = [](const std::string& octets) {
    return OpenSslPtr<BIGNUM, BN_free>(
        BN_bin2bn(OpenSslBytes(octets), static_cast<int>(octets.size()), nullptr));
  };
  const auto n = number(*modulus);
  const auto e = number(*exponent);
  const OpenSslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> parts(OSSL_PARAM_BLD_new());
  PublicKey key;
  if (n != nullptr && e != nullptr && parts != nullptr &&
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1) {
    key = Make("RSA", parts.get());
  }
  if (key == nullptr) return Bad("n and e are no RSA key");
  return key;
}

absl::StatusOr<PublicKey> P256(const nlohmann::json& jwk) {
  const std::optional<std::string> x = Octets(jwk, "x");
  const std::optional<std::string> y = Octets(jwk, "y");
  if (!x || !y || x->size() != kCoordinateBytes || y->size() != kCoordinateBytes) {
    return Bad("wanted x and y, 32 octets each in base64url");
  }
  const std::string point = '\x04' + *x + *y;  // SEC 1 section 2.3.3, not compressed
  const OpenSslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> parts(OSSL_PARAM_BLD_new());
  PublicKey key;
  if (parts != nullptr &&
      OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ==
          1 &&
      OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) == 1) {
    key = Make("EC", parts.get());
  }
  if (key == nullptr) return Bad("x and y are no point of P-256");
  return key;
}

absl::StatusOr<PublicKey> Ed25519(const nlohmann::json& jwk) {
  const std::optional<std::string> x = Octets(jwk, "x");
  EVP_PKEY* key =
      !x ? nullptr
         : EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, OpenSslBytes(*x), x->size());
  if (key == nullptr) return Bad("wanted x, the 32 octets of an Ed25519 key in base64url");
  return PublicKey(key, EVP_PKEY_free);
}

}  // namespace

absl::StatusOr<PublicKey> PublicKeyOfJwk(const nlohmann::json& jwk) {
  const OpenSslScope scope;
  const std::string* type = FindString(jwk, "kty");
  const std::string* curve = FindString(jwk, "crv");
  if (type == nullptr) return Bad("wanted kty, the type of the key");
  if (*type == "RSA") return Rsa(jwk);
  if (*type == "EC" && curve != nullptr && *curve == "P-256") return P256(jwk);
  if (*type == "OKP" && curve != nullptr && *curve == "Ed25519") return Ed25519(jwk);
  return Bad("wanted a kty of RSA, EC with crv P-256, or OKP with crv Ed25519");
}

}  // namespace wsrouter
