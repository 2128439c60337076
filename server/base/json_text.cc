#include "base/json_text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/utf8.h"

namespace wsrouter {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;

// Whether none of eight octets is a quote, a backslash, a control character or not ASCII.
bool IsPlain(uint64_t octets) {
  const auto zero = [](uint64_t value) { return (value - kOnes) & ~value; };
  const uint64_t special = octets | (octets - kOnes * 0x20) | zero(octets ^ (kOnes * '"')) |
                           zero(octets ^ (kOnes * '\\'));
  return (special & kHighs) == 0;
}

bool IsPlain(char octet) {
  const auto value = static_cast<uint8_t>(octet);
  return value >= 0x20 && value < 0x80 && octet != '"' && octet != '\\';
}

// How many octets from `at` on are plain.
size_t PlainRun(std::string_view text, size_t at) {
  size_t end = at;
  uint64_t octets = 0;
  while (text.size() - end >= sizeof(octets)) {
    std::memcpy(&octets, text.data() + end, sizeof(octets));
    if (!IsPlain(octets)) break;
    end += sizeof(octets);
  }
  while (end < text.size() && IsPlain(text[end])) ++end;
  return end - at;
}

// Octets at the front that could have become a sequence, of `text` that does not begin with one.
size_t BrokenSequence(std::string_view text) {
  // Whatever completes it shows whether it was right so far.
  for (size_t size = std::min<size_t>(text.size(), 3); size > 1; --size) {
    for (const char* rest : {"\x80\x80", "\x90\x90", "\xA0\xA0"}) {
      std::string whole(text.substr(0, size));
      whole += rest;
      if (Utf8Sequence(whole) > size) return size;
    }
  }
  return 1;
}

void AppendEscape(std::string& into, char octet) {
  static constexpr char kHex[] = "0123456789abcdef";
  static constexpr std::string_view kShort = "\"\"\\\\\bb\ff\nn\rr\tt";
  for (size_t i = 0; i < kShort.size(); i += 2) {
    if (kShort[i] != octet) continue;
    into += '\\';
    into += kShort[i + 1];
    return;
  }
  into += "\\u00";
  into += kHex[static_cast<uint8_t>(octet) >> 4];
  into += kHex[octet & 0xF];
}

}  // namespace

void AppendQuoted(std::string& into, std::string_view text) {
  into.reserve(into.size() + text.size() + 2);
  into += '"';
  size_t from = 0;  // of what is taken as it is
  size_t at = 0;
  const auto flush = [&] { into.append(text, from, at - from); };
  while (true) {
    at += PlainRun(text, at);
    if (at == text.size()) break;
    const std::string_view rest = text.substr(at);
    const bool ascii = static_cast<uint8_t>(rest[0]) < 0x80;
    const size_t sequence = ascii ? 0 : Utf8Sequence(rest);
    if (sequence > 0) {
      at += sequence;
      continue;
    }
    flush();
    if (ascii) {
      AppendEscape(into, rest[0]);
    } else {
      into += "\xEF\xBF\xBD";
    }
    at += ascii ? 1 : BrokenSequence(rest);
    from = at;
  }
  flush();
  into += '"';
}

}  // namespace wsrouter
