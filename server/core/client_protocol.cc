#include "core/client_protocol.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "base/json_depth.h"
#include "base/strings.h"
#include "core/error.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

using nlohmann::json;

absl::Status Invalid(std::string_view message) {
  return Refusal(absl::StatusCode::kInvalidArgument, "FRAME_INVALID", message);
}

// Null where it is absent. That, like everywhere in the JSON of protocol buffers, is also what is
// null.
const json* MemberOf(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

// The body of a frame, read member by member. What is wrong is remembered, the first time.
class Body {
 public:
  explicit Body(const json& body) : body_(body) {
    if (!body.is_object()) Fail("the frame's member is no object");
    id_ = Text("id").value_or("");
    if (id_.size() > kFrameIdBytesMax) {
      id_.clear();
      Fail("id is longer than 64 octets");
    }
  }

  std::optional<std::string> Text(const char* member) {
    const json* found = MemberOf(body_, member);
    if (found == nullptr) return std::nullopt;
    if (found->is_string()) return found->get_ref<const std::string&>();
    Fail(fmt::format("{} is no text", member));
    return std::nullopt;
  }

  RoomName Room() {
    RoomName room = {Text("room").value_or("")};
    const absl::Status checked = CheckName("room", room.value);
    if (!checked.ok()) Fail(StdView(checked.message()));
    return room;
  }
  // Empty, likewise absent: none.
  RoomName AnyRoom() { return Text("room").value_or("").empty() ? RoomName() : Room(); }

  std::optional<Position> Since() {
    const json* since = MemberOf(body_, "since");
    if (since == nullptr) return std::nullopt;
    if (!since->is_object()) Fail("since is no object");
    Position position;
    if (const json* offset = MemberOf(*since, "offset")) position.offset = Number(*offset);
    if (const json* epoch = MemberOf(*since, "epoch")) {
      if (!epoch->is_string()) Fail("epoch is no text");
      if (epoch->is_string()) position.epoch = epoch->get_ref<const std::string&>();
    }
    if (position.epoch.size() > kEpochBytesMax) Fail("epoch is longer than 64 octets");
    if (position.offset > 0 && position.epoch.empty()) Fail("an offset is of no use without epoch");
    return position;
  }

  bool Flag(const char* member) {
    if (!body_.is_object()) return false;
    const auto found = body_.find(member);
    if (found == body_.end() || found->is_null()) return false;
    if (found->is_boolean()) return found->get<bool>();
    Fail(fmt::format("{} is neither true nor false", member));
    return false;
  }

  client_frame::Message Message() {
    client_frame::Message message = {.id = id_, .room = AnyRoom()};
    std::optional<std::string> text = Text("text");
    const std::optional<std::string> binary = Text("binary");
    if (text.has_value() == binary.has_value()) {
      Fail("a message has exactly one of text and binary");
    } else if (text.has_value()) {
      message.payload = *std::move(text);
    } else {
      message.opcode = Opcode::kBinary;
      // Both alphabets, as in the JSON of protocol buffers.
      if (!absl::WebSafeBase64Unescape(*binary, &message.payload) &&
          !absl::Base64Unescape(*binary, &message.payload)) {
        Fail("binary is no base64");
      }
    }
    return message;
  }

  void Fail(std::string_view what) {
    if (refusal_.ok()) refusal_ = Invalid(what);
  }

  const std::string& id() const { return id_; }
  const absl::Status& refusal() const { return refusal_; }

 private:
  // Also in a text of digits, as uint64 is in the JSON of protocol buffers.
  uint64_t Number(const json& value) {
    if (value.is_number_unsigned()) return value.get<uint64_t>();
    const auto* digits = value.get_ptr<const std::string*>();
    uint64_t number = 0;
    if (digits == nullptr || digits->find_first_not_of("0123456789") != digits->npos ||
        !absl::SimpleAtoi(*digits, &number)) {
      Fail("offset is no number without a sign");
    }
    return number;
  }

  const json& body_;
  std::string id_;
  absl::Status refusal_;
};

constexpr std::array<const char*, 5> kKinds = {"join", "leave", "message", "ping", "presence"};

std::variant<ClientRequest, BadClientFrame> Read(const json& object) {
  const char* kind = nullptr;
  for (const char* known : kKinds) {
    const auto found = object.find(known);
    if (found == object.end() || found->is_null()) continue;
    if (kind != nullptr) {
      return BadClientFrame{.id = {}, .refusal = Invalid("the frame is of more than one kind")};
    }
    kind = known;
  }
  if (kind == nullptr) {
    return BadClientFrame{.id = {},
                          .refusal = Refusal(absl::StatusCode::kUnimplemented, "FRAME_UNKNOWN",
                                             "the frame is of no kind that the node knows")};
  }
  Body body(object[kind]);
  ClientRequest frame;
  if (kind == kKinds[0]) {
    frame = client_frame::Join{body.id(), body.Room(), body.Since()};
  } else if (kind == kKinds[1]) {
    frame = client_frame::Leave{body.id(), body.Room()};
  } else if (kind == kKinds[2]) {
    frame = body.Message();
  } else if (kind == kKinds[3]) {
    frame = client_frame::Ping{body.id()};
  } else {
    frame = client_frame::Presence{body.id(), body.Room(), body.Flag("on")};
  }
  if (!body.refusal().ok()) return BadClientFrame{.id = body.id(), .refusal = body.refusal()};
  return frame;
}

}  // namespace

std::variant<ClientRequest, BadClientFrame> ParseClientFrame(std::string_view text) {
  // To the parser a NUL is the end of the text. The depth is not for its callback: with one, it
  // walks through all that an object or list has so far at the end of each of its members.
  const bool sound = text.find('\0') == text.npos && !NestsDeeper(text, kFrameDepthMax);
  const json object =
      sound ? json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false) : json();
  if (!object.is_object()) {
    return BadClientFrame{.breaks_protocol = true,
                          .id = {},
                          .refusal = Invalid("the message is no JSON object of a frame")};
  }
  return Read(object);
}

}  // namespace wsrouter
