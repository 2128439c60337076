#include "engine/redis_address.h"

#include <sys/un.h>

#include <charconv>
#include <optional>

#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr std::string_view kTcp = "redis://";
constexpr std::string_view kTls = "rediss://";
constexpr std::string_view kUnix = "redis+unix://";

// No message shows the text: it may hold a password.
absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("the URL of Redis: {}", what));
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

absl::Status ParseUser(std::string_view text, RedisAddress& address) {
  const size_t colon = text.find(':');
  const auto user = PercentDecoded(text.substr(0, colon));
  const auto password =
      PercentDecoded(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  if (!user.has_value() || !password.has_value()) {
    return Malformed("a % in user or password must be followed by two hexadecimal digits");
  }
  if (password->empty()) return Malformed("an empty password, want [user]:password before the @");
  address.username = *user;
  address.password = *password;
  return absl::OkStatus();
}

absl::Status ParseHost(std::string_view text, RedisAddress& address) {
  size_t end = text.find(':');
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return Malformed("a [ without ]");
    address.host = text.substr(1, end - 1);
    ++end;
  } else {
    address.host = text.substr(0, end);
  }
  if (address.host.empty()) return Malformed("no host");
  if (end >= text.size()) return absl::OkStatus();
  const auto port = text[end] == ':' ? ParseNumber<uint16_t>(text.substr(end + 1)) : std::nullopt;
  if (port.value_or(0) == 0) return Malformed("the port must be a number from 1 to 65535");
  address.port = *port;
  return absl::OkStatus();
}

absl::Status ParseDatabase(std::string_view text, RedisAddress& address) {
  const auto database = ParseNumber<uint32_t>(text);
  if (!database.has_value()) return Malformed("the database must be a number");
  address.database = *database;
  return absl::OkStatus();
}

absl::Status ParsePath(std::string_view text, RedisAddress& address) {
  const size_t question = text.find('?');
  address.unix_path = text.substr(0, question);
  if (address.unix_path.size() < 2 || address.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Malformed("the path of the socket must have 2 to 107 octets");
  }
  if (question == std::string_view::npos) return absl::OkStatus();
  const std::string_view query = text.substr(question + 1);
  if (!query.starts_with("db=")) return Malformed("behind the path only ?db=n is known");
  return ParseDatabase(query.substr(3), address);
}

}  // namespace

absl::StatusOr<RedisAddress> ParseRedisUrl(std::string_view url) {
  const bool local = url.starts_with(kUnix);
  const bool tls = url.starts_with(kTls);
  if (!local && !tls && !url.starts_with(kTcp)) {
    return Malformed("want redis://..., rediss://... or redis+unix://...");
  }
  url.remove_prefix((local ? kUnix : tls ? kTls : kTcp).size());
  if (url.find('\0') != std::string_view::npos) return Malformed("an octet of zero");

  RedisAddress address;
  address.tls.on = tls;
  const size_t slash = url.find('/');
  std::string_view authority = url.substr(0, slash);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (absl::Status user = ParseUser(authority.substr(0, at), address); !user.ok()) return user;
    authority.remove_prefix(at + 1);
  }
  absl::Status rest;
  if (local) {
    if (!authority.empty() || slash == std::string_view::npos) {
      return Malformed("want the absolute path of the socket, and no host");
    }
    rest = ParsePath(url.substr(slash), address);
  } else {
    rest = ParseHost(authority, address);
    if (rest.ok() && slash != std::string_view::npos && slash + 1 < url.size()) {
      rest = ParseDatabase(url.substr(slash + 1), address);
    }
  }
  if (!rest.ok()) return rest;
  return address;
}

absl::StatusOr<RedisEndpoint> ParseRedisEndpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  RedisEndpoint endpoint;
  endpoint.host = text.substr(0, colon);
  if (endpoint.host.starts_with('[') && endpoint.host.ends_with(']')) {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  } else if (endpoint.host.find(':') != std::string::npos) {
    endpoint.host.clear();
  }
  const auto port = colon == std::string_view::npos ? std::nullopt
                                                    : ParseNumber<uint16_t>(text.substr(colon + 1));
  if (endpoint.host.empty() || !port.has_value() || *port == 0) {
    return absl::InvalidArgumentError("wanted host:port, IPv6 in brackets");
  }
  endpoint.port = *port;
  return endpoint;
}

std::string RedisAddress::ToString() const {
  if (!sentinels.empty() && host.empty()) return fmt::format("sentinel master {}", master);
  if (!cluster.empty() && host.empty()) {
    return fmt::format("Redis Cluster of {}:{}", cluster[0].host, cluster[0].port);
  }
  if (host.empty()) {
    return fmt::format("{}{}{}", kUnix, unix_path,
                       database == 0 ? "" : fmt::format("?db={}", database));
  }
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}{}:{}{}", tls.on ? kTls : kTcp, v6 ? "[" : "", host, v6 ? "]" : "",
                     port, database == 0 ? "" : fmt::format("/{}", database));
}

}  // namespace wsrouter
