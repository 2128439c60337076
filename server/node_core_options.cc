// What the rules and the engines are told.
#include <algorithm>
#include <memory>

#include "config_value.h"
#include "control/policy.h"
#include "node_options.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kStayMin =
    absl::Seconds(3);  // a consumer without credits asks each second
constexpr absl::Duration kStayMax = absl::Seconds(10);

SlowConsumerPolicy PolicyOf(const v1::LimitsConfig& limits) {
  return ToPolicy(limits.slow_consumer_policy()).value_or(SlowConsumerPolicy::kDrop);
}

PresenceLimits ToPresence(const v1::PresenceConfig& from) {
  return {.on = from.enabled(),
          .interval = ToDuration(from.interval()),
          .grace = ToDuration(from.grace()),
          .named_max = from.named_max(),
          .rooms_max = from.rooms_max(),
          .rooms_per_connection = from.rooms_per_connection()};
}

}  // namespace

Limits ToLimits(const v1::Config& config) {
  const v1::LimitsConfig& from = config.limits();
  return {.owner_capacity = from.owner_capacity(),
          .room_members_capacity = from.room_members_capacity(),
          .connections_per_client = from.connections_per_client(),
          .rooms_per_connection = from.rooms_per_connection(),
          .slow_consumer_bytes = from.slow_consumer_bytes(),
          .slow_consumer_policy = PolicyOf(from),
          .namespaces = std::make_shared<const Namespaces>(ToNamespaces(config)),
          .outbox_age_max = ToDuration(from.outbox_age_max()),
          .outbox_budget = from.outbox_budget(),
          .resume_window = ToDuration(config.gateway().resume_window()),
          .parked_max = config.gateway().resume_max(),
          .auth_timeout = ToDuration(config.gateway().auth_timeout()),
          .presence = ToPresence(config.presence())};
}

Namespaces ToNamespaces(const v1::Config& config) {
  const v1::LimitsConfig& from = config.limits();
  const NamespaceOptions defaults = {
      .room_rate = ParseRateLimit(from.room_rate()).value_or(RateLimit()),
      .client_rate = ParseRateLimit(from.client_rate()).value_or(RateLimit()),
      .on_limit = from.on_rate_limit() == v1::ON_RATE_LIMIT_DISCONNECT ? OnRateLimit::kDisconnect
                                                                       : OnRateLimit::kDrop,
      .slow_consumer = PolicyOf(from),
      .history = {.size = config.history().size(),
                  .ttl = ToDuration(config.history().ttl()),
                  .always = config.history().reliable() == v1::RELIABLE_ALWAYS}};
  return Namespaces::Parse({from.namespaces().begin(), from.namespaces().end()}, defaults)
      .value_or(Namespaces(defaults));
}

HistoryLimits ToHistoryLimits(const v1::Config& config) {
  const v1::HistoryConfig& from = config.history();
  return {.position_ttl = ToDuration(from.position_ttl()),
          .idempotency_window = ToDuration(from.idempotency_window()),
          .memory_bytes_max = from.memory_bytes_max()};
}

EventLogOptions ToEventLogOptions(const v1::Config& config) {
  const v1::EventsConfig& from = config.events();
  return {.on = from.log(),
          .partitions = from.partitions(),
          .entries_max = from.entries_max(),
          .age_max = ToDuration(from.age_max()),
          .deliveries_max = from.deliveries_max(),
          // Whoever hands out for a consumer is a node, and is gone as soon as a node is.
          .stay = std::clamp(ToDuration(config.redis().lease()), kStayMin, kStayMax)};
}

}  // namespace wsrouter
