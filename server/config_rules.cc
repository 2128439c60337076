#include "config_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "auth/issuer_line.h"
#include "base/listen_address.h"
#include "base/strings.h"
#include "config_number.h"
#include "config_value.h"
#include "control/backend_options.h"
#include "core/namespaces.h"
#include "engine/redis_address.h"

namespace wsrouter {
namespace {

absl::Status Refuse(std::string_view key, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", key, what));
}

absl::Status CheckGateway(const v1::GatewayConfig& gateway) {
  if (gateway.echo_path() == gateway.path()) {
    return Refuse("gateway.echo_path", "must differ from gateway.path");
  }
  for (const std::string& header : gateway.event_headers()) {
    if (absl::EqualsIgnoreCase(header, "cookie")) {
      return Refuse("gateway.event_headers",
                    "must not have cookie; gateway.event_cookies shows single cookies");
    }
  }
  if (gateway.tls().cert_file().empty() != gateway.tls().key_file().empty()) {
    const bool cert = gateway.tls().cert_file().empty();
    return Refuse(cert ? "gateway.tls.cert_file" : "gateway.tls.key_file",
                  cert ? "must be set when gateway.tls.key_file is"
                       : "must be set when gateway.tls.cert_file is");
  }
  return absl::OkStatus();
}

absl::Status CheckControlTls(const v1::ControlConfig& control) {
  const v1::ControlTlsConfig& tls = control.tls();
  if (tls.cert_file().empty() != tls.key_file().empty()) {
    const bool cert = tls.cert_file().empty();
    return Refuse(cert ? "control.tls.cert_file" : "control.tls.key_file",
                  cert ? "must be set when control.tls.key_file is"
                       : "must be set when control.tls.cert_file is");
  }
  if (!tls.client_ca_file().empty() && tls.cert_file().empty()) {
    return Refuse("control.tls.client_ca_file", "wants control.tls.cert_file, too");
  }
  if (!control.client_names().empty() && tls.client_ca_file().empty()) {
    return Refuse("control.client_names",
                  "wants control.tls.client_ca_file, which says whose certificates count");
  }
  if (!tls.client_ca_file().empty() && control.client_names().empty() &&
      control.tokens_file().empty()) {
    return Refuse("control.tls.client_ca_file",
                  "wants control.client_names or control.tokens_file, which say who may call what");
  }
  return absl::OkStatus();
}

absl::Status CheckControl(const v1::ControlConfig& control) {
  const absl::Status tls = CheckControlTls(control);
  if (!tls.ok()) return tls;
  const std::optional<ListenAddress> address = ParseListenAddress(control.listen());
  if (!address || address->IsLoopback() || control.insecure_control()) return absl::OkStatus();
  const bool required = !control.client_names().empty() || !control.tokens_file().empty();
  if (required && !control.tls().cert_file().empty()) return absl::OkStatus();
  return Refuse("control.listen",
                fmt::format("{} is not loopback and {}; wanted a loopback address, or control.tls "
                            "with control.client_names or control.tokens_file, or "
                            "control.insecure_control: true",
                            control.listen(),
                            required ? "control.tokens_file without control.tls sends tokens in "
                                       "plain text"
                                     : "nothing says who may call"));
}

// A payload travels in a request or an event, beside ids, rooms and labels.
constexpr uint64_t kEnvelopeBytesMax = 64 << 10;

absl::Status CheckSizes(const v1::Config& config) {
  const v1::LimitsConfig& limits = config.limits();
  const uint64_t message_bytes_max = config.control().message_bytes_max();
  const auto size = [](uint64_t octets) { return FormatConfigNumber(octets, true); };
  for (const auto& [key, octets] :
       {std::pair("gateway.message_bytes_max", config.gateway().message_bytes_max()),
        std::pair("limits.payload_bytes_max", limits.payload_bytes_max())}) {
    if (octets + kEnvelopeBytesMax <= message_bytes_max) continue;
    return Refuse(key, fmt::format("must be smaller than control.message_bytes_max, {}, by {} at "
                                   "least, got {}",
                                   size(message_bytes_max), size(kEnvelopeBytesMax), size(octets)));
  }
  if (limits.slow_consumer_bytes() <= limits.payload_bytes_max()) {
    return Refuse(
        "limits.slow_consumer_bytes",
        fmt::format("must be larger than limits.payload_bytes_max, {}, got {}",
                    size(limits.payload_bytes_max()), size(limits.slow_consumer_bytes())));
  }
  return absl::OkStatus();
}

// The last client to be closed gets its close_timeout, and services a second to hear of it.
absl::Status CheckDrain(const v1::DrainConfig& drain, const v1::GatewayConfig& gateway) {
  const absl::Duration least = ToDuration(drain.notice()) + ToDuration(drain.window()) +
                               ToDuration(gateway.close_timeout()) + absl::Seconds(1);
  const absl::Duration deadline = ToDuration(drain.deadline());
  if (deadline >= least) return absl::OkStatus();
  return Refuse("drain.deadline",
                fmt::format("must be at least drain.notice, drain.window, gateway.close_timeout "
                            "and 1s together, {}, got {}",
                            FormatConfigDuration(least), FormatConfigDuration(deadline)));
}

absl::Status CheckRedis(const v1::RedisConfig& redis) {
  if (!redis.cluster().empty() && !redis.sentinels().empty()) {
    return Refuse("redis.cluster", "a Redis Cluster has no sentinels, but redis.sentinels is set");
  }
  const auto address = ParseRedisUrl(redis.url());
  if (!redis.cluster().empty() && address.ok() && address->database != 0) {
    return Refuse("redis.cluster", "a Redis Cluster has database 0 alone, but redis.url names one");
  }
  if (redis.tls().cert_file().empty() != redis.tls().key_file().empty()) {
    return Refuse("redis.tls.key_file", "needs redis.tls.cert_file, and the other way round");
  }
  if (redis.prefix().find_first_of("{}") != std::string::npos) {
    return Refuse("redis.prefix", "must have no braces, which mark what a Redis Cluster hashes");
  }
  // A lease must outlast two heartbeats that were lost.
  const absl::Duration heartbeat = ToDuration(redis.heartbeat());
  if (3 * heartbeat > ToDuration(redis.lease())) {
    return Refuse("redis.lease",
                  fmt::format("must be at least three times redis.heartbeat, {}, got {}",
                              FormatConfigDuration(heartbeat),
                              FormatConfigDuration(ToDuration(redis.lease()))));
  }
  return absl::OkStatus();
}

absl::Status CheckAuth(const v1::AuthConfig& auth, const v1::GatewayConfig& gateway) {
  std::map<std::string, std::string> prefixes;
  for (const std::string& text : auth.issuers()) {
    const auto line = ParseIssuerLine(text);
    if (!line.ok()) continue;
    const auto [known, is_new] = prefixes.emplace(line->issuer, line->client_id_prefix);
    if (!is_new && known->second != line->client_id_prefix) {
      return Refuse("auth.issuers", fmt::format("must not give the issuer {} two prefixes",
                                                text.substr(0, text.find(' '))));
    }
  }
  const bool by_cookie = !auth.session_cookie_secrets().empty() ||
                         (!auth.issuers().empty() && !auth.token_cookie().empty());
  if (by_cookie && gateway.allowed_origins().empty()) {
    return Refuse(
        "gateway.allowed_origins",
        "must say whose pages may connect where cookies say who a client is; \"*\" for all");
  }
  const auto& headers = gateway.event_headers();
  if (!auth.token_subprotocol().empty() &&
      std::ranges::any_of(headers, [](const std::string& name) {
        return absl::EqualsIgnoreCase(name, "sec-websocket-protocol");
      })) {
    return Refuse("gateway.event_headers",
                  "must not show sec-websocket-protocol, in which auth.token_subprotocol is");
  }
  return absl::OkStatus();
}

absl::Status CheckNamespaces(const v1::LimitsConfig& limits) {
  const auto spaces =
      Namespaces::Parse({limits.namespaces().begin(), limits.namespaces().end()}, {});
  if (spaces.ok()) return absl::OkStatus();
  return Refuse("limits.namespaces", StdView(spaces.status().message()));
}

absl::Status CheckBackend(const v1::BackendConfig& backend) {
  std::set<std::string> prefixes;
  for (const std::string& route : backend.routes()) {
    const std::string prefix = ParseBackendRoute(route).value_or(BackendRoute()).prefix;
    if (!prefixes.insert(prefix).second) {
      return Refuse("backend.routes", fmt::format("must not have two routes for {}", prefix));
    }
  }
  if (backend.tls_cert_file().empty() != backend.tls_key_file().empty()) {
    const bool cert = backend.tls_cert_file().empty();
    return Refuse(cert ? "backend.tls_cert_file" : "backend.tls_key_file",
                  cert ? "must be set when backend.tls_key_file is"
                       : "must be set when backend.tls_cert_file is");
  }
  if (!backend.tls_cert_file().empty() && backend.tls_ca_file().empty()) {
    return Refuse("backend.tls_ca_file", "must be set when backend.tls_cert_file is");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckConfigRules(const v1::Config& config) {
  for (const absl::Status& status :
       {CheckGateway(config.gateway()), CheckControl(config.control()), CheckSizes(config),
        CheckDrain(config.drain(), config.gateway()), CheckRedis(config.redis()),
        CheckBackend(config.backend()), CheckNamespaces(config.limits()),
        CheckAuth(config.auth(), config.gateway())}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace wsrouter
