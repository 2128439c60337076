#ifndef WSROUTER_CLIENT_URI_H_
#define WSROUTER_CLIENT_URI_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wsrouter::client {

// The first value of `name` in a query such as "name=J%C3%BCrgen+K&room=lobby": percent-decoded,
// with '+' for a space, as browsers encode forms. nullopt when the name is absent, or its value has
// a broken escape or is not UTF-8 then.
std::optional<std::string> QueryValue(std::string_view query, std::string_view name);

// Everything but letters, digits and "-._~" as %XX (RFC 3986 section 2).
std::string PercentEncode(std::string_view text);

struct WebSocketUrl {
  bool tls = false;
  std::string host;    // without the brackets of an IPv6 address
  std::string port;    // decimal
  std::string target;  // path and query, at least "/"
};

// Takes "ws://host[:port][/path][?query]" and "wss://...". User names and fragments are refused
// (RFC 6455 section 3).
absl::StatusOr<WebSocketUrl> ParseWebSocketUrl(std::string_view url);

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_URI_H_
