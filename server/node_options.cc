#include "node_options.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/ascii.h"
#include "base/listen_address.h"
#include "config_value.h"
#include "core/client_protocol.h"
#include "fmt/format.h"
#include "gateway/pressure.h"

namespace wsrouter {
namespace {

// With its head it goes out in one write, of which the socket library may have to keep a copy.
constexpr size_t kPageBytesMax = 60 << 10;

// With the host as a number: localhost is 127.0.0.1 for every listener alike.
std::string Numeric(const std::string& listen) {
  return ParseListenAddress(listen).value_or(ListenAddress()).ToString();
}

absl::StatusOr<std::string> ReadPage(const std::string& file) {
  if (file.empty()) return "";
  std::ifstream stream(file, std::ios::binary);
  // One octet more than allowed shows that there is more.
  std::string page(kPageBytesMax + 1, '\0');
  stream.read(page.data(), static_cast<std::streamsize>(page.size()));
  if (stream.bad() || (stream.fail() && !stream.eof())) {
    return absl::NotFoundError(
        fmt::format("gateway.page_file {} cannot be read: {}", file, std::strerror(errno)));
  }
  page.resize(static_cast<size_t>(stream.gcount()));
  if (page.size() > kPageBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("gateway.page_file {} is larger than 60KiB", file));
  }
  return page;
}

void SetAdmission(const v1::LimitsConfig& from, GatewayOptions& to) {
  to.frames_rate = from.client_messages_rate();
  to.frames_burst = from.client_messages_burst();
  to.connects_per_address_rate = from.connects_per_address_rate();
  to.connects_per_address_burst = from.connects_per_address_burst();
  to.half_open_max = from.half_open_max();
  to.memory_max = from.memory_max() > 0 ? from.memory_max() : MemoryOfControlGroup() / 10 * 9;
  to.loop_lag_max = ToDuration(from.loop_lag_max());
  to.upgrades_rate = from.upgrades_rate();
}

}  // namespace

absl::StatusOr<GatewayOptions> ToGatewayOptions(const v1::Config& config, unsigned cores) {
  const v1::GatewayConfig& from = config.gateway();
  absl::StatusOr<std::string> page = ReadPage(from.page_file());
  if (!page.ok()) return page.status();
  const uint32_t shards = config.node().shards() > 0 ? config.node().shards() : cores;
  GatewayOptions to;
  to.listen.clear();
  for (const std::string& listen : from.listen()) to.listen.push_back(Numeric(listen));
  to.shards = static_cast<uint16_t>(std::clamp<uint32_t>(shards, 1, kShardsMax));
  to.upgrade.paths = {from.path()};
  for (const std::string& route : config.backend().routes()) {
    to.upgrade.prefixes.push_back(ParseBackendRoute(route).value_or(BackendRoute()).prefix);
  }
  to.upgrade.echo_path = from.echo_path();
  to.upgrade.allowed_origins = {from.allowed_origins().begin(), from.allowed_origins().end()};
  to.upgrade.subprotocols = {from.subprotocols().begin(), from.subprotocols().end()};
  to.client_protocol = from.client_protocol();
  if (to.client_protocol && std::ranges::find(to.upgrade.subprotocols, kClientProtocol) ==
                                to.upgrade.subprotocols.end()) {
    to.upgrade.subprotocols.insert(to.upgrade.subprotocols.begin(), std::string(kClientProtocol));
  }
  to.refuse_visibly = from.refuse_visibly();
  to.trusted_proxies =
      TrustedProxies::Parse({from.trusted_proxies().begin(), from.trusted_proxies().end()})
          .value_or(TrustedProxies());
  const v1::AuthConfig& auth = config.auth();
  if (!auth.issuers().empty()) {
    to.credentials = {.token_query = auth.token_query(),
                      .token_authorization = auth.token_authorization(),
                      .token_cookie = auth.token_cookie(),
                      .token_subprotocol = auth.token_subprotocol()};
  }
  to.credentials.session_cookie = auth.session_cookie();
  to.page = *std::move(page);
  for (const std::string& header : from.event_headers()) {
    to.event_headers.push_back(absl::AsciiStrToLower(header));
  }
  to.event_cookies = {from.event_cookies().begin(), from.event_cookies().end()};
  to.tls_cert_file = from.tls().cert_file();
  to.tls_key_file = from.tls().key_file();
  to.message_bytes_max = static_cast<uint32_t>(from.message_bytes_max());
  to.connections_max = static_cast<uint32_t>(from.connections_max());
  to.connections_per_address = config.limits().connections_per_address();
  to.mailbox_messages_max = config.limits().mailbox_messages_max();
  to.upgrade_timeout = ToDuration(from.upgrade_timeout());
  to.close_timeout = ToDuration(from.close_timeout());
  to.ping_interval = ToDuration(from.ping_interval());
  to.pong_timeout = ToDuration(from.pong_timeout());
  SetAdmission(config.limits(), to);
  return to;
}

