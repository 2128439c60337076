#ifndef WSROUTER_ENGINE_SESSION_TOKEN_H_
#define WSROUTER_ENGINE_SESSION_TOKEN_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"

namespace wsrouter {

// A token of a session names the node that wrote the session, and has a secret of 192 bits; all of
// it is base64url.
std::string MakeSessionToken(const NodeIdentity& node);

struct SessionToken {
  std::string node;    // as RedisNodeText has it
  std::string digest;  // SHA-256 of the secret, in octets
};
// Nothing where `text` is no token.
std::optional<SessionToken> ParseSessionToken(std::string_view text);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_SESSION_TOKEN_H_
