#ifndef WSROUTER_CORE_STATS_H_
#define WSROUTER_CORE_STATS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/counters.h"
#include "core/ids.h"

namespace wsrouter {

// The ports that may have a certificate.
enum class ListeningPort : uint8_t { kGateway, kControl };
inline constexpr std::array<std::string_view, 2> kListeningPortNames = {"gateway", "control"};

// What a node says of itself. Each block's owner writes; any thread reads.
class Stats {
 public:
  struct Now {
    uint64_t connections = 0;
    uint64_t parked = 0;
    uint64_t owned = 0;
    uint64_t rooms = 0;  // a room with members on two shards counts twice
    uint64_t members = 0;
    uint64_t outbox_bytes = 0;
  };

  Stats(NodeIdentity node, std::string version, absl::Time started_at)
      : node_(std::move(node)), version_(std::move(version)), started_at_(started_at) {}

  const NodeIdentity& node() const { return node_; }
  const std::string& version() const { return version_; }
  absl::Time started_at() const { return started_at_; }

  // Whether the rest of the cluster can be reached; a node by itself always is its whole cluster.
  // Any thread.
  void SetClusterUp(bool up) { cluster_up_.store(up, std::memory_order_relaxed); }
  bool cluster_up() const { return cluster_up_.load(std::memory_order_relaxed); }

  // When the certificate ends that a port shows; nothing for a port without TLS. Any thread.
  void SetCertificateExpiry(ListeningPort port, absl::Time expires_at) {
    certificate_expiry_[static_cast<size_t>(port)].store(absl::ToUnixSeconds(expires_at),
                                                         std::memory_order_relaxed);
  }
  std::optional<absl::Time> CertificateExpiry(ListeningPort port) const {
    const int64_t seconds =
        certificate_expiry_[static_cast<size_t>(port)].load(std::memory_order_relaxed);
    if (seconds == 0) return std::nullopt;
    return absl::FromUnixSeconds(seconds);
  }

  // Good as long as this is.
  Counters& AddCounters() {
    absl::MutexLock lock(&mutex_);
    return counters_.emplace_back();
  }
  Gauges& AddGauges() {
    absl::MutexLock lock(&mutex_);
    return gauges_.emplace_back();
  }

  uint64_t Total(Counter counter) const {
    uint64_t total = 0;
    absl::MutexLock lock(&mutex_);
    for (const Counters& block : counters_) total += block.Get(counter);
    return total;
  }
  Now Read() const {
    Now now;
    absl::MutexLock lock(&mutex_);
    for (const Gauges& block : gauges_) {
      now.connections += block.connections.load(std::memory_order_relaxed);
      now.parked += block.parked.load(std::memory_order_relaxed);
      now.owned += block.owned.load(std::memory_order_relaxed);
      now.rooms += block.rooms.load(std::memory_order_relaxed);
      now.members += block.members.load(std::memory_order_relaxed);
      now.outbox_bytes += block.outbox_bytes.load(std::memory_order_relaxed);
    }
    return now;
  }

 private:
  const NodeIdentity node_;
  const std::string version_;
  const absl::Time started_at_;
  std::atomic<bool> cluster_up_{true};
  std::array<std::atomic<int64_t>, kListeningPortNames.size()> certificate_expiry_{};
  mutable absl::Mutex mutex_;  // while blocks are added; what they hold is atomic
  std::deque<Counters> counters_ ABSL_GUARDED_BY(mutex_);  // a deque does not move what it holds
  std::deque<Gauges> gauges_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_STATS_H_
