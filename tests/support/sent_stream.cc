#include "tests/support/sent_stream.h"

#include <algorithm>

#include "base/utf8.h"
#include "fmt/format.h"
#include "gateway/close_payload.h"
#include "tests/support/fake_socket_loop.h"

namespace wsrouter {
namespace {

constexpr char kNumbered = '\xFF';
constexpr size_t kNumberEnd = 9;

struct SentFrame {
  uint8_t opcode = 0;
  std::string_view payload;
};

// Takes one frame off the front. False where it is not complete.
bool TakeFrame(std::string_view& sent, SentFrame& frame) {
  if (sent.size() < 2) return false;
  const auto first = static_cast<uint8_t>(sent[0]);
  const auto second = static_cast<uint8_t>(sent[1]);
  Require((first & 0xF0) == 0x80, "frames are final and have no reserved bit");
  Require((second & 0x80) == 0, "frames are not masked");
  const size_t length_octets = second < 126 ? 0 : second == 126 ? 2 : 8;
  if (sent.size() < 2 + length_octets) return false;
  uint64_t length = second;
  if (length_octets > 0) {
    length = 0;
    for (const char octet : sent.substr(2, length_octets)) {
      length = length << 8 | static_cast<uint8_t>(octet);
    }
    Require(length >= (length_octets == 2 ? 126 : 0x10000), "lengths are in their shortest form");
  }
  if (sent.size() - 2 - length_octets < length) return false;
  frame = {.opcode = static_cast<uint8_t>(first & 0x0F),
           .payload = sent.substr(2 + length_octets, length)};
  sent.remove_prefix(2 + length_octets + length);
  return true;
}

void CheckClose(std::string_view payload) {
  if (payload.empty()) return;
  Require(payload.size() >= 2, "a close code has two octets");
  const int code = static_cast<uint8_t>(payload[0]) << 8 | static_cast<uint8_t>(payload[1]);
  Require(IsSendableCloseCode(static_cast<uint16_t>(code)), "the close code may be sent");
  Require(IsUtf8(payload.substr(2)), "close reasons are UTF-8");
}

void CheckText(std::string_view payload, uint64_t& last_number) {
  if (!payload.starts_with(kNumbered)) {
    Require(IsUtf8(payload), "echoed text is UTF-8");
    return;
  }
  const uint64_t number = std::stoull(std::string(payload.substr(1, kNumberEnd - 1)));
  Require(number > last_number, "pushes come in order and once");
  last_number = number;
}

}  // namespace

std::string NumberedPayload(uint64_t number, size_t size) {
  std::string payload = fmt::format("{}{:08}", kNumbered, number);
  payload.resize(std::max(size, kNumberEnd), '.');
  return payload;
}

void CheckSentStream(std::string_view sent, bool ended_well) {
  if (sent.empty()) return;
  const size_t head_end = sent.find("\r\n\r\n");
  Require(sent.starts_with(std::string_view("HTTP/1.1 ").substr(0, sent.size())),
          "an HTTP answer comes first");
  Require(!ended_well || head_end != std::string_view::npos, "the answer is whole");
  if (head_end == std::string_view::npos || !sent.starts_with("HTTP/1.1 101 ")) return;
  sent.remove_prefix(head_end + 4);
  bool closed = false;
  uint64_t last_number = 0;
  for (SentFrame frame; TakeFrame(sent, frame);) {
    Require(!closed, "no frame follows a Close");
    const bool control = (frame.opcode & 0x8) != 0;
    Require(control ? frame.opcode <= 0xA : frame.opcode == 1 || frame.opcode == 2,
            "the opcode is one that is used");
    Require(!control || frame.payload.size() <= kControlPayloadBytesMax,
            "control frames are short");
    if (frame.opcode == 0x8) CheckClose(frame.payload);
    if (frame.opcode == 0x1) CheckText(frame.payload, last_number);
    closed = frame.opcode == 0x8;
  }
  Require(!closed || sent.empty(), "not an octet follows a Close");
  Require(!ended_well || closed, "a Close comes before the end");
}

}  // namespace wsrouter
