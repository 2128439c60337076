// Receipts on the wire; envelopes are in envelope_codec.cc.
#include "core/limits.h"
#include "engine/envelope_codec.h"
#include "engine/wire_values.h"

namespace wsrouter {
namespace {

using Result = RoomChange::Result;

constexpr WireEnum<Result, wire::RoomResult, 5> kRoomResults = {{
    {Result::kJoined, wire::ROOM_RESULT_JOINED},
    {Result::kAlreadyMember, wire::ROOM_RESULT_ALREADY_MEMBER},
    {Result::kLeft, wire::ROOM_RESULT_LEFT},
    {Result::kNotAMember, wire::ROOM_RESULT_NOT_A_MEMBER},
    {Result::kRefused, wire::ROOM_RESULT_REFUSED},
}};

// A receipt has a change for each room and each connection of the client.
constexpr int kRoomChangesMax = 1'000'000;
constexpr int kDescriptionsMax = int{kPageMax} * int{kShardsMax};

void WriteRoomChange(const RoomChange& change, wire::RoomChange* to) {
  to->set_room(change.room.value);
  to->set_result(ToWire(kRoomResults, change.result));
  if (!change.refusal.ok()) WriteStatus(change.refusal, to->mutable_refusal());
  to->set_members(change.members);
  to->set_connections(change.connections);
}

void WriteDescription(const ConnectionDescription& description, wire::Description* to) {
  WriteConnection(description.id, to->mutable_id());
  to->set_client(description.client.value);
  to->set_peer(description.peer);
  to->set_path(description.path);
  to->set_subprotocol(description.subprotocol);
  WriteTime(description.connected_at, to->mutable_connected_at());
  if (description.expires_at.has_value()) {
    WriteTime(*description.expires_at, to->mutable_expires_at());
  }
  WriteRooms(description.rooms, to->mutable_rooms());
  WriteLabels(description.labels, to->mutable_labels());
  to->set_outbox_bytes(description.outbox_bytes);
  to->set_parked(description.parked);
}

RoomChange ReadRoomChange(WireReader& reader, const wire::RoomChange& from) {
  RoomChange change = {.room = reader.ReadName<RoomName>("rooms.room", from.room()),
                       .result = reader.ReadEnum("rooms.result", kRoomResults, from.result()),
                       .members = from.members(),
                       .connections = from.connections()};
  if (from.has_refusal()) change.refusal = reader.ReadStatus("rooms.refusal", from.refusal());
  return change;
}

ConnectionDescription ReadDescription(WireReader& reader, const wire::Description& from) {
  ConnectionDescription description = {
      .id = reader.ReadConnection("connections.id", from.id()),
      .client = {},
      .peer = from.peer(),
      .path = from.path(),
      .subprotocol = from.subprotocol(),
      .connected_at = reader.ReadTime("connections.connected_at", from.connected_at()),
      .expires_at = std::nullopt,
      .rooms = reader.ReadRooms("connections.rooms", from.rooms()),
      .labels = reader.ReadLabels(from.labels()),
      .outbox_bytes = from.outbox_bytes(),
      .parked = from.parked(),
  };
  if (!from.client().empty()) {
    description.client = reader.ReadName<ClientId>("connections.client", from.client());
  }
  if (from.has_expires_at()) {
    description.expires_at = reader.ReadTime("connections.expires_at", from.expires_at());
  }
  return description;
}

Receipt ReadReceipt(WireReader& reader, const wire::Receipt& from) {
  Receipt receipt = {.partial = from.partial(),
                     .nodes = from.nodes(),
                     .matched = from.matched(),
                     .queued = from.queued(),
                     .dropped_slow_consumer = from.dropped_slow_consumer(),
                     .dropped_mailbox_full = from.dropped_mailbox_full()};
  if (from.has_status()) receipt.status = reader.ReadStatus("status", from.status());
  reader.Require(from.rooms_size() <= kRoomChangesMax, "rooms", "has too many entries");
  reader.Require(from.displaced_size() <= kWireNamesMax, "displaced", "has too many entries");
  reader.Require(from.connections_size() <= kDescriptionsMax, "connections",
                 "has too many entries");
  for (int i = 0; i < from.rooms_size() && reader.ok(); ++i) {
    receipt.rooms.push_back(ReadRoomChange(reader, from.rooms(i)));
  }
  for (int i = 0; i < from.displaced_size() && reader.ok(); ++i) {
    receipt.displaced.push_back(reader.ReadConnection("displaced", from.displaced(i)));
  }
  for (int i = 0; i < from.connections_size() && reader.ok(); ++i) {
    receipt.connections.push_back(ReadDescription(reader, from.connections(i)));
  }
  return receipt;
}

}  // namespace

std::string EncodeReceipt(const WireReceipt& wire) {
  const Receipt& receipt = wire.receipt;
  wire::Receipt message;
  message.set_request(wire.request);
  if (!receipt.status.ok()) WriteStatus(receipt.status, message.mutable_status());
  message.set_partial(receipt.partial);
  message.set_nodes(receipt.nodes);
  message.set_matched(receipt.matched);
  message.set_queued(receipt.queued);
  message.set_dropped_slow_consumer(receipt.dropped_slow_consumer);
  message.set_dropped_mailbox_full(receipt.dropped_mailbox_full);
  for (const RoomChange& change : receipt.rooms) WriteRoomChange(change, message.add_rooms());
  for (const ConnectionId& id : receipt.displaced) WriteConnection(id, message.add_displaced());
  for (const ConnectionDescription& description : receipt.connections) {
    WriteDescription(description, message.add_connections());
  }
  return message.SerializeAsString();
}

absl::StatusOr<WireReceipt> DecodeReceipt(std::string_view octets) {
  wire::Receipt message;
  if (octets.size() > INT32_MAX ||
      !message.ParseFromArray(octets.data(), static_cast<int>(octets.size()))) {
    return absl::InvalidArgumentError("the receipt is not a message of wire.proto");
  }
  WireReader reader("receipt");
  WireReceipt wire = {.request = message.request(), .receipt = ReadReceipt(reader, message)};
  if (!reader.ok()) return reader.status();
  return wire;
}

}  // namespace wsrouter
