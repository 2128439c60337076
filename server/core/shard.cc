#include "core/shard.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "core/error.h"
#include "core/shard_recovery.h"

namespace wsrouter {

Shard::Shard(Parts parts)
    : node_(std::move(parts.node)),
      index_(parts.index),
      limits_(parts.limits),
      broker_(parts.broker),
      directory_(parts.directory),
      events_(parts.events),
      backend_(parts.backend),
      transport_(parts.transport),
      mailbox_(parts.mailbox),
      counters_(parts.counters),
      gauges_(parts.gauges),
      post_(parts.post),
      book_(parts.limits.resume_window > absl::ZeroDuration() ? parts.sessions : nullptr, node_,
            index_),
      interest_(parts.broker, parts.mailbox, parts.post),
      recovery_(std::make_unique<Recovery>(*this, parts.history)),
      presence_(parts.presence, parts.index, parts.post, parts.counters,
                [this](Connection& connection, const FrameRef& frame) {
                  return QueuePresence(connection, frame);
                }) {}

Shard::~Shard() = default;

void Shard::Start() {
  for (const Topic& topic : {Topic(Inbox{index_}), Topic(Everyone{}), Topic(ThisNode{})}) {
    interest_.Hold(topic);
  }
}

void Shard::Drain(size_t keep) {
  while (connections() > keep) {
    auto oldest = registry_.connections().lower_bound(drained_to_);
    while (oldest->second->parked) ++oldest;
    drained_to_ = oldest->first;
    Close(*oldest->second, CloseCause::kNodeStopping, CloseCode::kServiceRestart,
          "node is stopping");
  }
}

void Shard::Stop() {
  PutSessions();
  book_.Stop();
  Drain(0);
  while (!book_.parked.empty()) {
    Close(*registry_.Find(book_.parked.begin()->first), CloseCause::kNodeStopping,
          CloseCode::kServiceRestart, "node is stopping");
  }
  for (auto& [counter, tell] : std::exchange(ends_untold_, {})) std::move(tell)();
  for (const Topic& topic : {Topic(Inbox{index_}), Topic(Everyone{}), Topic(ThisNode{})}) {
    interest_.Release(topic);
  }
}

ConnectionId Shard::IdOf(const Connection& connection) const {
  return {.node = node_, .shard = index_, .counter = connection.counter};
}

void Shard::OnOpen(Connection& connection) {
  Begin(connection);
  Welcome(connection, {});
}

void Shard::Begin(Connection& connection) {
  Reserve(connection);
  connection.speaks = connection.handshake->speaks;
  connection.connected_at = now_.wall;
  connection.opened_uptime = now_.uptime;
  registry_.Add(connection);
  drained_to_ = std::min(drained_to_, connection.counter);
  counters_.Add(Counter::kConnectionsOpened);
  SetDeadline(connection);
  Emit(connection, event::Connected{.handshake = connection.handshake});
}

void Shard::OnMessage(Connection& connection, Opcode opcode, std::string payload) {
  counters_.Add(Counter::kMessagesIn);
  if (connection.speaks) return OnFrame(connection, opcode, payload);
  Hear(connection, {.opcode = opcode, .payload = std::move(payload)});
}

bool Shard::Hear(Connection& connection, client_frame::Message message) {
  const bool asked = backend_ != nullptr && backend_->Hears(connection.handshake->path);
  const bool watched = events_.Wants(kEventKind<event::Message>);
  if (!asked && !watched) counters_.Add(Counter::kMessagesUnheard);
  if (watched) {
    Emit(connection, event::Message{.opcode = message.opcode,
                                    .payload = asked ? message.payload : std::move(message.payload),
                                    .rooms = RoomsOf(connection),
                                    .room = message.room});
  }
  if (asked) Ask(connection, std::move(message));
  return asked || watched;
}

void Shard::OnDeadline(Connection& connection) {
  if (connection.parked) {
    EndParked(connection);
  } else if (connection.client == nullptr && connection.own_pending) {
    connection.deadline =
        now_.uptime + absl::Seconds(1);  // whatever the directory says comes first
  } else if (connection.client == nullptr) {
    counters_.Add(Counter::kClosedNotAuthenticated);
    Close(connection, CloseCause::kNotAuthenticated, CloseCode::kNotAuthenticated,
          "nobody owned this connection in time");
  } else if (now_.wall >= connection.expires_at) {
    counters_.Add(Counter::kClosedExpired);
    Close(connection, CloseCause::kExpired, CloseCode::kExpired, "credentials have expired");
  } else {
    SetDeadline(connection);  // not yet, by the wall clock
  }
}

void Shard::SetDeadline(Connection& connection) {
  // How long a jump of the wall clock can go unnoticed.
  constexpr absl::Duration kExpiryChecked = absl::Minutes(1);
  if (connection.parked) return;
  if (connection.client == nullptr) {
    connection.deadline = now_.uptime + limits_.auth_timeout;
  } else if (connection.expires_at == absl::InfiniteFuture()) {
    connection.deadline = absl::InfiniteDuration();
  } else {
    connection.deadline = now_.uptime + std::min(connection.expires_at - now_.wall, kExpiryChecked);
  }
  transport_.Rearm(connection);
}

void Shard::OnClose(Connection& connection, CloseCause cause, CloseWith close) {
  if (MayPark(connection, cause, close)) return Park(connection, cause, std::move(close));
  if (!std::exchange(connection.parked, false)) counters_.Add(Counter::kConnectionsClosed);
  book_.parked.erase(connection.counter);
  book_.End(connection.counter);
  const ClientId client = connection.client == nullptr ? ClientId{} : connection.client->id;
  connection.closing = true;
  if (connection.client != nullptr) {
    Disown(connection, {.gone = true, .cause = cause, .code = close.code});
  }
  registry_.Remove(connection);
  if (connection.slow) losses_.erase(connection.counter);
  event::Disconnected detail = {.cause = cause,
                                .close = std::move(close),
                                .duration = now_.uptime - connection.opened_uptime,
                                .octets_in = connection.octets_in,
                                .octets_out = connection.octets_out};
  if (backend_ != nullptr) {
    CancelJoin(connection);
    TellEnd(client, connection, detail);
  }
  EmitAs(client, connection, std::move(detail));
  book_.quiet.erase(connection.counter);
  book_.arrivals.erase(connection.counter);
}

void Shard::Close(Connection& connection, CloseCause cause, CloseCode code,
                  std::string_view reason) {
  const CloseWith close = {static_cast<uint16_t>(code), std::string(reason)};
  OnClose(connection, cause, close);
  transport_.Close(connection, close);
}

void Shard::OnSent(Connection& connection, size_t octets) {
  connection.outbox.Consume(octets);
  connection.octets_out += octets;
  outbox_bytes_ -= octets;
  turn_bytes_out_ += octets;
  if (!connection.outbox.empty()) return;
  if (connection.slow) Recover(connection);
  if (connection.held && connection.outbox.empty()) recovery_->OnDrained(connection);
}

void Shard::OnGone(Connection& connection) { Discard(connection); }

void Shard::Discard(Connection& connection) {
  outbox_bytes_ -= connection.outbox.bytes();
  counters_.Add(Counter::kPushesFailed, connection.outbox.messages());
  connection.outbox = {};
}

bool Shard::Reply(Connection& connection, FramePtr frame, const Frame* behind) {
  const size_t kept = behind == nullptr ? 0 : behind->wire().size() + kFrameOverheadBytes;
  return Queue(connection, FrameRef(std::move(frame)),
               limits_.slow_consumer_bytes + kControlFramesBytesMax - kept);
}

bool Shard::Queue(Connection& connection, const FrameRef& frame, size_t bytes_max) {
  const auto queued = connection.outbox.Add(frame, bytes_max);
  if (queued == Outbox::Push::kFull) return false;
  if (queued == Outbox::Push::kFirst) transport_.WantWrite(connection);
  outbox_bytes_ += frame->wire().size();
  ++connection.not_pushes;
  return true;
}

void Shard::OnEnvelopes(std::span<Letter> letters) {
  while (!letters.empty()) {
    const size_t pushes = PushesToOneTopic(letters);
    if (pushes > 0) {
      OnDeliver(letters.first(pushes));
    } else {
      OnOther(letters.front());
    }
    letters = letters.subspan(std::max<size_t>(pushes, 1));
  }
}

void Shard::OnOther(Letter& letter) {
  const Topic& to = letter.envelope->to;
  ReceiptPart& part = letter.part;
  std::visit(Overloaded{
                 [&](const Deliver&) {},
                 [&](const Own& own) { OnOwn(to, own, std::move(part)); },
                 [&](const Release& release) { part.Finish(OnRelease(to, release)); },
                 [&](const Join& join) { OnJoin(to, join, std::move(part)); },
                 [&](const Leave& leave) { OnLeave(to, leave, std::move(part)); },
                 [&](const Disconnect& end) { part.Finish(OnDisconnect(to, end)); },
                 [&](const Describe& describe) { part.Finish(OnDescribe(to, describe)); },
                 [&](const Reassert&) { OnReassert(std::move(part)); },
                 [&](const AnnouncePending& announce) {
                   OnAnnouncePending(announce);
                   part.Finish({});
                 },
                 [&](const ToChannel&) { part.Finish({}); },
             },
             letter.envelope->action);
}

void Shard::Emit(const Connection& connection, Event::Detail detail) {
  if (!events_.Wants(detail.index())) return;
  EmitAs(connection.client == nullptr ? ClientId{} : connection.client->id, connection,
         std::move(detail));
}

void Shard::EmitAs(const ClientId& client, const Connection& connection, Event::Detail detail) {
  if (!events_.Wants(detail.index()) || book_.quiet.contains(connection.counter)) return;
  events_.Emit({.at = now_.wall,
                .connection = IdOf(connection),
                .client = client,
                .detail = std::move(detail)});
}

void Shard::EndTurn() {
  for (auto& [part, receipt] : answers_) part.Finish(std::move(receipt));
  answers_.clear();
  delivered_.clear();
  PutSessions();
  book_.EndSpares(now_.uptime);
  recovery_->EndTurn();
  presence_.EndTurn(now_.uptime);
  if (!dismissed_.empty() && now_.uptime >= dismissed_due_) {
    dismissed_due_ = now_.uptime + absl::Milliseconds(100);
    for (const auto& [other, why, by] : std::exchange(dismissed_, {})) Dismiss(other, why, by);
  }
  counters_.Add(Counter::kBytesOut, std::exchange(turn_bytes_out_, 0));
  gauges_.connections.store(connections(), std::memory_order_relaxed);
  gauges_.parked.store(book_.parked.size(), std::memory_order_relaxed);
  gauges_.owned.store(owned_, std::memory_order_relaxed);
  gauges_.rooms.store(rooms_.size(), std::memory_order_relaxed);
  gauges_.members.store(members_, std::memory_order_relaxed);
  gauges_.outbox_bytes.store(outbox_bytes_, std::memory_order_relaxed);
}

}  // namespace wsrouter
