#include "config_format.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "auth/issuer_line.h"
#include "base/listen_address.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "control/backend_options.h"
#include "control/role.h"
#include "core/namespaces.h"
#include "engine/redis_address.h"
#include "engine/seal_key.h"
#include "gateway/forwarded.h"

namespace wsrouter {
namespace {

template <typename Test>
bool AllOf(std::string_view text, Test test) {
  return !text.empty() && std::all_of(text.begin(), text.end(), test);
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint32_t port = 0;
  if (text.size() > 5 || !AllOf(text, absl::ascii_isdigit)) return std::nullopt;
  if (!absl::SimpleAtoi(AbslView(text), &port) || port > UINT16_MAX) return std::nullopt;
  return static_cast<uint16_t>(port);
}

bool IsUrlPath(std::string_view text) {
  return text.starts_with('/') &&
         AllOf(text, [](char c) { return c > ' ' && c < 0x7F && c != '?' && c != '#'; });
}

bool IsReadableFile(std::string_view text) {
  std::error_code error;
  const std::filesystem::path path(text);
  return !std::filesystem::is_directory(path, error) && access(path.c_str(), R_OK) == 0;
}

// RFC 6454 section 6.2: an origin as a browser writes it.
bool IsOrigin(std::string_view text) {
  if (text == "*") return true;
  const auto lower = [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); };
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, colon);
  std::string_view host = text.substr(colon + 3);
  if (!absl::ascii_islower(scheme.empty() ? '0' : scheme[0]) ||
      !AllOf(scheme, [&](char c) { return lower(c) || c == '+' || c == '-' || c == '.'; })) {
    return false;
  }
  const size_t port = host.rfind(':');
  if (port != std::string_view::npos && host.find(']', port) == std::string_view::npos) {
    if (!ParsePort(host.substr(port + 1))) return false;
    host = host.substr(0, port);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    return AllOf(host.substr(1, host.size() - 2),
                 [](char c) { return absl::ascii_isxdigit(c) || c == ':' || c == '.'; });
  }
  return AllOf(host, [&](char c) { return lower(c) || c == '-' || c == '.' || c == '_'; });
}

// RFC 9110 section 5.6.2.
bool IsToken(std::string_view text) {
  return AllOf(text, [](char c) {
    return absl::ascii_isalnum(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool IsBackendRoute(std::string_view text) {
  const auto route = ParseBackendRoute(text);
  return route.has_value() && IsUrlPath(route->prefix) && IsPlainText(text);
}

bool IsServerId(std::string_view text) {
  return AllOf(text, [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == ':' || c == '-';
  });
}

}  // namespace

bool HasFormat(v1::ConfigFormat format, std::string_view text) {
  switch (format) {
    case v1::CONFIG_FORMAT_LISTEN:
      return ParseListenAddress(text).has_value();
    case v1::CONFIG_FORMAT_URL_PATH:
      return IsUrlPath(text);
    case v1::CONFIG_FORMAT_FILE:
      return IsPlainText(text) && IsReadableFile(text);
    case v1::CONFIG_FORMAT_ORIGIN:
      return IsOrigin(text);
    case v1::CONFIG_FORMAT_TOKEN:
      return IsToken(text);
    case v1::CONFIG_FORMAT_SERVER_ID:
      return IsServerId(text);
    case v1::CONFIG_FORMAT_REDIS_URL:
      return ParseRedisUrl(text).ok();
    case v1::CONFIG_FORMAT_SEAL_KEY:
      return ParseSealKey(text).ok();
    case v1::CONFIG_FORMAT_ENDPOINT:
      return ParseRedisEndpoint(text).ok();
    case v1::CONFIG_FORMAT_NETWORK:
      return TrustedProxies::Parse({std::string(text)}).ok();
    case v1::CONFIG_FORMAT_ISSUER:
      return IsPlainText(text) && ParseIssuerLine(text).ok();
    case v1::CONFIG_FORMAT_RATE:
      return ParseRateLimit(text).ok();
    case v1::CONFIG_FORMAT_NAMESPACE:
      return IsPlainText(text) && Namespaces::Parse({std::string(text)}, {}).ok();
    case v1::CONFIG_FORMAT_NAMED_ROLE:
      return ParseNamedRole(text).has_value();
    case v1::CONFIG_FORMAT_BACKEND_ROUTE:
      return IsBackendRoute(text);
    case v1::CONFIG_FORMAT_BACKEND_METHOD:
      return ParseBackendMethod(text).has_value();
    default:
      return IsPlainText(text);
  }
}

std::string_view WantedBy(v1::ConfigFormat format) {
  switch (format) {
    case v1::CONFIG_FORMAT_LISTEN:
      return "host:port with a numeric address, IPv6 in brackets, or localhost";
    case v1::CONFIG_FORMAT_URL_PATH:
      return "a path of printable ASCII that begins with '/', without '?', '#' and blanks";
    case v1::CONFIG_FORMAT_FILE:
      return "a file that can be read";
    case v1::CONFIG_FORMAT_ORIGIN:
      return "an origin in lower case such as https://www.example.org, or *";
    case v1::CONFIG_FORMAT_TOKEN:
      return "a name without blanks and separators";
    case v1::CONFIG_FORMAT_SERVER_ID:
      return "letters, digits, '.', '_', ':' and '-'";
    case v1::CONFIG_FORMAT_REDIS_URL:
      return "redis://[user][:password@]host[:port][/database], rediss://... or redis+unix://...";
    case v1::CONFIG_FORMAT_ENDPOINT:
      return "host:port, IPv6 in brackets";
    case v1::CONFIG_FORMAT_NETWORK:
      return "an IP address or a network such as 10.0.0.0/8";
    case v1::CONFIG_FORMAT_ISSUER:
      return "<issuer> <algorithm> <file or https URL of the keys>[ <prefix>] with HS256 (file "
             "only), RS256, ES256 or EdDSA";
    case v1::CONFIG_FORMAT_RATE:
      return "0, or pushes and a window such as 100/1s, 1 to 10000 in 1ms to 1h";
    case v1::CONFIG_FORMAT_NAMESPACE:
      return "<prefix> <option>=<value> ..., such as \"chat: room_rate=50/1s\"";
    case v1::CONFIG_FORMAT_NAMED_ROLE:
      return "<name> <role> with a role of read, publish or admin";
    case v1::CONFIG_FORMAT_SEAL_KEY:
      return "<id>:<secret> with a secret of 32 octets or more";
    case v1::CONFIG_FORMAT_BACKEND_ROUTE:
      return "a path, a blank and a gRPC name such as dns:///chat:50051, or the word attached; "
             "behind it \" rooms=<prefix>\" or nothing";
    case v1::CONFIG_FORMAT_BACKEND_METHOD:
      return "Connect, Message, Disconnected or JoinCheck";
    default:
      return "UTF-8 without control characters";
  }
}

}  // namespace wsrouter
