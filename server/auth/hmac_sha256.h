#ifndef WSROUTER_AUTH_HMAC_SHA256_H_
#define WSROUTER_AUTH_HMAC_SHA256_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace wsrouter {

// HMAC-SHA-256 of a message (RFC 2104). What was computed can be compared in one way only, which
// takes the same time wherever the first difference is: there is no == and no way to the octets.
// Any thread.
class HmacSha256 {
 public:
  static constexpr size_t kBytes = 32;

  HmacSha256(std::string_view secret, std::string_view message);
  ~HmacSha256();
  HmacSha256(const HmacSha256&) = delete;
  HmacSha256& operator=(const HmacSha256&) = delete;
  bool operator==(const HmacSha256&) const = delete;

  // Whether `mac` is all of it.
  bool Matches(std::string_view mac) const;

 private:
  std::array<uint8_t, kBytes> octets_;
};

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_HMAC_SHA256_H_
