#ifndef WSROUTER_GATEWAY_UTF8_H_
#define WSROUTER_GATEWAY_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wsrouter {

// Checks UTF-8 (RFC 3629: shortest forms, no surrogates, nothing above U+10FFFF) however it is cut,
// and fails at the first octet that no valid text could have in its place.
class Utf8Checker {
 public:
  // False if `octets` do not continue what came before. The checker must then be dropped or reset.
  [[nodiscard]] bool Feed(std::string_view octets);

  // True when no code point is half read.
  bool at_boundary() const { return missing_ == 0; }

  void Reset() { *this = Utf8Checker(); }

 private:
  bool FeedLead(uint8_t octet);

  // The continuation octets still due, and what the next one may be.
  uint8_t missing_ = 0;
  uint8_t next_min_ = 0x80;
  uint8_t next_max_ = 0xBF;
};

// The longest prefix of at most `bytes_max` octets that is valid UTF-8.
std::string_view Utf8Prefix(std::string_view text, size_t bytes_max);

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_UTF8_H_
