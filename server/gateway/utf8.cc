#include "gateway/utf8.h"

#include <algorithm>
#include <cstring>

namespace wsrouter {
namespace {

const char* SkipAscii(const char* at, const char* end) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  for (uint64_t word; end - at >= 8; at += 8) {
    std::memcpy(&word, at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (at != end && static_cast<uint8_t>(*at) < 0x80) ++at;
  return at;
}

}  // namespace

bool Utf8Checker::Feed(std::string_view octets) {
  const char* at = octets.data();
  const char* const end = at + octets.size();
  while (at != end) {
    if (missing_ == 0) {
      at = SkipAscii(at, end);
      if (at == end) return true;
      if (!FeedLead(static_cast<uint8_t>(*at++))) return false;
      continue;
    }
    const uint8_t octet = static_cast<uint8_t>(*at++);
    if (octet < next_min_ || octet > next_max_) return false;
    --missing_;
    next_min_ = 0x80;
    next_max_ = 0xBF;
  }
  return true;
}

// The second octet is narrowed where a long form, a surrogate or more than U+10FFFF would begin
// (RFC 3629 section 4).
bool Utf8Checker::FeedLead(uint8_t octet) {
  if (octet < 0xC2 || octet > 0xF4) return false;
  missing_ = octet < 0xE0 ? 1 : octet < 0xF0 ? 2 : 3;
  if (octet == 0xE0) next_min_ = 0xA0;
  if (octet == 0xED) next_max_ = 0x9F;
  if (octet == 0xF0) next_min_ = 0x90;
  if (octet == 0xF4) next_max_ = 0x8F;
  return true;
}

std::string_view Utf8Prefix(std::string_view text, size_t bytes_max) {
  Utf8Checker checker;
  size_t good = 0;
  for (size_t i = 0; i < std::min(text.size(), bytes_max); ++i) {
    if (!checker.Feed(text.substr(i, 1))) break;
    if (checker.at_boundary()) good = i + 1;
  }
  return text.substr(0, good);
}

}  // namespace wsrouter
