#include "node_options.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/ascii.h"
#include "base/listen_address.h"
#include "config_value.h"
#include "fmt/format.h"

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
  to.upgrade.echo_path = from.echo_path();
  to.upgrade.allowed_origins = {from.allowed_origins().begin(), from.allowed_origins().end()};
  to.upgrade.subprotocols = {from.subprotocols().begin(), from.subprotocols().end()};
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
  return to;
}

Limits ToLimits(const v1::Config& config) {
  const v1::LimitsConfig& from = config.limits();
  return {.owner_capacity = from.owner_capacity(),
          .room_members_capacity = from.room_members_capacity(),
          .connections_per_client = from.connections_per_client(),
          .rooms_per_connection = from.rooms_per_connection(),
          .slow_consumer_bytes = from.slow_consumer_bytes(),
          .slow_consumer_policy = from.slow_consumer_policy() == v1::SLOW_CONSUMER_POLICY_DISCONNECT
                                      ? SlowConsumerPolicy::kDisconnect
                                      : SlowConsumerPolicy::kDrop,
          .auth_timeout = ToDuration(config.gateway().auth_timeout())};
}

ControlOptions ToControlOptions(const v1::Config& config) {
  const v1::ControlConfig& from = config.control();
  ControlOptions to;
  to.listen = Numeric(from.listen());
  to.insecure_control = from.insecure_control();
  to.message_bytes_max = from.message_bytes_max();
  to.streams_max = from.streams_max();
  to.watchers_max = from.watchers_max();
  to.watch_queue_events_max = from.watch_queue_events_max();
  to.watch_queue_bytes_max = from.watch_queue_bytes_max();
  to.payload_bytes_max = config.limits().payload_bytes_max();
  return to;
}

RedisEngine::Options ToRedisOptions(const v1::Config& config) {
  const v1::RedisConfig& from = config.redis();
  RedisEngine::Options to;
  to.address = ParseRedisUrl(from.url()).value_or(RedisAddress());
  for (const std::string& sentinel : from.sentinels()) {
    to.address.sentinels.push_back(ParseRedisEndpoint(sentinel).value_or(RedisEndpoint()));
  }
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
  to.limits = ToLimits(config);
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
