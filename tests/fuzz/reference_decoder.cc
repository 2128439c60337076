#include "tests/fuzz/reference_decoder.h"

#include <algorithm>
#include <cstdint>

namespace wsrouter {
namespace {

struct Reference {
  std::string_view wire;
  size_t message_bytes_max = 0;
  size_t at = 0;
  std::string message_kind;  // empty between messages
  std::string message;
  std::vector<DecodedEvent> events;

  uint64_t Octet(size_t offset) const { return static_cast<uint8_t>(wire[at + offset]); }
  bool Has(size_t octets) const { return wire.size() - at >= octets; }
  bool End(std::string kind, int code, std::string payload = {}) {
    events.push_back({std::move(kind), code, std::move(payload)});
    return false;
  }

  // Both read one frame and are false when the wire or its meaning ends there.
  bool Frame();
  bool Payload(uint64_t opcode, bool final, uint64_t length, size_t header);
  bool Close(const std::string& payload);
};

bool Reference::Frame() {
  if (!Has(1)) return false;
  const bool final = Octet(0) >= 128;
  const uint64_t reserved = Octet(0) / 16 % 8;
  const uint64_t opcode = Octet(0) % 16;
  const bool control = opcode == 8 || opcode == 9 || opcode == 10;
  const bool data = opcode == 0 || opcode == 1 || opcode == 2;
  if (reserved != 0 || (!control && !data) || (control && !final)) return End("failure", 1002);
  if (data && (opcode == 0) == message_kind.empty()) return End("failure", 1002);
  if (!Has(2)) return false;
  if (Octet(1) < 128) return End("failure", 1002);
  uint64_t length = Octet(1) % 128;
  if (control && length > 125) return End("failure", 1002);
  const size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (more == 8 && Has(3) && Octet(2) >= 128) return End("failure", 1002);
  if (!Has(2 + more)) return false;
  if (more > 0) length = 0;
  for (size_t i = 0; i < more; ++i) length = length * 256 + Octet(2 + i);
  if ((more == 2 && length < 126) || (more == 8 && length < 65536)) return End("failure", 1002);
  if (data && length > message_bytes_max - message.size()) return End("failure", 1009);
  if (!Has(2 + more + 4)) return false;
  if (opcode == 1) message_kind = "text";
  if (opcode == 2) message_kind = "binary";
  return Payload(opcode, final, length, 2 + more + 4);
}

bool Reference::Payload(uint64_t opcode, bool final, uint64_t length, size_t header) {
  const size_t present = std::min<uint64_t>(length, wire.size() - at - header);
  std::string payload;
  for (size_t i = 0; i < present; ++i) {
    payload += static_cast<char>(Octet(header + i) ^ Octet(header - 4 + i % 4));
  }
  const bool whole = present == length;
  at += header + present;
  if (opcode == 8) return whole && Close(payload);
  if (opcode == 9 || opcode == 10) {
    if (whole) events.push_back({opcode == 9 ? "ping" : "pong", 0, payload});
    return whole;
  }
  message += payload;
  const TextVerdict verdict =
      message_kind == "text" ? CheckTextByReference(message) : TextVerdict::kWhole;
  if (verdict == TextVerdict::kBroken) return End("failure", 1007);
  if (!whole || !final) return whole;
  if (verdict == TextVerdict::kCut) return End("failure", 1007);
  events.push_back({message_kind, 0, message});
  message_kind.clear();
  message.clear();
  return true;
}

bool Reference::Close(const std::string& payload) {
  if (payload.empty()) return End("close", 1005);
  if (payload.size() == 1) return End("failure", 1002);
  const int code = static_cast<uint8_t>(payload[0]) * 256 + static_cast<uint8_t>(payload[1]);
  const bool reserved = code < 1000 || code == 1004 || code == 1005 || code == 1006 ||
                        (code > 1014 && code < 3000) || code >= 5000;
  if (reserved) return End("failure", 1002);
  const std::string reason = payload.substr(2);
  if (CheckTextByReference(reason) != TextVerdict::kWhole) return End("failure", 1007);
  return End("close", code, reason);
}

}  // namespace

std::vector<DecodedEvent> DecodeByReference(std::string_view wire, size_t message_bytes_max) {
  Reference reference{wire, message_bytes_max, 0, {}, {}, {}};
  while (reference.Frame()) {
  }
  return reference.events;
}

// The octets of a code point that are there leave a range of code points open: from continuing with
// zero bits to continuing with one bits. The text is broken if no code point that UTF-8 may encode
// in this length is in the range.
TextVerdict CheckTextByReference(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const uint8_t lead = static_cast<uint8_t>(text[at]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if ((lead >= 0x80 && lead < 0xC0) || lead >= 0xF8) return TextVerdict::kBroken;
    uint32_t low = length == 1 ? lead : lead & (0xFF >> (length + 1));
    uint32_t high = low;
    for (size_t i = 1; i < length; ++i) {
      const bool present = at + i < text.size();
      const uint8_t octet = present ? static_cast<uint8_t>(text[at + i]) : 0x80;
      if (octet < 0x80 || octet > 0xBF) return TextVerdict::kBroken;
      low = low * 64 + octet % 64;
      high = high * 64 + (present ? octet % 64 : 63);
    }
    const uint32_t least = length == 1 ? 0 : length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    const bool surrogates_only = low >= 0xD800 && high <= 0xDFFF;
    if (high < least || low > 0x10FFFF || surrogates_only) return TextVerdict::kBroken;
    if (at + length > text.size()) return TextVerdict::kCut;
    at += length;
  }
  return TextVerdict::kWhole;
}

}  // namespace wsrouter
