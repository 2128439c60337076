#include "auth/door.h"

#include <utility>

namespace wsrouter {

absl::StatusOr<std::unique_ptr<Door>> Door::Open(const DoorOptions& options, Backend* services,
                                                 const Clock& clock) {
  TokenDoor::Parts parts = {.tokens = {},
                            .sessions = {},
                            .required = options.required,
                            .services = services,
                            .clock = clock};
  if (!options.tokens.issuers.empty()) {
    auto keys = KeyKeeper::Start(options.keys, FetchByHttp, clock);
    if (!keys.ok()) return keys.status();
    auto tokens = TokenVerifier::Create(options.tokens, *std::move(keys));
    if (!tokens.ok()) return tokens.status();
    parts.tokens = *std::move(tokens);
  }
  if (!options.sessions.secrets.empty()) {
    auto sessions = SessionCookie::Create(options.sessions);
    if (!sessions.ok()) return sessions.status();
    parts.sessions = *std::move(sessions);
  }
  auto door = std::make_unique<Door>();
  door->door_.emplace(std::move(parts));
  return door;
}

}  // namespace wsrouter
