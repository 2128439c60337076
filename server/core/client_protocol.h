#ifndef WSROUTER_CORE_CLIENT_PROTOCOL_H_
#define WSROUTER_CORE_CLIENT_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/envelope.h"
#include "core/frame.h"
#include "core/ids.h"

namespace wsrouter {

// The subprotocol in which clients say more than payloads: JSON texts, each an object with one
// member that names its kind. proto/wsrouter/v1/client.proto is the reference.
inline constexpr std::string_view kClientProtocol = "wsrouter.v1.json";

// What a subprotocol begins with that a client offers besides, to come back: its token follows.
inline constexpr std::string_view kSessionSubprotocol = "wsrouter.session.";

inline constexpr size_t kFrameIdBytesMax = 64;
inline constexpr size_t kEpochBytesMax = 64;
// How deep objects and lists may lie in each other, also in members that nobody knows.
inline constexpr int kFrameDepthMax = 16;

// What a client says. `id` is its own; empty: it wants no answer.
namespace client_frame {
struct Join {
  std::string id;
  RoomName room;
  // The last that it has of the room's history. Offset 0: nothing yet. Absent: it asks for nothing.
  std::optional<Position> since = {};
};
struct Leave {
  std::string id;
  RoomName room;
};
struct Message {
  std::string id;
  Opcode opcode = Opcode::kText;
  std::string payload;
  RoomName room = {};  // that it is about; empty: none
};
struct Ping {
  std::string id;
};
struct Presence {
  std::string id;
  RoomName room;
  bool on = false;
};
}  // namespace client_frame

using ClientRequest = std::variant<client_frame::Join, client_frame::Leave, client_frame::Message,
                                   client_frame::Ping, client_frame::Presence>;

// Why a text is no frame. Where it breaks the protocol (it is no JSON object, or too deep), the
// client cannot mean anything by it; otherwise it is told, by the id if it gave one.
struct BadClientFrame {
  bool breaks_protocol = false;
  std::string id;
  absl::Status refusal;  // with a reason (core/error.h)
};

std::variant<ClientRequest, BadClientFrame> ParseClientFrame(std::string_view text);

// How a client may come back to what it is now. No token: it cannot.
struct ResumeOffer {
  std::string token = {};
  bool resumed = false;  // it has come back just now
  absl::Duration window = {};
};

// Who is in a room (core/presence.h): all of it, or what has changed.
struct PresenceNews {
  bool full = false;
  std::span<const std::string> joined = {};
  std::span<const std::string> left = {};
  uint64_t count = 0;
};

// What a node says. Names and texts must be UTF-8.
std::string WelcomeText(std::string_view connection, std::string_view client,
                        const ResumeOffer& offer = {});
// Where a member is in the history of its room.
struct JoinedAt {
  Position since;                      // what comes next of the history is behind it
  std::optional<bool> recovered = {};  // nothing is missing between what it asked for and that
  uint64_t top = 0;                    // what the history has; with `recovered`
};
std::string JoinedText(std::string_view id, const RoomName& room,
                       const std::optional<JoinedAt>& at = {});
std::string LeftText(std::string_view id, const RoomName& room);
// With what a service replied; null: nothing.
std::string AckText(std::string_view id, const Frame* reply = nullptr);
std::string ErrorText(std::string_view id, const absl::Status& refusal, absl::Duration retry_after);
// `count` frames were lost, zero: nobody knows how many; of `room`, where it is not empty.
std::string GapText(std::string_view room, uint64_t count);
std::string PresenceText(const RoomName& room, const PresenceNews& news);
// The node will close the connection within that time.
std::string DrainingText(absl::Duration within);
// `sent` msg frames were queued before it.
std::string PongText(std::string_view id, uint32_t sent);
// Before a Close frame; says whether and how the client should come back, and when: zero, if that
// is not known.
std::string ByeText(uint16_t code, std::string_view reason,
                    absl::Duration retry_after = absl::ZeroDuration());

// What members that speak the protocol get where others get `frame`. Its position where it has one.
FramePtr MsgFrame(const Topic& to, const Frame& frame, const Position& position = {});
// What one of them gets whom the push left out, so that the offsets that it gets have no hole.
FramePtr LeftOutFrame(const Topic& to, const Position& position);

}  // namespace wsrouter

#endif  // WSROUTER_CORE_CLIENT_PROTOCOL_H_
