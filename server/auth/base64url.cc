#include "auth/base64url.h"

#include <cstdint>

namespace wsrouter {
namespace {

// The value of a digit, -1 for what is none. `last_two` are the digits 62 and 63.
int Digit(char c, std::string_view last_two) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == last_two[0]) return 62;
  return c == last_two[1] ? 63 : -1;
}

std::optional<std::string> Decode(std::string_view text, std::string_view last_two) {
  if (text.size() % 4 == 1) return std::nullopt;  // six bits are no octet
  std::string octets;
  octets.reserve(text.size() / 4 * 3 + 2);
  uint32_t held = 0;
  int bits = 0;  // of `held` that are not yet an octet
  for (const char c : text) {
    const int digit = Digit(c, last_two);
    if (digit < 0) return std::nullopt;
    held = (held << 6) | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    octets.push_back(static_cast<char>(held >> bits));
    held &= (1U << bits) - 1;
  }
  if (held != 0) return std::nullopt;
  return octets;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::optional<std::string> DecodeBase64Url(std::string_view text) { return Decode(text, "-_"); }

std::optional<std::string> DecodeBase64(std::string_view text) { return Decode(text, "+/"); }

std::optional<std::string> DecodeHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string octets;
  octets.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]);
    const int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    octets.push_back(static_cast<char>(high << 4 | low));
  }
  return octets;
}

}  // namespace wsrouter
