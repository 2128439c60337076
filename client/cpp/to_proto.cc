#include "to_proto.h"

#include <cstdint>
#include <string>
#include <vector>

namespace wsrouter::client {
namespace {

using ProtoStrings = google::protobuf::RepeatedPtrField<std::string>;

void Set(const std::vector<std::string>& from, ProtoStrings& to) {
  to.Assign(from.begin(), from.end());
}

void Set(const Delivery& from, v1::DeliveryOptions& to) {
  to.set_slow_consumer(from.slow_consumer);
  to.set_wait(from.wait);
}

void Set(absl::Time from, google::protobuf::Timestamp& to) {
  const int64_t seconds = absl::ToUnixSeconds(from);
  to.set_seconds(seconds);
  to.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(from - absl::FromUnixSeconds(seconds))));
}

}  // namespace

v1::Payload ToProto(const Payload& payload) {
  v1::Payload message;
  if (payload.binary) {
    message.set_binary(payload.octets);
  } else {
    message.set_text(payload.octets);
  }
  return message;
}

v1::OwnRequest ToProto(const OwnRequest& request) {
  v1::OwnRequest message;
  message.set_connection_id(request.connection_id);
  message.set_client_id(request.client_id);
  message.set_on_duplicate(request.on_duplicate);
  Set(request.rooms, *message.mutable_rooms());
  message.mutable_labels()->insert(request.labels.begin(), request.labels.end());
  if (request.expires_at) Set(*request.expires_at, *message.mutable_expires_at());
  return message;
}

v1::PushRequest ToProto(const PushRequest& request) {
  v1::PushRequest message;
  Set(request.rooms, *message.mutable_rooms());
  *message.mutable_payload() = ToProto(request.payload);
  message.set_from_client_id(request.from_client_id);
  Set(request.except_connection_ids, *message.mutable_except_connection_ids());
  Set(request.except_client_ids, *message.mutable_except_client_ids());
  Set(request.delivery, *message.mutable_options());
  message.set_reliable(request.reliable);
  message.set_idempotency_key(request.idempotency_key);
  message.set_version(request.version);
  message.set_version_epoch(request.version_epoch);
  return message;
}

v1::PushAllRequest ToProto(const PushAllRequest& request) {
  v1::PushAllRequest message;
  *message.mutable_payload() = ToProto(request.payload);
  Set(request.except_connection_ids, *message.mutable_except_connection_ids());
  Set(request.except_client_ids, *message.mutable_except_client_ids());
  Set(request.delivery, *message.mutable_options());
  return message;
}

v1::SendToClientRequest ToProto(const SendToClientRequest& request) {
  v1::SendToClientRequest message;
  message.set_client_id(request.client_id);
  *message.mutable_payload() = ToProto(request.payload);
  message.set_from_client_id(request.from_client_id);
  Set(request.delivery, *message.mutable_options());
  return message;
}

v1::SendToConnectionRequest ToProto(const SendToConnectionRequest& request) {
  v1::SendToConnectionRequest message;
  message.set_connection_id(request.connection_id);
  *message.mutable_payload() = ToProto(request.payload);
  Set(request.delivery, *message.mutable_options());
  return message;
}

v1::WatchRequest ToProto(const WatchRequest& request) {
  v1::WatchRequest message;
  for (const v1::EventKind kind : request.kinds) message.add_kinds(kind);
  Set(request.rooms, *message.mutable_rooms());
  Set(request.client_ids, *message.mutable_client_ids());
  message.set_include_messages(request.include_messages);
  message.set_include_pending(request.include_pending);
  return message;
}

v1::ConsumeRequest ToProto(const ConsumeRequest& request) {
  v1::ConsumeRequest message;
  v1::Consumption& open = *message.mutable_open();
  open.set_group(request.group);
  open.set_consumer(request.consumer);
  for (const v1::LogKind kind : request.kinds) open.add_kinds(kind);
  open.set_credits(request.in_hand);
  if (request.visibility) *open.mutable_visibility() = ToProto(*request.visibility);
  open.set_from_start(request.from_start);
  return message;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration message;
  message.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  message.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return message;
}

void SetTarget(const Target& whom, v1::DisconnectRequest& request) {
  if (const auto* connection = std::get_if<ConnectionId>(&whom)) {
    request.set_connection_id(connection->value);
  } else if (const auto* client = std::get_if<ClientId>(&whom)) {
    request.set_client_id(client->value);
  } else {
    request.set_room(std::get<RoomName>(whom).value);
  }
}

}  // namespace wsrouter::client
