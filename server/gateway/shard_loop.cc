#include "gateway/shard_loop.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wsrouter {
namespace {

// How much of a full mailbox one turn handles before sockets get their turn again: bounds both the
// pause of everybody else and what an outbox gathers before it is written.
constexpr size_t kMessagesPerTurn = 256;

Session& SessionOf(Connection& connection) { return static_cast<Session&>(connection); }

}  // namespace

ShardLoop::ShardLoop(const Parts& parts)
    : options_(parts.options),
      addresses_(parts.addresses),
      pressure_(parts.pressure),
      budget_(parts.budget),
      index_(parts.index),
      frames_rate_(options_->frames_rate, options_->frames_burst),
      backend_(parts.backend),
      sessions_in_store_(parts.limits.resume_window > absl::ZeroDuration() ? parts.sessions
                                                                           : nullptr),
      counters_(parts.counters),
      measures_(parts.measures),
      clock_(parts.clock),
      now_(parts.clock.Now()),
      lag_(options_->loop_lag_max, TimerWheel::kTick, now_.uptime),
      mailbox_(std::make_shared<Mailbox<Message>>(parts.options->mailbox_messages_max,
                                                  [this] { loop_->Wake(); })),
      shard_({.node = parts.node,
              .index = parts.index,
              .limits = parts.limits,
              .broker = parts.broker,
              .directory = parts.directory,
              .events = parts.events,
              .backend = parts.backend,
              .transport = *this,
              .mailbox = *this,
              .counters = parts.counters,
              .gauges = parts.gauges,
              .post = [mailbox = mailbox_](Task task) { mailbox->PostAnswer(std::move(task)); },
              .sessions = parts.sessions,
              .history = parts.history,
              .presence = parts.presence}),
      timers_(now_.uptime),
      backlog_(parts.limits.outbox_age_max),
      last_turn_(absl::ToInt64Nanoseconds(now_.uptime)) {}

ShardLoop::~ShardLoop() {
  if (thread_.joinable()) thread_.join();
  mailbox_->Close();
  messages_.clear();
  loop_.reset();  // while the shard is still there to hear of sockets that it ends
}

absl::Status ShardLoop::Start() {
  absl::Notification started;
  absl::Status status;
  thread_ = std::thread([&] { Run(started, status); });
  started.WaitForNotification();
  return status;
}

void ShardLoop::Run(absl::Notification& started, absl::Status& status) {
  const TlsFiles tls = {options_->tls_cert_file, options_->tls_key_file, {}};
  auto made = SocketLoop::Create(*this, tls);
  status = made.status();
  if (!made.ok()) {
    ended_.Notify();
    started.Notify();
    return;
  }
  loop_ = *std::move(made);
  shard_.Start();
  started.Notify();  // `status` is gone from here on
  loop_->Run();
  ended_.Notify();
}

bool ShardLoop::Offer(NewSocket& socket) {
  sockets_.fetch_add(1, std::memory_order_relaxed);
  Message message(std::move(socket));
  if (mailbox_->Post(std::move(message))) return true;
  sockets_.fetch_sub(1, std::memory_order_relaxed);
  socket = std::get<NewSocket>(std::move(message));
  return false;
}

void ShardLoop::Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) {
  if (!mailbox_->Post(Shard::Letter{std::move(envelope), std::move(part), clock_.Now().uptime})) {
    counters_.Add(Counter::kMailboxFull);
  }
}

void ShardLoop::SetCertificate(std::shared_ptr<const Certificate> certificate) {
  mailbox_->PostAnswer(
      Task([this, certificate = std::move(certificate)] { loop_->SetCertificate(*certificate); }));
}

void ShardLoop::Reload(std::shared_ptr<const GatewayOptions> options, const Limits& limits) {
  mailbox_->PostAnswer(Task([this, options = std::move(options), limits]() mutable {
    options_ = std::move(options);
    frames_rate_ = TokenRate(options_->frames_rate, options_->frames_burst);
    lag_.SetMax(options_->loop_lag_max);
    shard_.SetLimits(limits);
  }));
}

void ShardLoop::OnTurnBegin() {
  now_ = clock_.Now();
  shard_.Turn(now_);
  last_turn_.store(absl::ToInt64Nanoseconds(now_.uptime), std::memory_order_relaxed);
}

