#include "gateway/credentials.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "core/client_protocol.h"
#include "gateway/connect_info.h"
#include "gateway/http_token.h"

namespace wsrouter {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986 section 2.1. What is not encoded well stays as it is: no token holds a percent sign.
std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool encoded = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                         HexDigit(text[i + 2]) >= 0;
    if (!encoded) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
    i += 2;
  }
  return decoded;
}

// Takes the parameter out of the query, each time it is there; the first value counts.
std::string TakeParameter(const std::string& name, std::string& query) {
  std::optional<std::string> value;
  std::string rest;
  std::string_view left = query;
  while (!left.empty()) {
    const std::string_view pair = left.substr(0, left.find('&'));
    left.remove_prefix(std::min(pair.size() + 1, left.size()));
    if (pair.substr(0, pair.find('=')) == name) {
      if (!value.has_value()) {
        value = PercentDecoded(pair.substr(std::min(name.size() + 1, pair.size())));
      }
      continue;
    }
    if (!rest.empty()) rest += '&';
    rest += pair;
  }
  query = std::move(rest);
  return value.value_or("");
}

std::string BearerOf(const RequestHead& head) {
  constexpr std::string_view kScheme = "bearer ";
  for (std::string_view value : head.Values("authorization")) {
    if (value.size() <= kScheme.size()) continue;
    if (!EqualsIgnoringCase(value.substr(0, kScheme.size()), kScheme)) continue;
    value.remove_prefix(std::min(value.find_first_not_of(' ', kScheme.size()), value.size()));
    return std::string(value);
  }
  return {};
}

std::string TakeSubprotocol(const std::string& prefix, std::vector<std::string>& offered) {
  std::string token;
  std::erase_if(offered, [&](const std::string& name) {
    if (!name.starts_with(prefix)) return false;
    if (token.empty()) token = name.substr(prefix.size());
    return true;
  });
  return token;
}

}  // namespace

Credentials TakeCredentials(const RequestHead& head, const CredentialPlaces& places,
                            Handshake& handshake) {
  Credentials found;
  const auto take = [&](std::string token) {
    if (found.token.empty()) found.token = std::move(token);
  };
  if (!places.token_query.empty()) take(TakeParameter(places.token_query, handshake.query));
  if (places.token_authorization) {
    take(BearerOf(head));
    handshake.headers.erase("authorization");
  }
  if (!places.token_cookie.empty()) {
    take(CookieOf(head, places.token_cookie));
    handshake.cookies.erase(places.token_cookie);
  }
  if (!places.token_subprotocol.empty()) {
    take(TakeSubprotocol(places.token_subprotocol, handshake.offered_subprotocols));
  }
  found.client_session =
      TakeSubprotocol(std::string(kSessionSubprotocol), handshake.offered_subprotocols);
  if (!places.session_cookie.empty()) {
    found.session = CookieOf(head, places.session_cookie);
    handshake.cookies.erase(places.session_cookie);
  }
  return found;
}

}  // namespace wsrouter
