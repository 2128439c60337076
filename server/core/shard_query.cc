// Shard's answers to envelopes that ask or end, and change no membership by themselves.
#include "core/shard.h"

namespace wsrouter {

Receipt Shard::OnDisconnect(const Topic& to, const Disconnect& disconnect) {
  if (disconnect.handed_over) return OnHandOver(to, disconnect.close);
  Receipt receipt;
  const auto code = static_cast<CloseCode>(disconnect.close.code);
  const CloseCause cause =
      code == CloseCode::kSuperseded ? CloseCause::kSuperseded : CloseCause::kDisconnected;
  for (Connection* connection : Addressed(to)) {
    ++receipt.matched;
    Close(*connection, cause, code, disconnect.close.reason);
  }
  return receipt;
}

Receipt Shard::OnDescribe(const Topic& to, const Describe& describe) const {
  if (!describe.clients.empty()) return OnDescribeMembers(to, describe);
  Receipt receipt;
  if (!std::holds_alternative<ThisNode>(to)) {  // a connection, or the few of a client
    for (const Connection* connection : Addressed(to)) {
      ++receipt.matched;
      if (describe.after.has_value() && IdOf(*connection) <= *describe.after) continue;
      if (receipt.connections.size() >= describe.count) continue;
      receipt.connections.push_back(Description(*connection));
    }
    return receipt;
  }
  // A page of many: begins where the last one ended, without a look at what is before it.
  const auto& all = registry_.connections();
  receipt.matched = all.size();
  auto next = all.begin();
  if (describe.after.has_value()) {
    const ConnectionId& after = *describe.after;
    const bool here = after.node == node_ && after.shard == index_;
    const ConnectionId before_all = {.node = node_, .shard = index_, .counter = 0};
    next = here ? all.upper_bound(after.counter) : before_all < after ? all.end() : next;
  }
  for (; next != all.end() && receipt.connections.size() < describe.count; ++next) {
    receipt.connections.push_back(Description(*next->second));
  }
  return receipt;
}

Receipt Shard::OnDescribeMembers(const Topic& to, const Describe& describe) const {
  Receipt receipt;
  const auto* room = std::get_if<RoomName>(&to);
  if (room == nullptr) return receipt;
  for (const ClientId& id : describe.clients) {
    const Client* client = registry_.Find(id);
    if (client == nullptr) continue;
    const Connection* last = nullptr;
    for (const Connection* connection : client->connections) {
      if (!Rooms::Has(*connection, *room)) continue;
      if (last == nullptr || connection->counter > last->counter) last = connection;
    }
    if (last == nullptr) continue;
    ++receipt.matched;
    receipt.connections.push_back(Description(*last));
    receipt.connections.back().rooms.clear();
  }
  return receipt;
}

ConnectionDescription Shard::Description(const Connection& connection) const {
  ConnectionDescription description = {
      .id = IdOf(connection),
      .client = connection.client == nullptr ? ClientId{} : connection.client->id,
      .peer = connection.handshake->peer,
      .path = connection.handshake->path,
      .subprotocol = connection.handshake->subprotocol,
      .connected_at = connection.connected_at,
      .expires_at = std::nullopt,
      .rooms = RoomsOf(connection),
      .labels = connection.labels == nullptr ? Labels{} : *connection.labels,
      .outbox_bytes = connection.outbox.bytes(),
      .parked = connection.parked,
  };
  if (connection.expires_at != absl::InfiniteFuture()) {
    description.expires_at = connection.expires_at;
  }
  return description;
}

void Shard::OnAnnouncePending(const AnnouncePending& announce) {
  for (const auto& [counter, connection] : registry_.connections()) {
    if (connection->client != nullptr) continue;
    events_.EmitTo(announce.watcher, {.at = connection->connected_at,
                                      .connection = IdOf(*connection),
                                      .client = {},
                                      .detail = event::Connected{connection->handshake}});
  }
}

}  // namespace wsrouter