void ShardLoop::OnWake() {
  if (next_message_ == messages_.size()) {
    messages_.clear();
    next_message_ = 0;
    mailbox_->Take(messages_);
  }
  const size_t end = std::min(messages_.size(), next_message_ + kMessagesPerTurn);
  while (next_message_ < end) {
    // Moved out, since what a message holds (an answer that somebody waits for) ends with it.
    Message message = std::move(messages_[next_message_++]);
    if (auto* letter = std::get_if<Shard::Letter>(&message)) {
      letters_.push_back(std::move(*letter));
      continue;
    }
    HandOverLetters();  // before what came behind them
    if (auto* task = std::get_if<Task>(&message)) {
      std::move (*task)();
    } else {
      Open(std::move(std::get<NewSocket>(message)));
    }
  }
  HandOverLetters();
  // More has come meanwhile, or is left: another turn, after the sockets had theirs.
  if (next_message_ < messages_.size() || mailbox_->size() > 0) loop_->Wake();
}

void ShardLoop::HandOverLetters() {
  shard_.OnEnvelopes(letters_);
  letters_.clear();
}

void ShardLoop::Open(NewSocket socket) {
  auto session = std::make_unique<Session>(options_->message_bytes_max);
  session->tls = !options_->tls_cert_file.empty();
  session->address = socket.peer.key;
  session->opening = std::make_unique<Session::Opening>();
  session->opening->peer = std::move(socket.peer.text);
  session->opening->half_open = std::move(socket.half_open);
  session->opening->surplus = socket.surplus;
  session->heard_uptime = now_.uptime;
  session->end_uptime = now_.uptime + options_->upgrade_timeout;
  if (stopping_ || !loop_->Adopt(std::move(socket.fd), *session)) {
    addresses_.Leave(session->address);
    sockets_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  timers_.Set(*session, DueOf(*session));
  heads_.push_back(session.get());
  session->opening->listed = {&heads_, {std::prev(heads_.end())}};
  sessions_.insert(session.release());
}

void ShardLoop::OnEnded(Session& session) {
  using enum Session::State;
  if (session.state == kAsking) Unhold(session);
  if (session.state == kOpen || session.state == kOpening) {
    shard_.OnClose(session, CloseCause::kConnectionLost, {.code = 1006, .reason = {}});
  }
  addresses_.Leave(session.address);
  sockets_.fetch_sub(1, std::memory_order_relaxed);
  if (session.parked) return Keep(session);
  Forget(session);
}

void ShardLoop::Keep(Session& session) {
  shard_.Discard(session);
  Unlist(session);
  session.state = Session::State::kParked;
  session.socket = nullptr;
  session.fd = -1;
  session.paused = session.watched = session.backlogged = false;
  session.held = nullptr;
  session.unread = nullptr;
  session.decoder = FrameDecoder(options_->message_bytes_max);
  timers_.Set(session, DueOf(session));
}

void ShardLoop::Forget(Session& session) {
  shard_.OnGone(session);
  timers_.Cancel(session);
  Unlist(session);
  sessions_.erase(&session);
  delete &session;
}

void ShardLoop::Unlist(Session& session) {
  backlog_.Remove(session);
  writes_.Remove(session);
  if (session.doomed_place != Session::kNowhere) doomed_[session.doomed_place] = nullptr;
  session.doomed_place = Session::kNowhere;
}

void ShardLoop::Doom(Session& session) {
  if (session.doomed_place != Session::kNowhere) return;
  session.doomed_place = static_cast<uint32_t>(doomed_.size());
  doomed_.push_back(&session);
}

void ShardLoop::Close(Connection& connection, CloseWith close) {
  Session& session = SessionOf(connection);
  if (session.state == Session::State::kParked) return Doom(session);
  // It was parked until now: its socket is on its way out already.
  if (session.state == Session::State::kClosing) return;
  if (session.state == Session::State::kLingering) return;
  const absl::Duration retry_after = RetryAfter(session, close.code);
  if (session.state == Session::State::kOpening) return Deny(session, close, retry_after);
  CloseWithFrame(session, close.code, close.reason, false, retry_after);
}

void ShardLoop::Rearm(Connection& connection) {
  Session& session = SessionOf(connection);
  timers_.Set(session, DueOf(session));
}

}  // namespace wsrouter
