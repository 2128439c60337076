#include "tests/support/wire.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "fmt/format.h"
#include "tests/support/client_frames.h"

namespace wsrouter {

std::string HttpAnswer::Header(std::string_view name) const {
  const std::string wanted = fmt::format("\r\n{}:", name);
  for (size_t at = 0; at + wanted.size() < head.size(); ++at) {
    if (!absl::EqualsIgnoreCase(head.substr(at, wanted.size()), wanted)) continue;
    const size_t begin = at + wanted.size();
    return std::string(
        absl::StripAsciiWhitespace(head.substr(begin, head.find("\r\n", begin) - begin)));
  }
  return {};
}

std::string UpgradeRequest(std::string_view target, std::string_view headers) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
      target, headers);
}

std::string ClientFrameOf(uint8_t first_octet, std::string_view payload) {
  return Encode({.opcode = static_cast<uint8_t>(first_octet & 0x0F),
                 .payload = std::string(payload),
                 .final = (first_octet & 0x80) != 0,
                 .reserved_bits = static_cast<uint8_t>(first_octet & 0x70)});
}
std::string ClientText(std::string_view payload) { return ClientFrameOf(0x81, payload); }
std::string ClientBinary(std::string_view payload) { return ClientFrameOf(0x82, payload); }
std::string ClientPing(std::string_view payload) { return ClientFrameOf(0x89, payload); }
std::string ClientClose(uint16_t code, std::string_view reason) {
  const std::string octets = {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return ClientFrameOf(0x88, fmt::format("{}{}", octets, reason));
}

std::string DescribeFrame(uint8_t opcode, const std::string& payload) {
  switch (opcode) {
    case 0x1:
      return "text " + payload;
    case 0x2:
      return "binary " + payload;
    case 0x9:
      return "ping " + payload;
    case 0xA:
      return "pong " + payload;
    case 0x8:
      break;
    default:
      return fmt::format("bad opcode {}", opcode);
  }
  if (payload.empty()) return "close";
  if (payload.size() == 1) return "bad close of one octet";
  const int code = static_cast<uint8_t>(payload[0]) << 8 | static_cast<uint8_t>(payload[1]);
  return fmt::format("close {} {}", code, payload.substr(2));
}

}  // namespace wsrouter
