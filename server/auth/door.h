#ifndef WSROUTER_AUTH_DOOR_H_
#define WSROUTER_AUTH_DOOR_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "auth/key_keeper.h"
#include "auth/session_cookie.h"
#include "auth/token_door.h"
#include "auth/token_options.h"
#include "base/clock.h"
#include "core/backend.h"

namespace wsrouter {

struct DoorOptions {
  TokenOptions tokens;  // without issuers: none count
  KeyKeeper::Options keys;
  SessionCookieOptions sessions;  // without secrets: none count
  bool required = true;

  bool wanted() const { return !tokens.issuers.empty() || !sessions.secrets.empty(); }
};

// A TokenDoor with all that it needs.
class Door {
 public:
  // `services` is asked besides, and outlives the door. An error names the file it is about.
  static absl::StatusOr<std::unique_ptr<Door>> Open(const DoorOptions& options, Backend* services,
                                                    const Clock& clock);

  Backend& backend() { return *door_; }

 private:
  std::optional<TokenDoor> door_;
};

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_DOOR_H_