ControlOptions ToControlOptions(const v1::Config& config) {
  const v1::ControlConfig& from = config.control();
  ControlOptions to;
  to.listen = Numeric(from.listen());
  to.insecure_control = from.insecure_control();
  to.tls = {.cert = from.tls().cert_file(),
            .key = from.tls().key_file(),
            .client_ca = from.tls().client_ca_file()};
  to.tokens_file = from.tokens_file();
  for (const std::string& name : from.client_names()) {
    if (auto parsed = ParseNamedRole(name)) to.client_names.push_back(*std::move(parsed));
  }
  to.message_bytes_max = from.message_bytes_max();
  to.streams_max = from.streams_max();
  to.calls_rate = ParseRateLimit(from.calls_rate()).value_or(RateLimit());
  to.watchers_max = from.watchers_max();
  to.attached_max = from.attached_max();
  to.push_streams_max = from.push_streams_max();
  to.consumers_max = config.events().consumers_max();
  to.watch_queue_events_max = from.watch_queue_events_max();
  to.watch_queue_bytes_max = from.watch_queue_bytes_max();
  to.payload_bytes_max = config.limits().payload_bytes_max();
  return to;
}

BackendOptions ToBackendOptions(const v1::Config& config) {
  const v1::BackendConfig& from = config.backend();
  BackendOptions to;
  for (const std::string& route : from.routes()) {
    to.routes.push_back(ParseBackendRoute(route).value_or(BackendRoute()));
  }
  to.methods.reset();
  for (const std::string& name : from.methods()) {
    const auto method = ParseBackendMethod(name);
    if (method.has_value()) to.methods.set(static_cast<size_t>(*method));
  }
  to.timeout = ToDuration(from.timeout());
  to.concurrency_max = from.concurrency_max();
  to.queue_max = from.queue_max();
  if (from.connect_outage() == v1::CONNECT_OUTAGE_HOLD) to.connect_outage = ConnectOutage::kHold;
  if (from.connect_outage() == v1::CONNECT_OUTAGE_ACCEPT_PROVED) {
    to.connect_outage = ConnectOutage::kAcceptProved;
  }
  if (from.message_outage() == v1::MESSAGE_OUTAGE_DROP) to.message_outage = MessageOutage::kDrop;
  to.hold_max = ToDuration(config.gateway().upgrade_timeout());
  to.tls_ca_file = from.tls_ca_file();
  to.tls_cert_file = from.tls_cert_file();
  to.tls_key_file = from.tls_key_file();
  to.message_bytes_max = config.control().message_bytes_max();
  to.payload_bytes_max = config.limits().payload_bytes_max();
  return to;
}

