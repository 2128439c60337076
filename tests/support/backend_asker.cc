#include "tests/support/backend_asker.h"

#include <variant>

#include "absl/time/time.h"
#include "base/overloaded.h"
#include "base/strings.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

std::shared_ptr<const Handshake> Said(const std::string& path) {
  Handshake handshake;
  handshake.path = path;
  handshake.peer = "203.0.113.7:1";
  handshake.offered_subprotocols = {"chat.v1", "chat.v2"};
  return std::make_shared<const Handshake>(handshake);
}

std::string Names(const std::vector<RoomName>& rooms) {
  std::string text;
  for (const RoomName& room : rooms) text += (text.empty() ? "" : ",") + room.value;
  return text;
}

std::string Show(const Own& own) {
  std::string text = fmt::format("{} in [{}]", own.client.value, Names(own.rooms));
  for (const auto& [key, value] : own.labels) text += fmt::format(" {}={}", key, value);
  if (own.expires_at.has_value()) {
    text += fmt::format(" until {}", absl::ToUnixSeconds(*own.expires_at));
  }
  return text;
}

std::string Show(const FramePtr& frame) {
  const std::string_view payload = frame->payload();
  if (payload.size() > 100) return fmt::format("{} octets", payload.size());
  return std::string(payload);
}

std::string Show(const ConnectAnswer& answer) {
  return std::visit(Overloaded{[](const Admission& admission) {
                                 std::string text = "let in as ";
                                 text +=
                                     admission.own.has_value() ? Show(*admission.own) : "nobody";
                                 for (const FramePtr& first : admission.greetings)
                                   text += " first " + Show(first);
                                 if (!admission.subprotocol.empty())
                                   text += " by " + admission.subprotocol;
                                 return text;
                               },
                               [](const Denial& denial) {
                                 std::string text = fmt::format("refused {} {}", denial.close.code,
                                                                denial.close.reason);
                                 if (denial.retry_after > absl::ZeroDuration()) text += ", later";
                                 return text;
                               }},
                    answer);
}

std::string Show(const Topic& to) {
  return std::visit(Overloaded{[](const RoomName& room) { return " to room " + room.value; },
                               [](const ClientId& client) { return " to client " + client.value; },
                               [](const ConnectionId&) { return std::string(); },
                               [](const auto&) { return std::string(" to others"); }},
                    to);
}

std::string Show(const MessageAnswer& answer) {
  std::string text;
  for (const Envelope& effect : answer.effects) {
    if (!text.empty()) text += "; ";
    text += std::visit(
        Overloaded{[](const Deliver& deliver) { return "send " + Show(deliver.frame); },
                   [](const Join& join) { return "join " + Names(join.rooms); },
                   [](const Leave& leave) { return "leave " + Names(leave.rooms); },
                   [](const Own& own) { return "own " + Show(own); },
                   [](const Disconnect& end) {
                     return fmt::format("disconnect {} {}", end.close.code, end.close.reason);
                   },
                   [](const auto&) { return std::string("something else"); }},
        effect.action);
    text += Show(effect.to);
  }
  if (answer.reply != nullptr) text += (text.empty() ? "reply " : "; reply ") + Show(answer.reply);
  return text.empty() ? "nothing" : text;
}

}  // namespace

BackendAsker::Asked BackendAsker::Connect(uint64_t connection, std::optional<Own> proved,
                                          const std::string& path) {
  auto promise = std::make_shared<std::promise<std::string>>();
  Asked asked = {.ticket = 0, .answer = promise->get_future()};
  asked.ticket = backend_.Connect(
      {.connection = IdOf(connection),
       .handshake = Said(path),
       .token = "",
       .proved = std::move(proved)},
      [promise](const ConnectAnswer& answer) { promise->set_value(Show(answer)); });
  return asked;
}

BackendAsker::Asked BackendAsker::Message(uint64_t connection, const std::string& text,
                                          const std::string& client, const std::string& path) {
  auto promise = std::make_shared<std::promise<std::string>>();
  Asked asked = {.ticket = 0, .answer = promise->get_future()};
  asked.ticket = backend_.Message(
      {.connection = IdOf(connection),
       .client = {client},
       .handshake = Said(path),
       .opcode = Opcode::kText,
       .payload = text,
       .rooms = {},
       .room = {"claimed"}},
      [promise](const MessageAnswer& answer) { promise->set_value(Show(answer)); });
  return asked;
}

BackendAsker::Asked BackendAsker::JoinCheck(uint64_t connection, const std::string& room,
                                            const std::string& client, const std::string& path) {
  auto promise = std::make_shared<std::promise<std::string>>();
  Asked asked = {.ticket = 0, .answer = promise->get_future()};
  asked.ticket = backend_.JoinCheck(
      {.connection = IdOf(connection),
       .client = {client},
       .handshake = Said(path),
       .room = {room},
       .rooms = {}},
      [promise](const absl::Status& verdict) {
        promise->set_value(
            verdict.ok() ? "may join"
                         : fmt::format("{} {}", ReasonOf(verdict), StdView(verdict.message())));
      });
  return asked;
}

void BackendAsker::Disconnected(uint64_t connection, uint16_t code, const std::string& client,
                                const std::string& path) {
  const Event event = {.at = absl::FromUnixSeconds(1'700'000'000),
                       .connection = IdOf(connection),
                       .client = {client},
                       .detail = event::Disconnected{.close = {code, ""}}};
  backend_.Disconnected(event, *Said(path));
}

}  // namespace wsrouter
