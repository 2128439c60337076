// How the API shows what is in the event log.
#include "control/convert.h"

namespace wsrouter {
namespace {

v1::LogKind ToProto(LogKind kind) {
  switch (kind) {
    case LogKind::kConnected:
      return v1::LOG_KIND_CONNECTED;
    case LogKind::kReleased:
      return v1::LOG_KIND_RELEASED;
    case LogKind::kDisconnected:
      return v1::LOG_KIND_DISCONNECTED;
    case LogKind::kJoined:
      return v1::LOG_KIND_JOINED;
    case LogKind::kLeft:
      return v1::LOG_KIND_LEFT;
    case LogKind::kOccupied:
      return v1::LOG_KIND_ROOM_OCCUPIED;
    case LogKind::kVacated:
      return v1::LOG_KIND_ROOM_VACATED;
    case LogKind::kSlow:
      return v1::LOG_KIND_SLOW;
    case LogKind::kResumed:
      return v1::LOG_KIND_RESUMED;
    case LogKind::kMessage:
      return v1::LOG_KIND_ROOM_MESSAGE;
  }
  return v1::LOG_KIND_UNSPECIFIED;
}

}  // namespace

v1::LogEntry ToProto(const LogEntry& entry) {
  v1::LogEntry shown;
  shown.set_id(entry.id);
  shown.set_kind(ToProto(entry.kind));
  *shown.mutable_at() = ToProto(entry.at);
  if (entry.kind != LogKind::kMessage) {
    shown.set_server_id(entry.connection.node.server_id);
    shown.set_connection_id(entry.connection.ToString());
  }
  shown.set_client_id(entry.client.value);
  shown.set_room(entry.room.value);
  if (entry.ending.cause.has_value()) shown.set_cause(ToProto(*entry.ending.cause));
  shown.set_code(entry.ending.code);
  if (entry.previous.has_value()) shown.set_previous_connection_id(entry.previous->ToString());
  shown.mutable_labels()->insert(entry.labels.begin(), entry.labels.end());
  shown.set_offset(entry.position.offset);
  shown.set_epoch(entry.position.epoch);
  return shown;
}

}  // namespace wsrouter
