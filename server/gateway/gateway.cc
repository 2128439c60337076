#include "gateway/gateway.h"

#include <openssl/ssl.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/random.h"
#include "fmt/format.h"
#include "gateway/acceptor.h"
#include "gateway/certificate_watch.h"
#include "gateway/outbox_budget.h"
#include "gateway/pressure.h"
#include "gateway/shard_loop.h"

namespace wsrouter {
namespace {

// Descriptors that are not clients': event loops, Redis, gRPC peers, files, listeners. A quarter of
// what there is, within these.
constexpr uint64_t kDescriptorReserveMin = 96;
constexpr uint64_t kDescriptorReserveMax = 256;
constexpr uint64_t kDescriptorsOfShard = 4;
constexpr uint64_t kConnectionsMin = 64;  // fewer would be a mistake, not a node
// Requests under way that one address may have in any case: an office that comes back at once.
constexpr uint32_t kHalfOpenOfAddressMin = 32;

// How many sockets of clients the limit of descriptors leaves room for.
absl::StatusOr<uint32_t> DescriptorsForClients(const GatewayOptions& options) {
  rlimit limit{};
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  const uint64_t reserve =
      std::clamp<uint64_t>(limit.rlim_cur / 4, kDescriptorReserveMin, kDescriptorReserveMax) +
      kDescriptorsOfShard * options.shards;
  if (limit.rlim_cur < reserve + kConnectionsMin) {
    return absl::FailedPreconditionError(
        fmt::format("the process may have {} descriptors, want at least {}", limit.rlim_cur,
                    reserve + kConnectionsMin));
  }
  return static_cast<uint32_t>(std::min<uint64_t>(limit.rlim_cur, UINT32_MAX) - reserve);
}

// What is not set follows from how many clients there may be. One address gets a quarter of the
// requests under way, where addresses tell clients apart.
Pressure::Options PressureOptions(const GatewayOptions& options, uint32_t connections_max) {
  const uint32_t half_open_max = options.half_open_max > 0
                                     ? options.half_open_max
                                     : std::clamp<uint32_t>(connections_max / 4, 64, 10'000);
  const bool by_address =
      options.connections_per_address > 0 && options.connects_per_address_rate > 0;
  return {
      .half_open_max = half_open_max,
      .half_open_per_address = by_address ? std::max(half_open_max / 4, kHalfOpenOfAddressMin) : 0,
      .memory_max = options.memory_max,
      .upgrades_rate = options.upgrades_rate,
      .connects_rate = options.connects_per_address_rate,
      .connects_burst = options.connects_per_address_burst};
}

absl::StatusOr<std::vector<Listener>> ListenAt(const std::vector<std::string>& addresses) {
  std::vector<Listener> listeners;
  for (const std::string& address : addresses) {
    absl::StatusOr<Listener> listener = Listen(address);
    if (!listener.ok()) return listener.status();
    listeners.push_back(*std::move(listener));
  }
  return listeners;
}

// libwebsockets would not say which file is wrong.
absl::Status CheckTlsFiles(const std::string& cert, const std::string& key) {
  if (cert.empty()) return absl::OkStatus();
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  SSL_CTX_free);
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert.c_str()) != 1) {
    return absl::InvalidArgumentError(fmt::format("tls: no certificate chain in {}", cert));
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return absl::InvalidArgumentError(
        fmt::format("tls: no private key that fits {} in {}", cert, key));
  }
  return absl::OkStatus();
}

