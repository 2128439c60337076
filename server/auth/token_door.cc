#include "auth/token_door.h"

#include <utility>

#include "core/close_code.h"
#include "core/error.h"

namespace wsrouter {

absl::StatusOr<std::optional<Own>> TokenDoor::Prove(const ConnectQuestion& question) const {
  if (parts_.tokens.has_value() && !question.token.empty()) {
    absl::StatusOr<VerifiedToken> token =
        parts_.tokens->Verify(question.token, parts_.clock.Now().wall);
    if (!token.ok()) return token.status();
    Own own = {.client = std::move(token->client_id),
               .rooms = std::move(token->rooms),
               .labels = std::move(token->labels),
               .expires_at = {},
               .may_join = std::move(token->may_join)};
    if (token->expires_at != absl::InfiniteFuture()) own.expires_at = token->expires_at;
    return own;
  }
  if (parts_.sessions.has_value() && !question.session.empty()) {
    absl::StatusOr<ClientId> client = parts_.sessions->Verify(question.session);
    if (!client.ok()) return client.status();
    return Own{.client = *std::move(client)};
  }
  return std::nullopt;
}

Backend::Ticket TokenDoor::Connect(ConnectQuestion question,
                                   absl::AnyInvocable<void(ConnectAnswer) &&> done) {
  const auto refuse = [&](CloseCode code, std::string_view reason) {
    std::move(done)(Denial{.close = {static_cast<uint16_t>(code), std::string(reason)},
                           .retry_after = absl::ZeroDuration()});
    return Ticket{0};
  };
  absl::StatusOr<std::optional<Own>> proved = Prove(question);
  if (!proved.ok()) return refuse(CloseCode::kExpired, ReasonOf(proved.status()));
  if (!proved->has_value() && parts_.required) {
    return refuse(CloseCode::kNotAuthenticated, "TOKEN_MISSING");
  }
  question.proved = *std::move(proved);
  question.token.clear();
  question.session.clear();
  if (parts_.services != nullptr && parts_.services->Decides(question.handshake->path)) {
    return parts_.services->Connect(std::move(question), std::move(done));
  }
  std::move(done)(Admission{.own = std::move(question.proved), .greetings = {}, .subprotocol = {}});
  return 0;
}

bool TokenDoor::Hears(std::string_view path) const {
  return parts_.services != nullptr && parts_.services->Hears(path);
}

Backend::Ticket TokenDoor::Message(MessageQuestion question,
                                   absl::AnyInvocable<void(MessageAnswer) &&> done) {
  return parts_.services->Message(std::move(question), std::move(done));
}

bool TokenDoor::ChecksJoins(std::string_view path) const {
  return parts_.services != nullptr && parts_.services->ChecksJoins(path);
}

Backend::Ticket TokenDoor::JoinCheck(JoinQuestion question,
                                     absl::AnyInvocable<void(absl::Status) &&> done) {
  return parts_.services->JoinCheck(std::move(question), std::move(done));
}

void TokenDoor::Cancel(Ticket ticket) {
  if (ticket != 0) parts_.services->Cancel(ticket);
}

void TokenDoor::Disconnected(const Event& event, const Handshake& handshake) {
  if (parts_.services != nullptr && parts_.services->Decides(handshake.path)) {
    parts_.services->Disconnected(event, handshake);
  }
}

}  // namespace wsrouter
