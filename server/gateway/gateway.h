#ifndef WSROUTER_GATEWAY_GATEWAY_H_
#define WSROUTER_GATEWAY_GATEWAY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "core/backend.h"
#include "core/broker.h"
#include "core/directory.h"
#include "core/event.h"
#include "core/history.h"
#include "core/limits.h"
#include "core/measures.h"
#include "core/sessions.h"
#include "core/stats.h"
#include "gateway/options.h"

namespace wsrouter {

class Acceptor;
class AddressLimit;
class OutboxBudget;
class Pressure;
class CertificateWatch;
class ShardLoop;

// The node's WebSocket side: one acceptor thread and a thread per shard. Create and Stop belong to
// one thread; the rest may be called from any.
class Gateway {
 public:
  struct Parts {
    GatewayOptions options;
    Limits limits;
    Broker& broker;
    Directory& directory;
    EventSink& events;
    Backend* backend = nullptr;  // null: no service decides about clients
    Stats& stats;
    Measures& measures;
    const Clock& clock;
    Sessions* sessions = nullptr;  // null: no client can come back
    History* history = nullptr;    // null: no room keeps one
  };

  // Binds every address, then starts the threads. What fails is said with the address or file that
  // it failed for.
  static absl::StatusOr<std::unique_ptr<Gateway>> Create(Parts parts);
  ~Gateway();

  // Where it listens, with the ports that were picked: "127.0.0.1:8080".
  const std::vector<std::string>& addresses() const { return addresses_; }

  // The age of the oldest loop turn: large while a shard is stuck.
  absl::Duration Lag() const;
  // That, and what waits for the shards.
  LoopLoad Load() const;

  // Lets nobody in any more (503) and closes those that are open with 1012, spread over `window`;
  // Undrain ends that. Any thread; nothing once Stop has begun.
  void Drain(absl::Duration window);
  void Undrain();

  // From now on these count, in place of what it was made with: at once, or for the connections
  // that come, as config.proto says of each. What is not reloadable there must be as before. Any
  // thread.
  void Reload(GatewayOptions options, const Limits& limits);

  // Takes no more connections, closes those that are open with 1012, spread over `window`, and
  // waits for them to end, `deadline` at most; what is left then is cut. Idempotent.
  void Stop(absl::Duration deadline, absl::Duration window = absl::ZeroDuration());
  // Ends the window of a Stop, under way or to come: the rest is closed at once. Any thread.
  void Hurry();

 private:
  explicit Gateway(const Clock& clock);

  absl::Status StartLoops(const Parts& parts, const std::shared_ptr<const GatewayOptions>& options);

  const Clock& clock_;
  std::vector<std::string> addresses_;
  absl::Mutex loops_mutex_;  // Drain, Reload and Hurry come from other threads than Create and Stop
  uint32_t connections_max_ = 0;
  std::unique_ptr<AddressLimit> addresses_limit_;
  std::unique_ptr<Pressure> pressure_;
  std::unique_ptr<OutboxBudget> budget_;
  std::vector<std::unique_ptr<ShardLoop>> loops_;
  std::unique_ptr<CertificateWatch> certificates_;  // null without TLS
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_GATEWAY_H_
