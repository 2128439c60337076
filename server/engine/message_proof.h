#ifndef WSROUTER_ENGINE_MESSAGE_PROOF_H_
#define WSROUTER_ENGINE_MESSAGE_PROOF_H_

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/seal_key.h"

namespace wsrouter {

// HMAC-SHA-256 under one key. The key is hashed once, here, not for each message. One thread.
class MessageProof {
 public:
  static constexpr size_t kBytes = 32;
  using Octets = std::array<uint8_t, kBytes>;

  explicit MessageProof(const SealKey& key);

  const std::string& key_id() const { return key_id_; }
  // Of the channel's length (4 octets, big endian), the channel and the message.
  Octets Of(std::string_view channel, std::string_view message);
  // In a time that does not tell how much of `proof`, which has kBytes octets, is right.
  bool Proves(std::string_view proof, std::string_view channel, std::string_view message);

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const;
  };

  std::string key_id_;
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_MESSAGE_PROOF_H_
