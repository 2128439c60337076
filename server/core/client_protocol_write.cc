// What nodes say in wsrouter.v1.json.
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/json_text.h"
#include "base/strings.h"
#include "core/client_protocol.h"
#include "core/close_code.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

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

std::string PresenceText(const RoomName& room, const PresenceNews& news) {
  const auto list = [](std::string_view member, std::span<const std::string> names) {
    if (names.empty()) return std::string();
    std::string quoted;
    for (const std::string& name : names) {
      if (!quoted.empty()) quoted += ',';
      AppendQuoted(quoted, name);
    }
    return fmt::format(R"(,"{}":[{}])", member, quoted);
  };
  return fmt::format(R"({{"presence":{{"room":{}{}{}{},"count":{}}}}})", Quoted(room.value),
                     news.full ? R"(,"full":true)" : "", list("joined", news.joined),
                     list("left", news.left), std::min<uint64_t>(news.count, UINT32_MAX));
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
