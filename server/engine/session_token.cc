#include "engine/session_token.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdlib>

#include "absl/strings/escaping.h"
#include "base/strings.h"
#include "engine/redis_keys.h"

namespace wsrouter {
namespace {

constexpr size_t kSecretBytes = 24;
constexpr size_t kDigestBytes = 32;
constexpr size_t kTokenBytesMax = 1024;  // no server_id is nearly so long

unsigned char* Octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string MakeSessionToken(const NodeIdentity& node) {
  std::string token(kSecretBytes, '\0');
  // Without randomness everybody could come back as anybody: a node must not go on.
  if (RAND_bytes(Octets(token), static_cast<int>(token.size())) != 1) std::abort();
  token += RedisNodeText(node);
  return absl::WebSafeBase64Escape(token);
}

std::optional<SessionToken> ParseSessionToken(std::string_view text) {
  std::string token;
  if (text.size() > kTokenBytesMax || !absl::WebSafeBase64Unescape(AbslView(text), &token) ||
      token.size() <= kSecretBytes) {
    return std::nullopt;
  }
  SessionToken parsed = {.node = token.substr(kSecretBytes),
                         .digest = std::string(kDigestBytes, '\0')};
  if (!ParseRedisNode(parsed.node).has_value()) return std::nullopt;
  size_t size = 0;
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, token.data(), kSecretBytes, Octets(parsed.digest),
                   &size) != 1) {
    std::abort();
  }
  return parsed;
}

}  // namespace wsrouter