// What of the node's limits each of its shards has a share of.
Limits LimitsOfShard(Limits limits, size_t shards) {
  limits.parked_max = std::max<size_t>(limits.parked_max / shards, 1);
  return limits;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Create(Parts parts) {
  const GatewayOptions& given = parts.options;
  if (absl::Status files = CheckTlsFiles(given.tls_cert_file, given.tls_key_file); !files.ok()) {
    return files;
  }
  const absl::StatusOr<uint32_t> descriptors = DescriptorsForClients(given);
  if (!descriptors.ok()) return descriptors.status();
  const uint32_t connections_max = given.connections_max > 0 ? given.connections_max : *descriptors;
  absl::StatusOr<std::vector<Listener>> listeners = ListenAt(given.listen);
  if (!listeners.ok()) return listeners.status();
  std::unique_ptr<Gateway> gateway(new Gateway(parts.clock));
  for (const Listener& listener : *listeners) gateway->addresses_.push_back(listener.address);
  const auto shared = std::make_shared<const GatewayOptions>(std::move(parts.options));
  const GatewayOptions& options = *shared;
  gateway->connections_max_ = connections_max;
  gateway->addresses_limit_ = std::make_unique<AddressLimit>(options.connections_per_address);
  gateway->pressure_ = std::make_unique<Pressure>(PressureOptions(options, connections_max));
  parts.limits = LimitsOfShard(parts.limits, options.shards);
  gateway->budget_ = std::make_unique<OutboxBudget>(parts.limits.outbox_budget, options.shards);
  if (absl::Status started = gateway->StartLoops(parts, shared); !started.ok()) return started;
  if (!options.tls_cert_file.empty()) {
    gateway->certificates_ = CertificateWatch::Start(
        {.cert = options.tls_cert_file, .key = options.tls_key_file, .client_ca = {}},
        [raw = gateway.get(), &stats = parts.stats](std::shared_ptr<const Certificate> read) {
          stats.SetCertificateExpiry(ListeningPort::kGateway, read->expires_at);
          for (const std::unique_ptr<ShardLoop>& loop : raw->loops_) loop->SetCertificate(read);
        },
        parts.clock);
  }
  gateway->acceptor_ =
      std::make_unique<Acceptor>(Acceptor::Parts{.listeners = *std::move(listeners),
                                                 .connections_max = connections_max,
                                                 .tls = !options.tls_cert_file.empty(),
                                                 .descriptors_max = *descriptors,
                                                 .addresses = *gateway->addresses_limit_,
                                                 .connects = {TokenRate(0, 1), RandomSeed()},
                                                 .pressure = *gateway->pressure_,
                                                 .shards = gateway->loops_,
                                                 .counters = parts.stats.AddCounters(),
                                                 .clock = parts.clock});
  if (absl::Status started = gateway->acceptor_->Start(); !started.ok()) return started;
  return gateway;
}

absl::Status Gateway::StartLoops(const Parts& parts,
                                 const std::shared_ptr<const GatewayOptions>& options) {
  const auto presence =
      Presence::Make(parts.limits.presence, parts.directory, parts.stats.AddCounters());
  for (uint16_t index = 0; index < options->shards; ++index) {
    auto loop = std::make_unique<ShardLoop>(ShardLoop::Parts{.node = parts.stats.node(),
                                                             .index = index,
                                                             .options = options,
                                                             .limits = parts.limits,
                                                             .addresses = *addresses_limit_,
                                                             .pressure = *pressure_,
                                                             .budget = *budget_,
                                                             .broker = parts.broker,
                                                             .directory = parts.directory,
                                                             .events = parts.events,
                                                             .backend = parts.backend,
                                                             .counters = parts.stats.AddCounters(),
                                                             .gauges = parts.stats.AddGauges(),
                                                             .measures = parts.measures.AddBlock(),
                                                             .clock = parts.clock,
                                                             .sessions = parts.sessions,
                                                             .history = parts.history,
                                                             .presence = presence});
    if (absl::Status started = loop->Start(); !started.ok()) return started;
    loops_.push_back(std::move(loop));
  }
  return absl::OkStatus();
}

Gateway::Gateway(const Clock& clock) : clock_(clock) {}
Gateway::~Gateway() { Stop(absl::ZeroDuration()); }

absl::Duration Gateway::Lag() const {
  absl::Duration oldest = absl::InfiniteDuration();
  for (const std::unique_ptr<ShardLoop>& loop : loops_) {
    oldest = std::min(oldest, loop->last_turn());
  }
  return std::max(absl::ZeroDuration(), clock_.Now().uptime - oldest);
}

void Gateway::Drain(absl::Duration window) {
  absl::MutexLock lock(&loops_mutex_);
  for (const std::unique_ptr<ShardLoop>& loop : loops_) loop->Drain(window);
}

void Gateway::Undrain() {
  absl::MutexLock lock(&loops_mutex_);
  for (const std::unique_ptr<ShardLoop>& loop : loops_) loop->Undrain();
}

void Gateway::Reload(GatewayOptions options, const Limits& limits) {
  pressure_->SetOptions(PressureOptions(options, connections_max_));
  const auto shared = std::make_shared<const GatewayOptions>(std::move(options));
  absl::MutexLock lock(&loops_mutex_);
  const Limits shares = LimitsOfShard(limits, loops_.size());
  for (const std::unique_ptr<ShardLoop>& loop : loops_) loop->Reload(shared, shares);
}

LoopLoad Gateway::Load() const {
  LoopLoad load{.lag = Lag()};
  for (const std::unique_ptr<ShardLoop>& loop : loops_) {
    const uint64_t waiting = loop->waiting();
    load.mailbox_messages += waiting;
    load.mailbox_messages_max = std::max(load.mailbox_messages_max, waiting);
  }
  return load;
}

void Gateway::Hurry() {
  absl::MutexLock lock(&loops_mutex_);
  for (const std::unique_ptr<ShardLoop>& loop : loops_) loop->Hurry();
}

void Gateway::Stop(absl::Duration deadline, absl::Duration window) {
  if (acceptor_ != nullptr) acceptor_->Stop();
  certificates_.reset();
  const absl::Duration end = clock_.Now().uptime + deadline;
  for (const std::unique_ptr<ShardLoop>& loop : loops_) loop->BeginStop(window);
  for (const std::unique_ptr<ShardLoop>& loop : loops_) loop->FinishStop(end);
  absl::MutexLock lock(&loops_mutex_);
  loops_.clear();
}

}  // namespace wsrouter
