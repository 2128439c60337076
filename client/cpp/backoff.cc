#include "wsrouter/backoff.h"

#include <algorithm>
#include <random>
#include <utility>

namespace wsrouter::client {

Backoff::Backoff(const BackoffOptions& options, Random random)
    : options_(options),
      random_(std::move(random)),
      bound_(std::min(options_.first_bound, options_.bound_max)) {}

void Backoff::OnConnected(absl::Duration uptime) { connected_at_ = uptime; }

absl::Duration Backoff::OnLost(absl::Duration uptime, bool at_once) {
  const bool was_stable = connected_at_ && uptime - *connected_at_ >= options_.stable_after;
  connected_at_.reset();
  if (was_stable) {
    bound_ = std::min(options_.first_bound, options_.bound_max);
    if (at_once) return absl::ZeroDuration();
  }
  const absl::Duration delay = random_() * bound_;
  bound_ = std::min(2 * bound_, options_.bound_max);
  return delay;
}

Backoff::Random SystemRandom() {
  return [engine = std::mt19937_64(std::random_device()())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

}  // namespace wsrouter::client
