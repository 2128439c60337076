#include "gateway/gateway.h"

#include <openssl/ssl.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "fmt/format.h"
#include "gateway/acceptor.h"
#include "gateway/certificate_watch.h"
#include "gateway/shard_loop.h"

namespace wsrouter {
namespace {

// Descriptors that are not clients': event loops, gRPC peers, files, listeners.
constexpr uint64_t kDescriptorReserve = 256;
constexpr uint64_t kConnectionsMin = 64;  // fewer would be a mistake, not a node

absl::StatusOr<uint32_t> ConnectionsMax(const GatewayOptions& options) {
  if (options.connections_max > 0) return options.connections_max;
  rlimit limit{};
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < kDescriptorReserve + kConnectionsMin) {
    return absl::FailedPreconditionError(
        fmt::format("the process may have {} descriptors, want at least {}", limit.rlim_cur,
                    kDescriptorReserve + kConnectionsMin));
  }
  return static_cast<uint32_t>(std::min<uint64_t>(limit.rlim_cur, UINT32_MAX) -
                               kDescriptorReserve);
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

}  // namespace

struct Gateway::Settings {
  GatewayOptions options;
};

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Create(Parts parts) {
  const GatewayOptions& given = parts.options;
  if (absl::Status files = CheckTlsFiles(given.tls_cert_file, given.tls_key_file); !files.ok()) {
    return files;
  }
  const absl::StatusOr<uint32_t> connections_max = ConnectionsMax(given);
  if (!connections_max.ok()) return connections_max.status();
  std::vector<Listener> listeners;
  std::unique_ptr<Gateway> gateway(new Gateway(parts.clock));
  for (const std::string& address : given.listen) {
    absl::StatusOr<Listener> listener = Listen(address);
    if (!listener.ok()) return listener.status();
    gateway->addresses_.push_back(listener->address);
    listeners.push_back(*std::move(listener));
  }
  gateway->settings_ = std::make_unique<Settings>(Settings{std::move(parts.options)});
  const GatewayOptions& options = gateway->settings_->options;
  gateway->addresses_limit_ = std::make_unique<AddressLimit>(options.connections_per_address);
  for (uint16_t index = 0; index < options.shards; ++index) {
    auto loop = std::make_unique<ShardLoop>(
        ShardLoop::Parts{.node = parts.stats.node(),
                         .index = index,
                         .options = options,
                         .limits = parts.limits,
                         .addresses = *gateway->addresses_limit_,
                         .broker = parts.broker,
                         .directory = parts.directory,
                         .events = parts.events,
                         .backend = parts.backend,
                         .counters = parts.stats.AddCounters(),
                         .gauges = parts.stats.AddGauges(),
                         .clock = parts.clock});
    if (absl::Status started = loop->Start(); !started.ok()) return started;
    gateway->loops_.push_back(std::move(loop));
  }
  if (!options.tls_cert_file.empty()) {
    gateway->certificates_ = CertificateWatch::Start(
        {.cert = options.tls_cert_file, .key = options.tls_key_file, .client_ca = {}},
        [raw = gateway.get(), &stats = parts.stats](std::shared_ptr<const Certificate> read) {
          stats.SetCertificateExpiry(ListeningPort::kGateway, read->expires_at);
          for (const std::unique_ptr<ShardLoop>& loop : raw->loops_) loop->SetCertificate(read);
        },
        parts.clock);
  }
  gateway->acceptor_ = std::make_unique<Acceptor>(
      std::move(listeners), *connections_max, *gateway->addresses_limit_, gateway->loops_,
      parts.stats.AddCounters(), parts.clock);
  if (absl::Status started = gateway->acceptor_->Start(); !started.ok()) return started;
  return gateway;
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
