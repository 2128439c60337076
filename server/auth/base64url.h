#ifndef WSROUTER_AUTH_BASE64URL_H_
#define WSROUTER_AUTH_BASE64URL_H_

#include <optional>
#include <string>
#include <string_view>

namespace wsrouter {

// RFC 4648 section 5 as RFC 7515 section 2 has it: without padding, line breaks or white space, and
// with the bits behind the last octet zero, so that octets have exactly one spelling. Nothing for
// any other text.
std::optional<std::string> DecodeBase64Url(std::string_view text);

// The alphabet of RFC 4648 section 4, as strict, also without padding.
std::optional<std::string> DecodeBase64(std::string_view text);

// Two hexadecimal digits an octet, of either case.
std::optional<std::string> DecodeHex(std::string_view text);

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_BASE64URL_H_
