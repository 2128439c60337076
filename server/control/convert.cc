#include "control/convert.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "base/utf8.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

using Result = RoomChange::Result;

v1::MembershipResult ToProto(Result result) {
  switch (result) {
    case Result::kJoined:
      return v1::MEMBERSHIP_RESULT_JOINED;
    case Result::kAlreadyMember:
      return v1::MEMBERSHIP_RESULT_ALREADY_MEMBER;
    case Result::kLeft:
      return v1::MEMBERSHIP_RESULT_LEFT;
    case Result::kNotAMember:
      return v1::MEMBERSHIP_RESULT_NOT_A_MEMBER;
    case Result::kRefused:
      break;
  }
  return v1::MEMBERSHIP_RESULT_REFUSED;
}

// Which of two results a room shows when its connections differ: a refusal before anything, a
// change before none.
int Weight(v1::MembershipResult result) {
  switch (result) {
    case v1::MEMBERSHIP_RESULT_REFUSED:
      return 3;
    case v1::MEMBERSHIP_RESULT_JOINED:
    case v1::MEMBERSHIP_RESULT_LEFT:
      return 2;
    case v1::MEMBERSHIP_RESULT_ALREADY_MEMBER:
      return 1;
    default:
      return 0;
  }
}

void Fold(const RoomChange& change, v1::RoomResult& row) {
  const v1::MembershipResult result = ToProto(ResultOf(change));
  const bool changed = change.result == Result::kJoined || change.result == Result::kLeft;
  if (changed) row.set_changed(row.changed() + 1);
  if (result == v1::MEMBERSHIP_RESULT_REFUSED && row.reason().empty()) {
    const std::string reason = ReasonOf(change.refusal);
    row.set_reason(reason.empty() ? "INTERNAL" : reason);
  }
  if (changed || change.result == Result::kAlreadyMember) {
    // The size after the last change: the largest after joins, the smallest after leaves.
    const bool later = change.result == Result::kLeft
                           ? row.changed() == 1 || change.connections < row.connections()
                           : change.connections >= row.connections();
    if (later) {
      row.set_members(change.members);
      row.set_connections(change.connections);
    }
  }
  if (Weight(result) > Weight(row.result())) row.set_result(result);
}

}  // namespace

Result ResultOf(const RoomChange& change) {
  const bool withdrawn = change.result == Result::kRefused && absl::IsCancelled(change.refusal);
  return withdrawn ? Result::kNotAMember : change.result;
}

std::vector<v1::RoomResult> FoldRooms(const std::vector<RoomName>& rooms,
                                      const std::vector<RoomChange>& changes) {
  std::vector<v1::RoomResult> rows(rooms.size());
  absl::flat_hash_map<RoomName, v1::RoomResult*> by_name;
  for (size_t i = 0; i < rooms.size(); ++i) {
    rows[i].set_room(rooms[i].value);
    rows[i].set_result(v1::MEMBERSHIP_RESULT_NOT_A_MEMBER);
    by_name[rooms[i]] = &rows[i];
  }
  for (const RoomChange& change : changes) {
    const auto found = by_name.find(change.room);
    if (found != by_name.end()) Fold(change, *found->second);
  }
  for (v1::RoomResult& row : rows) {
    if (row.result() != v1::MEMBERSHIP_RESULT_REFUSED) continue;
    row.clear_members();
    row.clear_connections();
  }
  return rows;
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const timespec parts = absl::ToTimespec(time);
  timestamp.set_seconds(parts.tv_sec);
  timestamp.set_nanos(static_cast<int32_t>(parts.tv_nsec));
  return timestamp;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return proto;
}

bool IsPartial(const Receipt& receipt) {
  return receipt.partial || receipt.dropped_mailbox_full > 0;
}

v1::Outcome ToProto(const Receipt& receipt) {
  v1::Outcome outcome;
  outcome.set_nodes(receipt.nodes);
  outcome.set_matched(receipt.matched);
  outcome.set_queued(receipt.queued);
  outcome.set_dropped_slow_consumer(receipt.dropped_slow_consumer);
  outcome.set_dropped_mailbox_full(receipt.dropped_mailbox_full);
  outcome.set_partial(IsPartial(receipt));
  return outcome;
}

v1::ConnectionInfo ToProto(const ConnectionDescription& connection) {
  v1::ConnectionInfo info;
  info.set_connection_id(connection.id.ToString());
  info.set_client_id(connection.client.value);
  info.set_server_id(connection.id.node.server_id);
  info.set_peer(connection.peer);
  info.set_path(ToUtf8(connection.path));
  info.set_subprotocol(ToUtf8(connection.subprotocol));
  *info.mutable_connected_at() = ToProto(connection.connected_at);
  for (const RoomName& room : connection.rooms) info.add_rooms(room.value);
  for (const auto& [key, value] : connection.labels) (*info.mutable_labels())[key] = value;
  info.set_outbox_bytes(connection.outbox_bytes);
  info.set_parked(connection.parked);
  if (connection.expires_at.has_value()) {
    *info.mutable_expires_at() = ToProto(*connection.expires_at);
  }
  return info;
}

v1::Payload ToPayload(Opcode opcode, std::string_view octets) {
  v1::Payload payload;
  if (opcode == Opcode::kText) {
    payload.set_text(std::string(octets));
  } else {
    payload.set_binary(std::string(octets));
  }
  return payload;
}

std::string ToProto(const NodeIdentity& node) { return fmt::format("{:016x}", node.incarnation); }

std::string ToUtf8(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string mended;
  mended.reserve(text.size());
  while (!text.empty()) {
    const size_t size = Utf8Sequence(text);
    mended += size == 0 ? kReplacement : text.substr(0, size);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return mended;
}

}  // namespace wsrouter
