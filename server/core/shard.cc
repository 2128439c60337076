#include "core/shard.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "core/error.h"

namespace wsrouter {
namespace {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

// Whom a delivery leaves out, looked up once per connection.
class Exceptions {
 public:
  Exceptions(const Deliver& deliver, const NodeIdentity& node, uint16_t shard) {
    for (const ConnectionId& id : deliver.except_connections) {
      if (id.node == node && id.shard == shard) counters_.insert(id.counter);
    }
    for (const ClientId& client : deliver.except_clients) clients_.insert(client);
  }
  bool Has(const Connection& connection) const {
    if (!counters_.empty() && counters_.contains(connection.counter)) return true;
    return !clients_.empty() && connection.client != nullptr &&
           clients_.contains(connection.client->id);
  }

 private:
  absl::flat_hash_set<uint64_t> counters_;
  absl::flat_hash_set<ClientId> clients_;
};

// What an unowned connection may be sent: only what names it (SendToConnection).
bool ReachesUnowned(const Topic& topic) { return std::holds_alternative<ConnectionId>(topic); }

}  // namespace

Shard::Shard(Parts parts)
    : node_(std::move(parts.node)),
      index_(parts.index),
      limits_(parts.limits),
      broker_(parts.broker),
      directory_(parts.directory),
      events_(parts.events),
      transport_(parts.transport),
      mailbox_(parts.mailbox),
      counters_(parts.counters),
      gauges_(parts.gauges),
      post_(parts.post),
      interest_(parts.broker, parts.mailbox, parts.post) {}

void Shard::Start() {
  for (const Topic& topic : {Topic(Inbox{index_}), Topic(Everyone{}), Topic(ThisNode{})}) {
    interest_.Hold(topic);
  }
}

void Shard::Drain(size_t keep) {
  while (connections() > keep) {
    Close(*registry_.connections().begin()->second, CloseCause::kNodeStopping,
          CloseCode::kServiceRestart, "node is stopping");
  }
}

void Shard::Stop() {
  Drain(0);
  for (const Topic& topic : {Topic(Inbox{index_}), Topic(Everyone{}), Topic(ThisNode{})}) {
    interest_.Release(topic);
  }
}

ConnectionId Shard::IdOf(const Connection& connection) const {
  return {.node = node_, .shard = index_, .counter = connection.counter};
}

void Shard::OnOpen(Connection& connection) {
  connection.counter = ++last_counter_;
  connection.connected_at = now_.wall;
  connection.opened_uptime = now_.uptime;
  registry_.Add(connection);
  counters_.Add(Counter::kConnectionsOpened);
  SetDeadline(connection);
  Emit(connection, event::Connected{.handshake = connection.handshake});
}

void Shard::OnMessage(Connection& connection, Opcode opcode, std::string payload) {
  counters_.Add(Counter::kMessagesIn);
  if (!events_.Listening()) {
    counters_.Add(Counter::kMessagesUnheard);
    return;
  }
  Emit(connection, event::Message{.opcode = opcode,
                                  .payload = std::move(payload),
                                  .rooms = RoomsOf(connection)});
}

void Shard::OnDeadline(Connection& connection) {
  if (connection.client == nullptr && connection.own_pending) return;  // the answer re-arms
  if (connection.client == nullptr) {
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
  if (connection.client == nullptr) {
    connection.deadline = now_.uptime + limits_.auth_timeout;
  } else if (connection.expires_at == absl::InfiniteFuture()) {
    connection.deadline = absl::InfiniteDuration();
  } else {
    connection.deadline =
        now_.uptime + std::min(connection.expires_at - now_.wall, kExpiryChecked);
  }
  transport_.Rearm(connection);
}

void Shard::OnClose(Connection& connection, CloseCause cause, CloseWith close) {
  const ClientId client = connection.client == nullptr ? ClientId{} : connection.client->id;
  if (connection.client != nullptr) Disown(connection);
  connection.closing = true;
  registry_.Remove(connection);
  counters_.Add(Counter::kConnectionsClosed);
  EmitAs(client, connection,
         event::Disconnected{.cause = cause,
                             .close = std::move(close),
                             .duration = now_.uptime - connection.opened_uptime,
                             .octets_in = connection.octets_in,
                             .octets_out = connection.octets_out});
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
  counters_.Add(Counter::kBytesOut, octets);
  if (connection.outbox.empty()) connection.slow = false;
}

void Shard::OnGone(Connection& connection) {
  outbox_bytes_ -= connection.outbox.bytes();
  counters_.Add(Counter::kPushesFailed, connection.outbox.messages());
}

bool Shard::Reply(Connection& connection, FramePtr frame) {
  const size_t size = frame->wire().size();
  const auto pushed = connection.outbox.Add(FrameRef(std::move(frame)),
                                            limits_.slow_consumer_bytes + kControlFramesBytesMax);
  if (pushed == Outbox::Push::kFull) return false;
  if (pushed == Outbox::Push::kFirst) transport_.WantWrite(connection);
  outbox_bytes_ += size;
  return true;
}

template <typename Visit>
void Shard::ForEachAddressed(const Topic& topic, Visit visit) const {
  const auto each = [&](const std::vector<Connection*>& connections) {
    for (Connection* connection : connections) visit(*connection);
  };
  const auto all = [&] {
    for (const auto& [counter, connection] : registry_.connections()) visit(*connection);
  };
  std::visit(Overloaded{[&](const ConnectionId& id) {
                          Connection* found = registry_.Find(id.counter);
                          if (found != nullptr && IdOf(*found) == id) visit(*found);
                        },
                        [&](const ClientId& client) {
                          const Client* found = registry_.Find(client);
                          if (found != nullptr) each(found->connections);
                        },
                        [&](const RoomName& room) {
                          const Room* found = rooms_.Find(room);
                          if (found != nullptr) each(found->members);
                        },
                        [&](const Everyone&) { all(); }, [&](const ThisNode&) { all(); },
                        [](const Inbox&) {}, [](const ChannelName&) {}},
             topic);
}

std::vector<Connection*> Shard::Addressed(const Topic& topic) const {
  std::vector<Connection*> addressed;
  ForEachAddressed(topic, [&](Connection& connection) { addressed.push_back(&connection); });
  return addressed;
}

void Shard::OnEnvelope(const Envelope& envelope, ReceiptPart part) {
  const Topic& to = envelope.to;
  std::visit(Overloaded{
                 [&](const Deliver& deliver) { part.Finish(OnDeliver(to, deliver)); },
                 [&](const Own& own) { OnOwn(to, own, std::move(part)); },
                 [&](const Release& release) { part.Finish(OnRelease(to, release)); },
                 [&](const Join& join) { OnJoin(to, join, std::move(part)); },
                 [&](const Leave& leave) { OnLeave(to, leave, std::move(part)); },
                 [&](const Disconnect& end) { part.Finish(OnDisconnect(to, end)); },
                 [&](const Describe& describe) { part.Finish(OnDescribe(to, describe)); },
                 [&](const AnnouncePending& announce) {
                   OnAnnouncePending(announce);
                   part.Finish({});
                 },
                 [&](const ToChannel&) { part.Finish({}); },
             },
             envelope.action);
}

Receipt Shard::OnDeliver(const Topic& to, const Deliver& deliver) {
  const FrameRef frame(deliver.frame);
  const Exceptions exceptions(deliver, node_, index_);
  const SlowConsumerPolicy policy = deliver.slow_consumer.value_or(limits_.slow_consumer_policy);
  Receipt receipt;
  std::vector<Connection*> too_slow;
  bool anybody = false;
  ForEachAddressed(to, [&](Connection& connection) {
    anybody = true;
    if (connection.client == nullptr && !ReachesUnowned(to)) return;
    if (exceptions.Has(connection)) return;
    ++receipt.matched;
    Send(connection, frame, policy, receipt, too_slow);
  });
  if (!anybody && std::holds_alternative<ConnectionId>(to)) {
    counters_.Add(Counter::kPushesToDeadFd);
  }
  counters_.Add(Counter::kPushes, receipt.queued);
  counters_.Add(Counter::kPushesDroppedSlowConsumer, receipt.dropped_slow_consumer);
  for (Connection* connection : too_slow) {
    counters_.Add(Counter::kClosedSlowConsumer);
    const bool raw = connection->handshake->subprotocol.empty();
    outbox_bytes_ -= connection->outbox.bytes();
    counters_.Add(Counter::kPushesFailed, connection->outbox.DropUnsent());
    outbox_bytes_ += connection->outbox.bytes();
    Close(*connection, CloseCause::kSlowConsumer,
          raw ? CloseCode::kTryAgainLater : CloseCode::kSlowConsumer, "reads too slowly");
  }
  return receipt;
}

void Shard::Send(Connection& connection, const FrameRef& frame, SlowConsumerPolicy policy,
                 Receipt& receipt, std::vector<Connection*>& too_slow) {
  switch (connection.outbox.Add(frame, limits_.slow_consumer_bytes)) {
    case Outbox::Push::kFirst:
      transport_.WantWrite(connection);
      [[fallthrough]];
    case Outbox::Push::kQueued:
      outbox_bytes_ += frame->wire().size();
      ++receipt.queued;
      return;
    case Outbox::Push::kFull:
      ++receipt.dropped_slow_consumer;
      if (policy == SlowConsumerPolicy::kDisconnect) too_slow.push_back(&connection);
      if (!std::exchange(connection.slow, true)) {
        Emit(connection, event::Slow{.outbox_bytes = connection.outbox.bytes()});
      }
      return;
  }
}

void Shard::Emit(const Connection& connection, Event::Detail detail) {
  if (!events_.Listening()) return;
  EmitAs(connection.client == nullptr ? ClientId{} : connection.client->id, connection,
         std::move(detail));
}

void Shard::EmitAs(const ClientId& client, const Connection& connection, Event::Detail detail) {
  if (!events_.Listening()) return;
  events_.Emit({.at = now_.wall,
                .connection = IdOf(connection),
                .client = client,
                .detail = std::move(detail)});
}

void Shard::PublishGauges() {
  gauges_.connections.store(registry_.connections().size(), std::memory_order_relaxed);
  gauges_.owned.store(owned_, std::memory_order_relaxed);
  gauges_.rooms.store(rooms_.size(), std::memory_order_relaxed);
  gauges_.members.store(members_, std::memory_order_relaxed);
  gauges_.outbox_bytes.store(outbox_bytes_, std::memory_order_relaxed);
}

}  // namespace wsrouter
