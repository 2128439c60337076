#ifndef WSROUTER_BASE_UTF8_H_
#define WSROUTER_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wsrouter {

// Octets of the UTF-8 sequence at the front of `text` (RFC 3629), 0 where there is none.
// `text` must not be empty.
inline size_t Utf8Sequence(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  const size_t size = lead >= 0xC2 && lead <= 0xDF ? 2 : lead >= 0xE0 && lead <= 0xEF ? 3 : 4;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xF0 && at(1) < 0x90);
  const bool beyond = (lead == 0xED && at(1) > 0x9F) || (lead == 0xF4 && at(1) > 0x8F);
  return overlong || beyond ? 0 : size;
}

inline bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = Utf8Sequence(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

// Whether valid UTF-8 begins with a control character: U+0000 to U+001F, U+007F to U+009F.
inline bool IsControl(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x20 || lead == 0x7F) return true;
  return lead == 0xC2 && static_cast<uint8_t>(text[1]) < 0xA0;
}

// Valid UTF-8 without control characters.
inline bool IsPlainText(std::string_view text) {
  while (!text.empty()) {
    const size_t size = Utf8Sequence(text);
    if (size == 0 || IsControl(text)) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace wsrouter

#endif  // WSROUTER_BASE_UTF8_H_
