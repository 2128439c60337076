// Shard's answers to envelopes that ask or end, and change no membership by themselves.
#include <algorithm>

#include "core/shard.h"

namespace wsrouter {

Receipt Shard::OnDisconnect(const Topic& to, const Disconnect& disconnect) {
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
  Receipt receipt;
  std::vector<Connection*> addressed = Addressed(to);
  std::ranges::sort(addressed, {}, &Connection::counter);
  for (const Connection* connection : addressed) {
    ++receipt.matched;
    if (receipt.connections.size() >= describe.count) continue;
    if (describe.after.has_value() && IdOf(*connection) <= *describe.after) continue;
    receipt.connections.push_back(Description(*connection));
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
