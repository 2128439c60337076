#ifndef WSROUTER_ENGINE_SEAL_KEY_H_
#define WSROUTER_ENGINE_SEAL_KEY_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wsrouter {

// A secret that nodes share. The id tells receivers which one was used: 1 to 16 of [A-Za-z0-9_-].
struct SealKey {
  std::string id;
  std::string secret;  // 32 octets or more
};

// `<id>:<secret>`. The error never shows the secret.
absl::StatusOr<SealKey> ParseSealKey(std::string_view text);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_SEAL_KEY_H_
