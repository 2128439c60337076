// Clients of wsrouter.v1.json that want to hear who is in a room.
#include <algorithm>

#include "core/client_protocol.h"
#include "core/error.h"
#include "core/shard.h"

namespace wsrouter {

void Shard::OnClientPresence(Connection& connection, const client_frame::Presence& presence) {
  absl::Status refusal;
  if (!presence.on) {
    presence_.TurnOff(connection, presence.room);
  } else if (connection.client == nullptr) {
    refusal = ConnectionNotOwned();
  } else if (!Rooms::Has(connection, presence.room)) {
    refusal = Refusal(absl::StatusCode::kPermissionDenied, "NOT_A_MEMBER",
                      "the connection is not in this room");
  } else {
    refusal = presence_.TurnOn(connection, presence.room);
  }
  if (!refusal.ok()) return SayError(connection, presence.id, refusal);
  if (!presence.id.empty()) Say(connection, AckText(presence.id));
}

bool Shard::QueuePresence(Connection& connection, const FrameRef& frame) {
  const size_t octets = frame->wire().size();
  // An empty outbox takes any, or a room with long names would never be told.
  const size_t bytes_max = connection.outbox.empty()
                               ? std::max(limits_.slow_consumer_bytes, octets + kFrameOverheadBytes)
                               : limits_.slow_consumer_bytes;
  return !connection.closing && Queue(connection, frame, bytes_max);
}

}  // namespace wsrouter
