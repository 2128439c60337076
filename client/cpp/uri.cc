#include "wsrouter/uri.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace wsrouter::client {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The length of the well-formed sequence that `text` begins with (Unicode, table 3-7), 0 if none.
size_t Utf8SequenceLength(std::string_view text) {
  const auto octet = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = octet(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  uint8_t low = 0x80, high = 0xBF;  // of the second octet
  if (first == 0xE0) low = 0xA0;    // no overlong form
  if (first == 0xED) high = 0x9F;   // no surrogate
  if (first == 0xF0) low = 0x90;    // no overlong form
  if (first == 0xF4) high = 0x8F;   // nothing above U+10FFFF
  if (octet(1) < low || octet(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((octet(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// nullopt at a broken escape.
std::optional<std::string> DecodeQueryPart(std::string_view part) {
  std::string decoded;
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '+') {
      decoded += ' ';
    } else if (part[i] != '%') {
      decoded += part[i];
    } else {
      if (part.size() - i < 3) return std::nullopt;
      const int high = HexDigit(part[i + 1]), low = HexDigit(part[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

absl::Status Invalid(std::string_view url, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("URL '{}': {}", url, what));
}

}  // namespace

std::optional<std::string> QueryValue(std::string_view query, std::string_view name) {
  for (size_t at = 0; at <= query.size();) {
    const size_t end = std::min(query.find('&', at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    const size_t equals = std::min(pair.find('='), pair.size());
    if (DecodeQueryPart(pair.substr(0, equals)) == name) {
      std::optional<std::string> value =
          DecodeQueryPart(pair.substr(std::min(equals + 1, pair.size())));
      return value && IsUtf8(*value) ? value : std::nullopt;
    }
    at = end + 1;
  }
  return std::nullopt;
}

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(octet) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", octet);
    }
  }
  return encoded;
}

absl::StatusOr<WebSocketUrl> ParseWebSocketUrl(std::string_view url) {
  WebSocketUrl parsed;
  std::string_view rest = url;
  if (rest.starts_with("wss://")) {
    parsed.tls = true;
    rest.remove_prefix(6);
  } else if (rest.starts_with("ws://")) {
    rest.remove_prefix(5);
  } else {
    return Invalid(url, "must begin with ws:// or wss://");
  }
  const bool printable = std::all_of(rest.begin(), rest.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (!printable) return Invalid(url, "spaces, control and non-ASCII characters must be encoded");
  if (rest.find('#') != std::string_view::npos) return Invalid(url, "must not have a fragment");

  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  parsed.target = rest.substr(authority_end);
  if (!parsed.target.starts_with('/')) parsed.target.insert(0, "/");
  if (authority.find('@') != std::string_view::npos) return Invalid(url, "must not name a user");

  size_t host_end = std::min(authority.find(':'), authority.size());
  if (authority.starts_with('[')) {
    host_end = authority.find(']');
    if (host_end == std::string_view::npos) return Invalid(url, "']' is missing");
    parsed.host = authority.substr(1, host_end - 1);
    ++host_end;
  } else {
    parsed.host = authority.substr(0, host_end);
  }
  if (parsed.host.empty()) return Invalid(url, "must name a host");
  const std::string_view port = authority.substr(host_end);
  parsed.port = port.empty() ? (parsed.tls ? "443" : "80") : std::string(port.substr(1));
  int number = 0;
  if ((!port.empty() && port.front() != ':') || !absl::SimpleAtoi(parsed.port, &number) ||
      number < 1 || number > 65535) {
    return Invalid(url, "the port must be a number of 1 to 65535");
  }
  return parsed;
}

}  // namespace wsrouter::client