DoorOptions ToDoorOptions(const v1::Config& config) {
  const v1::AuthConfig& from = config.auth();
  DoorOptions to;
  to.required = from.required();
  for (const std::string& text : from.issuers()) {
    const auto line = ParseIssuerLine(text);
    if (!line.ok()) continue;  // the configuration was checked
    to.keys.lines.push_back(*line);
    auto issuer = std::ranges::find(to.tokens.issuers, line->issuer, &TokenIssuer::name);
    if (issuer == to.tokens.issuers.end()) {
      issuer = to.tokens.issuers.insert(
          issuer, {.name = line->issuer,
                   .audiences = {from.audiences().begin(), from.audiences().end()},
                   .algorithms = {},
                   .client_id_prefix = line->client_id_prefix});
    }
    if (std::ranges::find(issuer->algorithms, line->algorithm) == issuer->algorithms.end()) {
      issuer->algorithms.push_back(line->algorithm);
    }
  }
  to.tokens.clock_slack = ToDuration(from.clock_slack());
  to.tokens.claims.client_id = from.client_claim();
  to.tokens.claims.rooms = from.rooms_claim();
  to.tokens.claims.labels = from.labels_claim();
  to.tokens.rooms_max = config.limits().rooms_per_connection();
  to.sessions.secrets = {from.session_cookie_secrets().begin(),
                         from.session_cookie_secrets().end()};
  to.sessions.field = from.session_cookie_field();
  if (from.session_cookie_form() == v1::SESSION_COOKIE_FORM_HEX) {
    to.sessions.form = CookieForm::kHex;
  } else if (from.session_cookie_form() == v1::SESSION_COOKIE_FORM_EXPRESS) {
    to.sessions.form = CookieForm::kExpress;
  }
  return to;
}

RedisEngine::Options ToRedisOptions(const v1::Config& config) {
  const v1::RedisConfig& from = config.redis();
  RedisEngine::Options to;
  to.address = ParseRedisUrl(from.url()).value_or(RedisAddress());
  for (const std::string& sentinel : from.sentinels()) {
    to.address.sentinels.push_back(ParseRedisEndpoint(sentinel).value_or(RedisEndpoint()));
  }
  to.address.tls.on = to.address.tls.on || !from.tls().ca_file().empty() ||
                      !from.tls().cert_file().empty() || !from.tls().server_name().empty();
  to.address.tls.ca_file = from.tls().ca_file();
  to.address.tls.cert_file = from.tls().cert_file();
  to.address.tls.key_file = from.tls().key_file();
  to.address.tls.server_name = from.tls().server_name();
  to.address.master = from.master();
  to.address.sentinel_username = from.sentinel_username();
  to.address.sentinel_password = from.sentinel_password();
  for (const std::string& server : from.cluster()) {
    to.address.cluster.push_back(ParseRedisEndpoint(server).value_or(RedisEndpoint()));
  }
  to.prefix = from.prefix();
  for (const std::string& key : from.hmac_keys()) {
    to.keys.push_back(ParseSealKey(key).value_or(SealKey()));
  }
  to.clock_skew_max = ToDuration(from.clock_skew_max());
  to.heartbeat = ToDuration(from.heartbeat());
  to.lease = ToDuration(from.lease());
  to.gc_interval = ToDuration(from.gc_interval());
  to.log = ToEventLogOptions(config);
  to.limits = ToLimits(config);
  to.namespaces = ToNamespaces(config);
  to.history = ToHistoryLimits(config);
  return to;
}

AdminOptions ToAdminOptions(const v1::Config& config) {
  const ListenAddress address =
      ParseListenAddress(config.admin().listen()).value_or(ListenAddress());
  return {.host = address.host, .port = address.port};
}

LogLevel ToLogLevel(v1::LogLevel level) {
  switch (level) {
    case v1::LOG_LEVEL_DEBUG:
      return LogLevel::kDebug;
    case v1::LOG_LEVEL_WARN:
      return LogLevel::kWarning;
    case v1::LOG_LEVEL_ERROR:
      return LogLevel::kError;
    default:
      return LogLevel::kInfo;
  }
}

}  // namespace wsrouter
