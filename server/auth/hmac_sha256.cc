#include "auth/hmac_sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdlib>

namespace wsrouter {
namespace {

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

HmacSha256::HmacSha256(std::string_view secret, std::string_view message) {
  size_t size = 0;
  // It fails for want of memory or of OpenSSL's own algorithms only. A node that cannot check must
  // not go on.
  if (EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, secret.data(), secret.size(),
                Bytes(message), message.size(), octets_.data(), octets_.size(), &size) == nullptr ||
      size != kBytes) {
    std::abort();
  }
}

HmacSha256::~HmacSha256() { OPENSSL_cleanse(octets_.data(), octets_.size()); }

bool HmacSha256::Matches(std::string_view mac) const {
  return mac.size() == kBytes && CRYPTO_memcmp(octets_.data(), mac.data(), kBytes) == 0;
}

}  // namespace wsrouter
