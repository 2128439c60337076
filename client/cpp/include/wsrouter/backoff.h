#ifndef WSROUTER_CLIENT_BACKOFF_H_
#define WSROUTER_CLIENT_BACKOFF_H_

#include <functional>
#include <optional>

#include "absl/time/time.h"

namespace wsrouter::client {

struct BackoffOptions {
  // The delay is drawn between 0 and a bound that begins here and doubles with each failure.
  absl::Duration first_bound = absl::Seconds(1);
  absl::Duration bound_max = absl::Seconds(30);
  // A connection that lasted this long was a success: the next failure is the first again. One that
  // is lost sooner is one more failure, so that a peer which accepts and drops is not hammered.
  absl::Duration stable_after = absl::Seconds(10);
};

// How long to wait before the next attempt: exponential backoff with full jitter, which spreads the
// clients of a node that died over the whole interval instead of bringing them back in waves.
//
// Not synchronised. Time and randomness come in from outside.
class Backoff {
 public:
  using Random = std::function<double()>;  // uniform in [0, 1)

  Backoff(const BackoffOptions& options, Random random);

  void OnConnected(absl::Duration uptime);

  // The connection, or the attempt to make one, is over. `at_once` says that the peer asked to come
  // back without a delay; that is granted to a connection that was stable.
  [[nodiscard]] absl::Duration OnLost(absl::Duration uptime, bool at_once = false);

 private:
  const BackoffOptions options_;
  const Random random_;
  absl::Duration bound_;
  std::optional<absl::Duration> connected_at_;
};

// A source for Backoff, seeded by the system. Each one belongs to one thread at a time.
Backoff::Random SystemRandom();

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_BACKOFF_H_
