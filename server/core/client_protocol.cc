#include "core/client_protocol.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/json_depth.h"
#include "base/json_text.h"
#include "base/strings.h"
#include "core/close_code.h"
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

constexpr std::array<const char*, 4> kKinds = {"join", "leave", "message", "ping"};

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
  } else {
    frame = client_frame::Ping{body.id()};
  }
  if (!body.refusal().ok()) return BadClientFrame{.id = body.id(), .refusal = body.refusal()};
  return frame;
}

// `"id":"7",`, or nothing where there is none.
std::string IdMember(std::string_view id) {
  return id.empty() ? std::string() : fmt::format(R"("id":{},)", Quoted(id));
}

// `,"retryAfterMs":1500`, or nothing where nobody knows.
std::string RetryMember(absl::Duration after) {
  if (after < absl::Milliseconds(1)) return {};
  return fmt::format(R"(,"retryAfterMs":{})", absl::ToInt64Milliseconds(after));
}

// The member that a payload is: `"text":"hi"`.
void AppendPayload(std::string& to, const Frame& frame) {
  if (frame.opcode() == Opcode::kText) {
    to += R"("text":)";
    AppendQuoted(to, frame.payload());
  } else {
    absl::StrAppend(&to, R"("binary":")", absl::Base64Escape(AbslView(frame.payload())), R"(")");
  }
}

// What the comments of CloseCode (router.proto) advise.
std::string_view AdviceOf(uint16_t code) {
  switch (static_cast<CloseCode>(code)) {
    case CloseCode::kTooBig:
    case CloseCode::kServiceRestart:
    case CloseCode::kIdle:
      return "ADVICE_AT_ONCE";
    case CloseCode::kGoingAway:
    case CloseCode::kInternal:
    case CloseCode::kTryAgainLater:
    case CloseCode::kCapacity:
    case CloseCode::kSlowConsumer:
    case CloseCode::kRateLimited:
      return "ADVICE_LATER";
    case CloseCode::kNotAuthenticated:
    case CloseCode::kExpired:
      return "ADVICE_NEW_CREDENTIALS";
    default:
      return "ADVICE_NEVER";
  }
}

std::string MsgBegin(const Topic& to) {
  std::string msg = R"({"msg":{)";
  if (const auto* name = std::get_if<RoomName>(&to)) {
    msg += R"("room":)";
    AppendQuoted(msg, name->value);
    msg += ',';
  }
  return msg;
}

void AppendPosition(std::string& msg, const Position& position) {
  absl::StrAppend(&msg, R"("offset":")", position.offset, R"(","epoch":)");
  AppendQuoted(msg, position.epoch);
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

std::string WelcomeText(std::string_view connection, std::string_view client,
                        const ResumeOffer& offer) {
  std::string more;
  if (!client.empty()) more += fmt::format(R"(,"clientId":{})", Quoted(client));
  if (!offer.token.empty()) {
    more += fmt::format(R"(,"session":"{}","resumeWindowMs":{})", offer.token,
                        absl::ToInt64Milliseconds(offer.window));
  }
  if (offer.resumed) more += R"(,"resumed":true)";
  return fmt::format(R"({{"welcome":{{"connectionId":{}{}}}}})", Quoted(connection), more);
}

std::string JoinedText(std::string_view id, const RoomName& room,
                       const std::optional<JoinedAt>& at) {
  std::string more;
  if (at.has_value()) {
    more = fmt::format(R"(,"since":{{"offset":"{}","epoch":{}}})", at->since.offset,
                       Quoted(at->since.epoch));
  }
  if (at.has_value() && at->recovered.has_value()) {
    more += fmt::format(R"(,"recovered":{},"top":"{}")", *at->recovered, at->top);
  }
  return fmt::format(R"({{"joined":{{{}"room":{}{}}}}})", IdMember(id), Quoted(room.value), more);
}

std::string LeftText(std::string_view id, const RoomName& room) {
  return fmt::format(R"({{"left":{{{}"room":{}}}}})", IdMember(id), Quoted(room.value));
}

std::string AckText(std::string_view id, const Frame* reply) {
  std::string text = R"({"ack":{"id":)";
  AppendQuoted(text, id);
  if (reply != nullptr) {
    text += ',';
    AppendPayload(text, *reply);
  }
  text += "}}";
  return text;
}

std::string ErrorText(std::string_view id, const absl::Status& refusal,
                      absl::Duration retry_after) {
  const std::string reason = ReasonOf(refusal);
  return fmt::format(R"({{"error":{{{}"reason":{},"text":{}{}}}}})", IdMember(id),
                     Quoted(reason.empty() ? "INTERNAL" : reason),
                     Quoted(StdView(refusal.message())), RetryMember(retry_after));
}

std::string GapText(std::string_view room, uint64_t count) {
  std::string members;
  if (!room.empty()) members = fmt::format(R"("room":{})", Quoted(room));
  if (count > 0)
    members += fmt::format(R"({}"count":{})", members.empty() ? "" : ",",
                           std::min<uint64_t>(count, UINT32_MAX));
  return fmt::format(R"({{"gap":{{{}}}}})", members);
}

std::string DrainingText(absl::Duration within) {
  return fmt::format(R"({{"notice":{{"kind":"draining","withinMs":{}}}}})",
                     absl::ToInt64Milliseconds(within));
}

std::string PongText(std::string_view id, uint32_t sent) {
  return fmt::format(R"({{"pong":{{{}"sent":{}}}}})", IdMember(id), sent);
}

std::string ByeText(uint16_t code, std::string_view reason, absl::Duration retry_after) {
  return fmt::format(R"({{"bye":{{"code":{},"reason":{},"advice":"{}"{}}}}})", code, Quoted(reason),
                     AdviceOf(code), RetryMember(retry_after));
}

FramePtr MsgFrame(const Topic& to, const Frame& frame, const Position& position) {
  std::string msg = MsgBegin(to);
  AppendPayload(msg, frame);
  if (position.offset > 0) {
    msg += ',';
    AppendPosition(msg, position);
  }
  msg += "}}";
  return Frame::Make(Opcode::kText, msg);
}

FramePtr LeftOutFrame(const Topic& to, const Position& position) {
  std::string msg = MsgBegin(to);
  AppendPosition(msg, position);
  msg += "}}";
  return Frame::Make(Opcode::kText, msg);
}

}  // namespace wsrouter
