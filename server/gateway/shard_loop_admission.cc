// What ShardLoop does while a service decides about a client: the request is held, and answered
// when all that the service grants is in force.
#include <algorithm>
#include <utility>

#include "core/client_protocol.h"
#include "gateway/connect_info.h"
#include "gateway/shard_loop.h"

namespace wsrouter {
namespace {

// The HTTP status that stands for a close code.
int StatusOf(uint16_t code) {
  switch (static_cast<CloseCode>(code)) {
    case CloseCode::kNotAuthenticated:
    case CloseCode::kExpired:
      return 401;
    case CloseCode::kRateLimited:
      return 429;
    case CloseCode::kServiceRestart:
    case CloseCode::kTryAgainLater:
    case CloseCode::kCapacity:
      return 503;
    default:
      return 403;
  }
}

}  // namespace

void ShardLoop::Hold(Session& session, Session::Held held) {
  session.state = Session::State::kAsking;
  session.end_uptime = absl::InfiniteDuration();  // there is an answer in any case
  session.held = std::make_unique<Session::Held>(std::move(held));
  shard_.Reserve(session);
  held_.emplace(session.counter, &session);
  timers_.Set(session, DueOf(session));
}

void ShardLoop::LookForSession(Session& session, std::string_view token) {
  sessions_in_store_->Take(
      token, [this, mailbox = mailbox_, counter = session.counter, token = std::string(token)](
                 absl::StatusOr<std::optional<SessionRecord>> taken) mutable {
        mailbox->PostAnswer(
            Task([this, counter, token = std::move(token), taken = std::move(taken)]() mutable {
              OnTaken(counter, token, std::move(taken));
            }));
      });
}

void ShardLoop::OnTaken(uint64_t counter, const std::string& token,
                        absl::StatusOr<std::optional<SessionRecord>> taken) {
  const auto found = held_.find(counter);
  if (found == held_.end() || found->second->doomed_place != Session::kNowhere) {
    // Who wanted it has gone, and may want it again.
    if (taken.ok() && taken->has_value()) sessions_in_store_->Put(token, **taken);
    return;
  }
  Session& session = *found->second;
  const SessionRecord* record = taken.ok() && taken->has_value() ? &**taken : nullptr;
  const bool fits = record != nullptr && record->path == session.handshake->path &&
                    record->own.expires_at.value_or(absl::InfiniteFuture()) > now_.wall;
  if (fits) {
    held_.erase(found);
    session.state = Session::State::kOpening;
    return shard_.OnOpen(session, *record, token);
  }
  counters_.Add(taken.ok() ? Counter::kSessionsUnknown : Counter::kSessionsUnavailable);
  if (session.held->question != nullptr) {
    return Decide(session, std::move(session.held->question));
  }
  held_.erase(found);
  const std::unique_ptr<Session::Held> held = std::move(session.held);
  Upgrade(session, held->accepted);
}

void ShardLoop::Decide(Session& session, std::unique_ptr<ConnectQuestion> question) {
  question->connection = shard_.Reserve(session);
  question->handshake = session.handshake;
  session.held->ticket = backend_->Connect(
      std::move(*question), [this, mailbox = mailbox_, counter = session.counter,
                             handshake = session.handshake](ConnectAnswer answer) {
        mailbox->PostAnswer(Task([this, counter, handshake, answer = std::move(answer)]() mutable {
          if (!held_.contains(counter)) return TellTooLate(counter, answer, *handshake);
          OnDecided(counter, std::move(answer));
        }));
      });
}

void ShardLoop::Unhold(Session& session) {
  if (session.held->ticket != 0) backend_->Cancel(session.held->ticket);
  held_.erase(session.counter);
}

void ShardLoop::TellTooLate(uint64_t counter, const ConnectAnswer& answer,
                            const Handshake& handshake) {
  const auto* admission = std::get_if<Admission>(&answer);
  if (admission == nullptr) return;
  Connection connection;
  connection.counter = counter;
  backend_->Disconnected(
      {.at = now_.wall,
       .connection = shard_.IdOf(connection),
       .client = admission->own.has_value() ? admission->own->client : ClientId{},
       .detail = event::Disconnected{.cause = CloseCause::kConnectionLost,
                                     .close = {.code = 1006, .reason = {}},
                                     .duration = {}}},
      handshake);
}

void ShardLoop::OnDecided(uint64_t counter, ConnectAnswer answer) {
  const auto found = held_.find(counter);
  Session& session = *found->second;
  if (session.doomed_place != Session::kNowhere) return;  // its end cancels the question
  held_.erase(found);
  if (const auto* denial = std::get_if<Denial>(&answer)) {
    return Deny(session, denial->close, denial->retry_after);
  }
  auto& admission = std::get<Admission>(answer);
  if (admission.own.has_value() && admission.own->expires_at.value_or(now_.wall) < now_.wall) {
    return Deny(session, {static_cast<uint16_t>(CloseCode::kExpired), "TOKEN_EXPIRED"},
                absl::ZeroDuration());
  }
  if (!Select(session, admission.subprotocol)) {
    return Deny(session,
                {static_cast<uint16_t>(CloseCode::kInternal), "a subprotocol that nobody offered"},
                absl::ZeroDuration());
  }
  session.state = Session::State::kOpening;
  if (admission.own.has_value()) {
    shard_.OnOpen(session, *admission.own);
  } else {
    shard_.OnOpen(session);
  }
  for (FramePtr& greeting : admission.greetings) {
    if (!shard_.Greet(session, std::move(greeting))) {
      return shard_.Close(session, CloseCause::kRefused, CloseCode::kInternal,
                          "the first payloads do not fit into the outbox");
    }
  }
  if (!admission.own.has_value()) Admitted(session);
}

bool ShardLoop::Select(Session& session, const std::string& subprotocol) {
  UpgradeAccepted& accepted = session.held->accepted;
  if (subprotocol.empty() || subprotocol == accepted.subprotocol) return true;
  const std::vector<std::string>& offered = session.handshake->offered_subprotocols;
  if (std::ranges::find(offered, subprotocol) == offered.end()) return false;
  auto handshake = std::make_shared<Handshake>(*session.handshake);
  handshake->subprotocol = subprotocol;
  handshake->speaks = options_->client_protocol && subprotocol == kClientProtocol;
  session.handshake = std::move(handshake);
  accepted.subprotocol = subprotocol;
  accepted.response = SwitchingProtocols(accepted.accept_key, subprotocol);
  return true;
}

void ShardLoop::Admitted(Connection& connection) {
  Session& session = static_cast<Session&>(connection);
  const std::unique_ptr<Session::Held> held = std::move(session.held);
  session.state = Session::State::kOpen;
  session.heard_uptime = now_.uptime;
  if (!SocketLoop::Write(session, held->accepted.response)) return Doom(session);
  timers_.Set(session, DueOf(session));
  if (!session.outbox.empty()) WantWrite(session);
}

void ShardLoop::Deny(Session& session, const CloseWith& close, absl::Duration retry_after) {
  counters_.Add(Counter::kUpgradesRefused);
  shard_.Discard(session);
  const std::unique_ptr<Session::Held> held = std::move(session.held);
  if (!options_->refuse_visibly) {
    const std::chrono::seconds seconds(
        absl::ToInt64Seconds(absl::Ceil(retry_after, absl::Seconds(1))));
    return Answer(session, RefuseUpgrade(StatusOf(close.code), "refused", seconds).response);
  }
  if (!SocketLoop::Write(session, held->accepted.response)) {
    session.state = Session::State::kLingering;
    return Doom(session);
  }
  session.state = Session::State::kOpen;
  CloseWithFrame(session, close.code, close.reason, false, retry_after);
}

void ShardLoop::Pause(Connection& connection) {
  StopReading(static_cast<Session&>(connection), false);
}

void ShardLoop::PauseAndWatch(Connection& connection) {
  StopReading(static_cast<Session&>(connection), true);
}

void ShardLoop::StopReading(Session& session, bool watched) {
  if (session.state == Session::State::kParked) return;
  if (!session.paused && frames_rate_.on()) {
    if (session.unread == nullptr) session.unread = std::make_unique<Session::Unread>();
    session.unread->credit.Pause(now_.uptime);
  }
  session.paused = true;
  session.watched = watched;
  SocketLoop::UpdateReading(session);
}

void ShardLoop::Resume(Connection& connection) {
  Session& session = static_cast<Session&>(connection);
  if (session.state == Session::State::kParked) return;
  if (session.paused && frames_rate_.on()) session.unread->credit.Resume(now_.uptime);
  session.paused = false;
  session.watched = false;
  session.heard_uptime = now_.uptime;  // while nothing was read, silence meant nothing
  if (session.unread != nullptr) {
    std::string_view octets = session.unread->text;
    octets.remove_prefix(session.unread->begin);
    FeedFrames(session, octets);
    session.unread->begin = session.unread->text.size() - octets.size();
    if (octets.empty() || !session.paused) {
      session.unread->text = std::string();
      session.unread->begin = 0;
    } else if (session.watched) {
      return LookAhead(session);
    }
  }
  if (!session.paused) SocketLoop::UpdateReading(session);
}

}  // namespace wsrouter
