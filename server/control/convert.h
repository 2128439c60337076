#ifndef WSROUTER_CONTROL_CONVERT_H_
#define WSROUTER_CONTROL_CONVERT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/directory.h"
#include "core/event.h"
#include "core/event_log.h"
#include "core/frame.h"
#include "core/ids.h"
#include "core/receipt.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "wsrouter/v1/events.pb.h"

namespace wsrouter {

// From the core's types to what the API shows.

google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);
// Whether a part of those who were addressed could not be asked.
bool IsPartial(const Receipt& receipt);
v1::Outcome ToProto(const Receipt& receipt);
v1::ConnectionInfo ToProto(const ConnectionDescription& connection);
v1::Connected ToProto(const Handshake& said);
v1::Disconnected ToProto(const event::Disconnected& end);
v1::Event ToProto(const Event& event);
v1::DisconnectCause ToProto(CloseCause cause);
v1::LogEntry ToProto(const LogEntry& entry);
v1::Payload ToPayload(Opcode opcode, std::string_view octets);
std::string ToProto(const NodeIdentity& node);  // the incarnation

// `text` with U+FFFD for every octet that belongs to no UTF-8 sequence: a string field that is
// not UTF-8 would make the whole message unreadable.
std::string ToUtf8(std::string_view text);

// What became of the room, seen from outside: a join that a Leave or Release withdrew before it was
// live (CANCELLED) has refused nobody.
RoomChange::Result ResultOf(const RoomChange& change);

// One row for each of `rooms`, in their order, out of the changes of all connections in question.
// A room that nothing is known of was left by nobody.
std::vector<v1::RoomResult> FoldRooms(const std::vector<RoomName>& rooms,
                                      const std::vector<RoomChange>& changes);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CONVERT_H_
