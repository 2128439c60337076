#include "tests/support/shard_host.h"

#include "absl/synchronization/notification.h"

namespace wsrouter {

ShardHost::ShardHost(const Parts& parts)
    : mailbox_(parts.mailbox_messages_max,
               [this] {
                 absl::MutexLock lock(&mutex_);
                 awake_ = true;
               }),
      shard_({.node = parts.node,
              .index = parts.index,
              .limits = parts.limits,
              .broker = parts.broker,
              .directory = parts.directory,
              .events = parts.events,
              .transport = *this,
              .mailbox = *this,
              .counters = parts.stats.AddCounters(),
              .gauges = parts.stats.AddGauges(),
              .post =
                  [this](absl::AnyInvocable<void() &&> task) {
                    mailbox_.PostAnswer(Message(std::move(task)));
                  }}),
      thread_([this] { Loop(); }) {
  Run([this] { shard_.Start(); });
}

ShardHost::~ShardHost() {
  Run([this] {
    shard_.Stop();
    stopping_ = true;
  });
  thread_.join();
}

void ShardHost::Loop() {
  std::vector<Message> batch;
  while (!stopping_) {
    {
      absl::MutexLock lock(&mutex_, absl::Condition(&awake_));
      awake_ = false;
    }
    mailbox_.Take(batch);
    shard_.Turn(clock_.Now());
    for (Message& message : batch) {
      if (auto* mail = std::get_if<Mail>(&message)) {
        Shard::Letter letter = {std::move(mail->envelope), std::move(mail->part)};
        shard_.OnEnvelopes({&letter, 1});
      } else {
        std::move(std::get<absl::AnyInvocable<void() &&>>(message))();
      }
    }
    batch.clear();
    Turn();
  }
}

// The end of a loop turn: sockets take what waits for them.
void ShardHost::Turn() {
  for (Socket* socket : std::exchange(want_write_, {})) {
    if (socket->stalled) continue;
    for (const FrameRef& frame : socket->outbox.frames()) {
      socket->got.emplace_back(frame->payload());
    }
    shard_.OnSent(*socket, socket->outbox.bytes());
  }
  shard_.EndTurn();
}

void ShardHost::Run(const std::function<void()>& task) {
  absl::Notification ran;
  mailbox_.PostAnswer(Message([&] {
    task();
    ran.Notify();
  }));
  ran.WaitForNotification();
}

ShardHost::Socket& ShardHost::Find(const ConnectionId& id) { return sockets_.at(id.counter - 1); }

ConnectionId ShardHost::Open(Handshake handshake) {
  ConnectionId id;
  Run([&] {
    Socket& socket = sockets_.emplace_back();
    socket.handshake = std::make_shared<const Handshake>(std::move(handshake));
    shard_.OnOpen(socket);
    id = shard_.IdOf(socket);
  });
  return id;
}

void ShardHost::Say(const ConnectionId& id, Opcode opcode, std::string payload) {
  Run([&] { shard_.OnMessage(Find(id), opcode, std::move(payload)); });
}

void ShardHost::Hang(const ConnectionId& id) {
  Run([&] {
    if (Find(id).closed.has_value()) return;  // the node was faster
    shard_.OnClose(Find(id), CloseCause::kConnectionLost, {.code = 1006});
  });
}

void ShardHost::Stall(const ConnectionId& id) {
  Run([&] { Find(id).stalled = true; });
}

std::vector<std::string> ShardHost::Got(const ConnectionId& id) {
  std::vector<std::string> got;
  Run([&] {
    Turn();  // an earlier task of this turn may have sent something
    got = Find(id).got;
  });
  return got;
}

std::optional<CloseWith> ShardHost::Closed(const ConnectionId& id) {
  std::optional<CloseWith> closed;
  Run([&] { closed = Find(id).closed; });
  return closed;
}

ShardHost::Hold::Hold(ShardHost& host) {
  host.mailbox_.PostAnswer(Message([state = state_] {
    absl::MutexLock lock(&state->mutex);
    state->held = true;
    state->mutex.Await(absl::Condition(&state->released));
  }));
  absl::MutexLock lock(&state_->mutex, absl::Condition(&state_->held));
}

ShardHost::Hold::~Hold() {
  absl::MutexLock lock(&state_->mutex);
  state_->released = true;
}

void ShardHost::AwaitMail() { absl::MutexLock lock(&mutex_, absl::Condition(&awake_)); }

void ShardHost::Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) {
  (void)mailbox_.Post(Mail{std::move(envelope), std::move(part)});
}

void ShardHost::WantWrite(Connection& connection) {
  want_write_.push_back(static_cast<Socket*>(&connection));
}

void ShardHost::Close(Connection& connection, CloseWith close) {
  static_cast<Socket&>(connection).closed = std::move(close);
}

}  // namespace wsrouter
