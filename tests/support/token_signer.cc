#include "tests/support/token_signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "fmt/format.h"

namespace wsrouter {
namespace {

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

void Demand(bool done) {
  if (!done) std::abort();
}

// A signature in DER as JOSE has it: two numbers of 32 octets.
std::string Jose(std::string_view der) {
  const uint8_t* at = Bytes(der);
  ECDSA_SIG* parts = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  Demand(parts != nullptr);
  std::string octets(64, '\0');
  auto* out = reinterpret_cast<uint8_t*>(octets.data());
  Demand(BN_bn2binpad(ECDSA_SIG_get0_r(parts), out, 32) == 32 &&
         BN_bn2binpad(ECDSA_SIG_get0_s(parts), out + 32, 32) == 32);
  ECDSA_SIG_free(parts);
  return octets;
}

}  // namespace

std::string Base64Of(std::string_view octets) {
  std::string text(4 * (octets.size() / 3 + 1) + 1, '\0');
  text.resize(static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<uint8_t*>(text.data()),
                                                  Bytes(octets), static_cast<int>(octets.size()))));
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string Base64UrlOf(std::string_view octets) {
  std::string text = Base64Of(octets);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::string HmacSha256Of(std::string_view secret, std::string_view message) {
  std::string mac(32, '\0');
  Demand(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), Bytes(message),
              message.size(), reinterpret_cast<uint8_t*>(mac.data()), nullptr) != nullptr);
  return mac;
}

TokenSigner::TokenSigner(std::string algorithm, EVP_PKEY* key, std::string secret)
    : algorithm_(std::move(algorithm)), key_(key, EVP_PKEY_free), secret_(std::move(secret)) {
  Demand(key != nullptr || !secret_.empty());
}

TokenSigner TokenSigner::Hs256(std::string secret) { return {"HS256", nullptr, std::move(secret)}; }

TokenSigner TokenSigner::Rs256(unsigned bits) { return {"RS256", EVP_RSA_gen(bits), ""}; }

TokenSigner TokenSigner::Es256(const char* curve) { return {"ES256", EVP_EC_gen(curve), ""}; }

TokenSigner TokenSigner::EdDsa() {
  return {"EdDSA", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), ""};
}

TokenSigner TokenSigner::EdDsaOf(std::string_view octets) {
  return {"EdDSA",
          EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(octets), octets.size()),
          ""};
}

std::string TokenSigner::Sign(std::string_view message) const {
  if (key_ == nullptr) return HmacSha256Of(secret_, message);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  size_t size = 0;
  const EVP_MD* digest = algorithm_ == "EdDSA" ? nullptr : EVP_sha256();
  Demand(EVP_DigestSignInit(context, nullptr, digest, nullptr, key_.get()) == 1 &&
         EVP_DigestSign(context, nullptr, &size, Bytes(message), message.size()) == 1);
  std::string signature(size, '\0');
  Demand(EVP_DigestSign(context, reinterpret_cast<uint8_t*>(signature.data()), &size,
                        Bytes(message), message.size()) == 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  return algorithm_ == "ES256" ? Jose(signature) : signature;
}

std::string TokenSigner::Token(std::string_view header, std::string_view claims) const {
  const std::string message = fmt::format("{}.{}", Base64UrlOf(header), Base64UrlOf(claims));
  return fmt::format("{}.{}", message, Base64UrlOf(Sign(message)));
}

std::string TokenSigner::TokenOf(std::string_view claims, std::string_view kid) const {
  const std::string named = kid.empty() ? "" : fmt::format(R"(,"kid":"{}")", kid);
  return Token(fmt::format(R"({{"alg":"{}","typ":"JWT"{}}})", algorithm_, named), claims);
}

std::string TokenSigner::PublicPem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  Demand(PEM_write_bio_PUBKEY(bio, key_.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  const std::string pem(text, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

std::string TokenSigner::Number(const char* parameter) const {
  BIGNUM* number = nullptr;
  Demand(EVP_PKEY_get_bn_param(key_.get(), parameter, &number) == 1);
  const int size = algorithm_ == "ES256" ? 32 : BN_num_bytes(number);
  std::string octets(static_cast<size_t>(size), '\0');
  Demand(BN_bn2binpad(number, reinterpret_cast<uint8_t*>(octets.data()), size) == size);
  BN_free(number);
  return Base64UrlOf(octets);
}

std::string TokenSigner::Jwk(std::string_view kid, std::string_view more) const {
  const std::string named = kid.empty() ? "" : fmt::format(R"("kid":"{}",)", kid);
  std::string parts;
  if (key_ == nullptr) {
    parts = fmt::format(R"("kty":"oct","k":"{}")", Base64UrlOf(secret_));
  } else if (algorithm_ == "RS256") {
    parts = fmt::format(R"("kty":"RSA","n":"{}","e":"{}")", Number(OSSL_PKEY_PARAM_RSA_N),
                        Number(OSSL_PKEY_PARAM_RSA_E));
  } else if (algorithm_ == "ES256") {
    parts = fmt::format(R"("kty":"EC","crv":"P-256","x":"{}","y":"{}")",
                        Number(OSSL_PKEY_PARAM_EC_PUB_X), Number(OSSL_PKEY_PARAM_EC_PUB_Y));
  } else {
    std::string x(32, '\0');
    size_t size = x.size();
    Demand(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<uint8_t*>(x.data()), &size) ==
           1);
    parts = fmt::format(R"("kty":"OKP","crv":"Ed25519","x":"{}")", Base64UrlOf(x));
  }
  return fmt::format("{{{}{}{}}}", named, more, parts);
}

}  // namespace wsrouter
