// How the API shows an event.
#include <utility>

#include "control/convert.h"

namespace wsrouter {
namespace {

v1::SlowCause ShownCause(SlowCause cause) {
  switch (cause) {
    case SlowCause::kFull:
      return v1::SLOW_CAUSE_FULL;
    case SlowCause::kRecovered:
      return v1::SLOW_CAUSE_RECOVERED;
    case SlowCause::kAge:
      return v1::SLOW_CAUSE_AGE;
    case SlowCause::kBudget:
      return v1::SLOW_CAUSE_BUDGET;
  }
  return v1::SLOW_CAUSE_UNSPECIFIED;
}

// Fills in the kind and the particulars.
struct Shown {
  v1::Event& proto;

  void operator()(const event::Connected& connected) const {
    proto.set_kind(v1::EVENT_KIND_CONNECTED);
    *proto.mutable_connected() = wsrouter::ToProto(*connected.handshake);
  }
  void operator()(const event::Owned& owned) const {
    proto.set_kind(v1::EVENT_KIND_OWNED);
    v1::Owned& shown = *proto.mutable_owned();
    for (const auto& [key, value] : owned.labels) (*shown.mutable_labels())[key] = value;
    if (owned.expires_at.has_value()) {
      *shown.mutable_expires_at() = wsrouter::ToProto(*owned.expires_at);
    }
  }
  void operator()(const event::Resumed& resumed) const {
    proto.set_kind(v1::EVENT_KIND_RESUMED);
    v1::Resumed& shown = *proto.mutable_resumed();
    shown.set_previous_connection_id(resumed.previous.ToString());
    for (const auto& [key, value] : resumed.labels) (*shown.mutable_labels())[key] = value;
  }
  void operator()(const event::Released&) const {
    proto.set_kind(v1::EVENT_KIND_RELEASED);
    proto.mutable_released();
  }
  void operator()(const event::Message& message) const {
    proto.set_kind(v1::EVENT_KIND_MESSAGE);
    v1::ClientMessage& shown = *proto.mutable_message();
    *shown.mutable_payload() = ToPayload(message.opcode, message.payload);
    for (const RoomName& room : message.rooms) shown.add_rooms(room.value);
    shown.set_room(message.room.value);
  }
  void operator()(const event::Joined& joined) const {
    proto.set_kind(v1::EVENT_KIND_JOINED);
    proto.mutable_joined()->set_room(joined.room.value);
  }
  void operator()(const event::Left& left) const {
    proto.set_kind(v1::EVENT_KIND_LEFT);
    proto.mutable_left()->set_room(left.room.value);
  }
  void operator()(const event::Slow& slow) const {
    proto.set_kind(v1::EVENT_KIND_SLOW);
    proto.mutable_slow()->set_outbox_bytes(slow.outbox_bytes);
    proto.mutable_slow()->set_cause(ShownCause(slow.cause));
    proto.mutable_slow()->set_frames_lost(slow.frames_lost);
  }
  void operator()(const event::Disconnected& end) const {
    proto.set_kind(v1::EVENT_KIND_DISCONNECTED);
    *proto.mutable_disconnected() = wsrouter::ToProto(end);
  }
};

}  // namespace

v1::DisconnectCause ToProto(CloseCause cause) {
  switch (cause) {
    case CloseCause::kClientClosed:
      return v1::DISCONNECT_CAUSE_CLIENT_CLOSED;
    case CloseCause::kConnectionLost:
      return v1::DISCONNECT_CAUSE_CONNECTION_LOST;
    case CloseCause::kProtocolError:
      return v1::DISCONNECT_CAUSE_PROTOCOL_ERROR;
    case CloseCause::kNotAuthenticated:
      return v1::DISCONNECT_CAUSE_NOT_AUTHENTICATED;
    case CloseCause::kExpired:
      return v1::DISCONNECT_CAUSE_EXPIRED;
    case CloseCause::kSlowConsumer:
      return v1::DISCONNECT_CAUSE_SLOW_CONSUMER;
    case CloseCause::kIdle:
      return v1::DISCONNECT_CAUSE_IDLE;
    case CloseCause::kSuperseded:
      return v1::DISCONNECT_CAUSE_SUPERSEDED;
    case CloseCause::kDisconnected:
      return v1::DISCONNECT_CAUSE_DISCONNECTED;
    case CloseCause::kNodeStopping:
      return v1::DISCONNECT_CAUSE_NODE_STOPPING;
    case CloseCause::kRefused:
      return v1::DISCONNECT_CAUSE_REFUSED;
    case CloseCause::kRateLimited:
      return v1::DISCONNECT_CAUSE_RATE_LIMITED;
    case CloseCause::kNodeLost:
      return v1::DISCONNECT_CAUSE_NODE_LOST;
  }
  return v1::DISCONNECT_CAUSE_UNSPECIFIED;
}

v1::Connected ToProto(const Handshake& said) {
  v1::Connected shown;
  shown.set_path(ToUtf8(said.path));
  shown.set_query(ToUtf8(said.query));
  shown.set_peer(said.peer);
  shown.set_subprotocol(ToUtf8(said.subprotocol));
  shown.set_tls(said.tls);
  shown.set_forwarded_for(said.forwarded_for);
  for (const auto& [name, value] : said.headers) {
    (*shown.mutable_headers())[ToUtf8(name)] = ToUtf8(value);
  }
  for (const auto& [name, value] : said.cookies) {
    (*shown.mutable_cookies())[ToUtf8(name)] = ToUtf8(value);
  }
  for (const std::string& offered : said.offered_subprotocols) {
    shown.add_offered_subprotocols(ToUtf8(offered));
  }
  return shown;
}

v1::Disconnected ToProto(const event::Disconnected& end) {
  v1::Disconnected shown;
  shown.set_code(end.close.code);
  shown.set_reason(ToUtf8(end.close.reason));
  shown.set_cause(ToProto(end.cause));
  *shown.mutable_duration() = ToProto(end.duration);
  shown.set_octets_in(end.octets_in);
  shown.set_octets_out(end.octets_out);
  return shown;
}

v1::Event ToProto(const Event& event) {
  v1::Event proto;
  *proto.mutable_at() = ToProto(event.at);
  proto.set_server_id(event.connection.node.server_id);
  proto.set_connection_id(event.connection.ToString());
  proto.set_client_id(event.client.value);
  std::visit(Shown{proto}, event.detail);
  return proto;
}

}  // namespace wsrouter
