#include "engine/seal_key.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace wsrouter {
namespace {

constexpr size_t kIdBytesMax = 16;
constexpr size_t kSecretBytesMin = 32;

bool IsIdOctet(char octet) {
  return absl::ascii_isalnum(static_cast<unsigned char>(octet)) || octet == '_' || octet == '-';
}

}  // namespace

absl::StatusOr<SealKey> ParseSealKey(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view id = text.substr(0, colon);
  if (colon == std::string_view::npos || id.empty() || id.size() > kIdBytesMax ||
      !std::ranges::all_of(id, IsIdOctet)) {
    return absl::InvalidArgumentError(
        "wanted <id>:<secret>, the id 1 to 16 octets of letters, digits, _ and -");
  }
  const std::string_view secret = text.substr(colon + 1);
  if (secret.size() < kSecretBytesMin) {
    return absl::InvalidArgumentError("wanted a secret of 32 octets or more");
  }
  return SealKey{.id = std::string(id), .secret = std::string(secret)};
}

}  // namespace wsrouter
