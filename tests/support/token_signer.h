#ifndef WSROUTER_TESTS_SUPPORT_TOKEN_SIGNER_H_
#define WSROUTER_TESTS_SUPPORT_TOKEN_SIGNER_H_

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace wsrouter {

std::string Base64UrlOf(std::string_view octets);
std::string Base64Of(std::string_view octets);  // without padding
std::string HmacSha256Of(std::string_view secret, std::string_view message);

// Makes tokens as an issuer does, with nothing of server/auth: what the server is held against.
class TokenSigner {
 public:
  static TokenSigner Hs256(std::string secret);
  static TokenSigner Rs256(unsigned bits = 2048);
  static TokenSigner Es256(const char* curve = "P-256");
  static TokenSigner EdDsa();
  static TokenSigner EdDsaOf(std::string_view private_octets);

  const std::string& algorithm() const { return algorithm_; }
  // The signature of a JWS, whatever the message says.
  std::string Sign(std::string_view message) const;
  // A token of these two JSON texts.
  std::string Token(std::string_view header, std::string_view claims) const;
  // With a header of `alg` and, unless it is empty, `kid`.
  std::string TokenOf(std::string_view claims, std::string_view kid = "") const;

  std::string PublicPem() const;
  // `more` are further members: `"use":"sig",`.
  std::string Jwk(std::string_view kid, std::string_view more = "") const;

 private:
  TokenSigner(std::string algorithm, EVP_PKEY* key, std::string secret);
  std::string Number(const char* parameter) const;

  std::string algorithm_;
  std::shared_ptr<EVP_PKEY> key_;  // null for HS256
  std::string secret_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_TOKEN_SIGNER_H_
