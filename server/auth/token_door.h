#ifndef WSROUTER_AUTH_TOKEN_DOOR_H_
#define WSROUTER_AUTH_TOKEN_DOOR_H_

#include <optional>

#include "auth/session_cookie.h"
#include "auth/token_verifier.h"
#include "base/clock.h"
#include "core/backend.h"
#include "core/counters.h"

namespace wsrouter {

// Lets in whom a token, or a cookie that a web framework has signed, proves. Where a service
// decides about the path, it is asked besides, and told who was proved. Any thread.
class TokenDoor final : public Backend {
 public:
  struct Parts {
    std::optional<TokenVerifier> tokens;
    std::optional<SessionCookie> sessions;
    // Who brings neither is refused; otherwise a service decides, or nobody does.
    bool required = true;
    Backend* services = nullptr;  // null: there are none
    const Clock& clock;
  };

  explicit TokenDoor(Parts parts) : parts_(std::move(parts)) {}

  bool Decides(std::string_view) const override { return true; }
  Ticket Connect(ConnectQuestion question,
                 absl::AnyInvocable<void(ConnectAnswer) &&> done) override;
  bool Hears(std::string_view path) const override;
  Ticket Message(MessageQuestion question,
                 absl::AnyInvocable<void(MessageAnswer) &&> done) override;
  bool ChecksJoins(std::string_view path) const override;
  Ticket JoinCheck(JoinQuestion question, absl::AnyInvocable<void(absl::Status) &&> done) override;
  void Cancel(Ticket ticket) override;
  void Disconnected(const Event& event, const Handshake& handshake) override;

 private:
  // Absent: nothing was brought.
  absl::StatusOr<std::optional<Own>> Prove(const ConnectQuestion& question) const;

  Parts parts_;
};

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_TOKEN_DOOR_H_
