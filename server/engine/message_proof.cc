#include "engine/message_proof.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstdlib>

namespace wsrouter {
namespace {

// OpenSSL fails here for want of memory or of its own algorithms. A node that can neither prove nor
// check must not go on.
void Demand(bool done) {
  if (!done) std::abort();
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

void MessageProof::Free::operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }

MessageProof::MessageProof(const SealKey& key) : key_id_(key.id) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  Demand(mac != nullptr);
  context_.reset(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);  // the context has a reference of its own
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  Demand(context_ != nullptr &&
         EVP_MAC_init(context_.get(), Bytes(key.secret), key.secret.size(), params) == 1);
}

MessageProof::Octets MessageProof::Of(std::string_view channel, std::string_view message) {
  uint8_t length[4];
  for (int i = 0; i < 4; ++i) length[i] = static_cast<uint8_t>(channel.size() >> (24 - 8 * i));
  Octets proof;
  size_t size = 0;
  EVP_MAC_CTX* context = context_.get();
  Demand(EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&  // begins again with the same key
         EVP_MAC_update(context, length, sizeof(length)) == 1 &&
         EVP_MAC_update(context, Bytes(channel), channel.size()) == 1 &&
         EVP_MAC_update(context, Bytes(message), message.size()) == 1 &&
         EVP_MAC_final(context, proof.data(), &size, proof.size()) == 1 && size == kBytes);
  return proof;
}

bool MessageProof::Proves(std::string_view proof, std::string_view channel,
                          std::string_view message) {
  return CRYPTO_memcmp(Of(channel, message).data(), proof.data(), kBytes) == 0;
}

}  // namespace wsrouter
