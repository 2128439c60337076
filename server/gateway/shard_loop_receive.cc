// What ShardLoop does with octets that come in: first a request head, then frames.
#include <chrono>
#include <utility>

#include "core/client_protocol.h"
#include "gateway/close_payload.h"
#include "gateway/connect_info.h"
#include "gateway/credentials.h"
#include "gateway/shard_loop.h"

namespace wsrouter {
namespace {

// By then a load balancer has noticed that the node is not ready.
constexpr std::chrono::seconds kDrainingRetryAfter{5};

// Whether a frame that begins with this octet is a Close (RFC 6455 section 5.2).
bool IsClose(char first) { return (static_cast<unsigned char>(first) & 0x0f) == 0x8; }

}  // namespace

void ShardLoop::OnReceive(Session& session, std::string_view octets) {
  session.octets_in += octets.size();
  counters_.Add(Counter::kBytesIn, octets.size());
  session.heard_uptime = now_.uptime;
  session.ping_pending = false;
  ForgetPause(session);
  if (session.state == Session::State::kHead) FeedHead(session, octets);
  const bool held =
      session.state == Session::State::kAsking || session.state == Session::State::kOpening;
  if (held && !octets.empty()) return Doom(session);  // RFC 6455 section 4.1: it has to wait
  FeedFrames(session, octets);
  if (!session.paused || octets.empty()) return;
  if (session.unread == nullptr) session.unread = std::make_unique<Session::Unread>();
  session.unread->text.append(octets);
  if (session.watched) LookAhead(session);
}

void ShardLoop::LookAhead(Session& session) {
  const std::string_view unread = session.unread->text;
  const bool ends = IsClose(unread[session.unread->begin]);
  session.watched = false;
  if (ends) return Resume(session);  // of a Close that is not whole yet, the rest is read
  SocketLoop::UpdateReading(session);
}

void ShardLoop::FeedHead(Session& session, std::string_view& octets) {
  const RequestHeadParser& parser = session.opening->parser;
  switch (session.opening->parser.Feed(octets)) {
    case RequestHeadParser::State::kNeedMore:
      return;
    case RequestHeadParser::State::kRefused:
      Refuse(session, RefuseUpgrade(parser.refusal_status(), parser.refusal_reason()));
      return;
    case RequestHeadParser::State::kComplete:
      OnHead(session);
      return;
  }
}

void ShardLoop::OnHead(Session& session) {
  const std::unique_ptr<Session::Opening> opening = std::move(session.opening);
  const RequestHead& head = opening->parser.head();
  if (WantsPage(head) && !options_->page.empty()) {
    Answer(session, PageResponse(head, options_->page));
    return;
  }
  if (draining_) return Refuse(session, RefuseUpgrade(503, "draining", kDrainingRetryAfter));
  UpgradeDecision decision = DecideUpgrade(head, options_->upgrade);
  if (const auto* refused = std::get_if<UpgradeRefused>(&decision)) {
    return Refuse(session, *refused);
  }
  if (opening->surplus) {
    const std::chrono::seconds later(absl::ToInt64Seconds(SpreadRetry(session)));
    return Refuse(session, RefuseUpgrade(503, "the node has as many as it may", later));
  }
  if (!MayUpgrade(session)) return;
  auto& accepted = std::get<UpgradeAccepted>(decision);
  if (accepted.echo) return Upgrade(session, accepted);
  auto handshake =
      std::make_shared<Handshake>(MakeHandshake(head, {.peer = std::move(opening->peer),
                                                       .subprotocol = accepted.subprotocol,
                                                       .tls = session.tls,
                                                       .client_protocol = options_->client_protocol,
                                                       .headers = options_->event_headers,
                                                       .cookies = options_->event_cookies}));
  handshake->forwarded_for = ForwardedFor(head, handshake->peer, options_->trusted_proxies);
  Credentials credentials = TakeCredentials(head, options_->credentials, *handshake);
  const bool comes_back =
      handshake->speaks && sessions_in_store_ != nullptr && !credentials.client_session.empty();
  session.handshake = std::move(handshake);
  std::unique_ptr<ConnectQuestion> question;
  if (backend_ != nullptr && backend_->Decides(head.path)) {
    question = std::make_unique<ConnectQuestion>();
    question->token = std::move(credentials.token);
    question->session = std::move(credentials.session);
  }
  if (comes_back) {
    Hold(session, {.accepted = std::move(accepted), .question = std::move(question)});
    LookForSession(session, credentials.client_session);
  } else if (question == nullptr) {
    Upgrade(session, accepted);
  } else {
    Hold(session, {.accepted = std::move(accepted)});
    Decide(session, std::move(question));
  }
}

void ShardLoop::Upgrade(Session& session, const UpgradeAccepted& accepted) {
  if (!SocketLoop::Write(session, accepted.response)) {
    session.state = Session::State::kLingering;  // the turn may have more for it, its head is gone
    Doom(session);
    return;
  }
  if (accepted.echo) {
    session.state = Session::State::kEcho;
    timers_.Set(session, DueOf(session));
    return;
  }
  session.state = Session::State::kOpen;
  shard_.OnOpen(session);
}

void ShardLoop::Refuse(Session& session, const UpgradeRefused& refused) {
  counters_.Add(Counter::kUpgradesRefused);
  Answer(session, refused.response);
}

void ShardLoop::Answer(Session& session, std::string_view response) {
  session.state = Session::State::kClosing;
  session.peer_done = true;
  session.end_uptime = now_.uptime + options_->close_timeout;
  timers_.Set(session, session.end_uptime);
  if (SocketLoop::Write(session, response)) {
    EndOutput(session);
  } else {
    Doom(session);
  }
}

void ShardLoop::FeedFrames(Session& session, std::string_view& octets) {
  const auto reading = [&] {
    return session.state == Session::State::kOpen || session.state == Session::State::kEcho ||
           (session.state == Session::State::kClosing && !session.peer_done);
  };
  while (reading() && !session.paused) {
    auto event = session.decoder.Next(octets);
    if (!session.decoder.finished() && !MaySend(session)) return;
    if (!event.has_value()) return;
    std::visit([&](auto&& what) { On(session, std::move(what)); }, *std::move(event));
  }
}

void ShardLoop::On(Session& session, FrameDecoder::Message message) {
  if (session.state == Session::State::kOpen) {
    shard_.OnMessage(session, message.opcode, std::move(message.payload));
  } else if (session.state == Session::State::kEcho) {
    counters_.Add(Counter::kMessagesIn);
    if (!shard_.Reply(session, Frame::Make(message.opcode, message.payload))) Doom(session);
  }
}

void ShardLoop::On(Session& session, FrameDecoder::Ping ping) {
  if (session.state == Session::State::kClosing) return;
  // Who sends Pings and does not read the Pongs is a slow consumer of the worst kind.
  if (!shard_.Reply(session, Frame::Make(Opcode::kPong, ping.payload))) Doom(session);
}

// That an octet came keeps it alive; a Pong that nobody asked for says no more.
void ShardLoop::On(Session& session, FrameDecoder::Pong) {
  if (!std::exchange(session.pong_awaited, false)) return;
  const uint32_t round_trip = MicrosecondsOf(now_.uptime) - session.ping_sent_us;
  measures_.Add(Measure::kPing, absl::Microseconds(round_trip));
}

void ShardLoop::On(Session& session, FrameDecoder::Close close) {
  if (session.state == Session::State::kClosing) {  // the answer to ours
    session.peer_done = true;
    WantWrite(session);
    return;
  }
  if (session.state == Session::State::kOpen) {
    shard_.OnClose(session, CloseCause::kClientClosed, {close.code, close.reason});
  }
  CloseWithFrame(session, close.code, {}, true);
}

void ShardLoop::On(Session& session, FrameDecoder::Failure failure) {
  if (session.state == Session::State::kClosing) {
    session.peer_done = true;
    WantWrite(session);
    return;
  }
  counters_.Add(Counter::kClosedProtocolError);
  if (session.state == Session::State::kOpen) {
    shard_.OnClose(session, CloseCause::kProtocolError,
                   {failure.code, std::string(failure.reason)});
  }
  CloseWithFrame(session, failure.code, failure.reason, true);
}

void ShardLoop::CloseWithFrame(Session& session, uint16_t code, std::string_view reason,
                               bool peer_done, absl::Duration retry_after) {
  session.state = Session::State::kClosing;
  session.closing = true;
  session.peer_done = peer_done;
  session.end_uptime = now_.uptime + options_->close_timeout;
  timers_.Set(session, session.end_uptime);
  if (session.paused) Resume(session);  // for the answer to our Close
  // Who closes first needs no advice.
  const bool answers = peer_done && reason.empty();
  const FramePtr frame = Frame::Make(Opcode::kClose, EncodeClosePayload(code, reason));
  if (!answers && session.handshake != nullptr && session.handshake->speaks) {
    // Where there is no room for both, the Close says it in fewer words.
    const FramePtr bye = Frame::Make(Opcode::kText, ByeText(code, reason, retry_after));
    (void)shard_.Reply(session, bye, frame.get());
  }
  if (!shard_.Reply(session, frame)) Doom(session);
}

}  // namespace wsrouter
