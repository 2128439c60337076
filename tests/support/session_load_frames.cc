// What clients of a SessionLoad read.
#include <utility>

#include "absl/strings/numbers.h"
#include "nlohmann/json.hpp"
#include "tests/support/session_load.h"
#include "tests/support/wire.h"

namespace wsrouter {

void SessionLoad::OnReadable(uint32_t index, bool goes_on) {
  Client& client = clients_[index];
  const uint32_t turn = client.turn;
  if (client.state == State::kUpgrading) TakeUpgrade(index);
  while (client.fd.valid() && client.turn == turn && TakeFrame(index)) {
  }
  if (!goes_on && client.fd.valid() && client.turn == turn) Lose(index, Loss::kPeer);
}

void SessionLoad::TakeUpgrade(uint32_t index) {
  Client& client = clients_[index];
  const size_t end = client.in.find("\r\n\r\n");
  if (end == std::string::npos) return;
  const HttpAnswer answer = {.head = client.in.substr(0, end + 4), .body = {}};
  client.in.erase(0, end + 4);
  if (answer.head.starts_with("HTTP/1.1 101 ")) {
    client.state = State::kOpen;
    return;
  }
  Refusal refusal;
  uint32_t seconds = 0;
  (void)absl::SimpleAtoi(answer.head.substr(9, 3), &refusal.status);
  (void)absl::SimpleAtoi(answer.Header("Retry-After"), &seconds);
  refusal.retry_after = absl::Seconds(seconds);
  Lose(index, Loss::kPeer, refusal);
}

bool SessionLoad::TakeFrame(uint32_t index) {
  Client& client = clients_[index];
  const auto octet = [&](size_t at) { return static_cast<uint8_t>(client.in[at]); };
  if ((client.state != State::kOpen && client.state != State::kClosing) || client.in.size() < 2) {
    return false;
  }
  const size_t extended = octet(1) == 126 ? 2 : octet(1) == 127 ? 8 : 0;
  if (client.in.size() < 2 + extended) return false;
  uint64_t length = extended == 0 ? octet(1) : 0;
  for (size_t i = 0; i < extended; ++i) length = length << 8 | octet(2 + i);
  if (client.in.size() < 2 + extended + length) return false;
  const uint8_t opcode = octet(0) & 0x0F;
  const std::string payload = client.in.substr(2 + extended, length);
  client.in.erase(0, 2 + extended + length);
  if (opcode == 0x1) OnText(index, payload);
  if (opcode == 0x9) Send(index, ClientFrameOf(0x8A, payload));
  if (opcode == 0x8) OnClose(index, payload);
  return true;
}

void SessionLoad::OnClose(uint32_t index, std::string_view payload) {
  Client& client = clients_[index];
  const auto octet = [&](size_t at) { return static_cast<uint8_t>(payload[at]); };
  const int code = payload.size() < 2 ? 1005 : octet(0) << 8 | octet(1);
  if (client.state == State::kOpen && !client.connection.empty() && handlers_.on_close != nullptr) {
    handlers_.on_close(index, static_cast<uint16_t>(code));
  }
  if (client.state == State::kOpen) Send(index, ClientFrameOf(0x88, payload.substr(0, 2)));
  if (client.fd.valid()) Lose(index, Loss::kPeer, {.status = code});
}

void SessionLoad::OnText(uint32_t index, std::string_view text) {
  const bool welcome = text.starts_with("{\"welcome\"");
  if (!welcome && handlers_.on_frame == nullptr) return;
  if (welcome) {
    OnWelcome(index, nlohmann::json::parse(text)["welcome"]);
  } else {
    handlers_.on_frame(index, text);
  }
}

void SessionLoad::OnWelcome(uint32_t index, const nlohmann::json& welcome) {
  Client& client = clients_[index];
  if (!welcome.contains("clientId")) return;
  client.token = welcome.value("session", "");
  if (!client.connection.empty()) return;
  client.connection = welcome.value("connectionId", "");
  client.opening = now() - client.began_at;
  --connecting_;
  ++up_;
  handlers_.on_up(
      index, client.connection, welcome.value("resumed", false),
      client.lost_at == absl::ZeroDuration() ? absl::ZeroDuration() : now() - client.lost_at);
}

}  // namespace wsrouter
