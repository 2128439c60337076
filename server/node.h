#ifndef WSROUTER_NODE_H_
#define WSROUTER_NODE_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "admin/admin_server.h"
#include "auth/door.h"
#include "base/clock.h"
#include "control/backend_routes.h"
#include "control/control_server.h"
#include "control/event_hub.h"
#include "core/control_measures.h"
#include "core/drainable.h"
#include "core/measures.h"
#include "core/slow_log.h"
#include "core/stats.h"
#include "engine/engine.h"
#include "gateway/gateway.h"
#include "wsrouter/v1/config.pb.h"

namespace wsrouter {

// The composition root: the only place where the layers meet. Its members stand in the order in
// which they are made; each may use those above it, and they are stopped from the bottom up, but
// for the admin server, which answers probes to the end.
//
// One thread starts, retires and stops a node; any other may hasten the stop.
class Node final : private Drainable {
 public:
  // Ready when it returns. What fails is said in one line with the address, file or key.
  static absl::StatusOr<std::unique_ptr<Node>> Start(const v1::Config& config, std::string version);
  ~Node() override { Stop(absl::ZeroDuration()); }
  Node(const Node&) = delete;

  // Where it listens, with the ports that were picked.
  const std::vector<std::string>& gateway_addresses() const { return gateway_->addresses(); }
  const std::string& control_address() const { return control_->address(); }
  const std::string& admin_address() const { return admin_->address(); }

  // Puts in force what of the configuration can change while it runs; the rest of it must be as
  // before. Where that fails nothing has changed. Any thread.
  absl::Status Reload(const v1::Config& config);

  // Reports not ready from now on, and does all else as before.
  void Retire();

  // Closes all connections 1012, spread over `window`, then ends calls and streams, then the rest,
  // all within `deadline`. May be repeated.
  void Stop(absl::Duration deadline, absl::Duration window = absl::ZeroDuration());

  // Ends the window of a Stop that is under way, or to come. Any thread.
  void Hurry() { gateway_->Hurry(); }

 private:
  Node(const v1::Config& config, std::string version);

  absl::Status StartParts(const v1::Config& config);
  absl::Status StartAdmin(const v1::Config& config);
  void Keep(const v1::Config& config) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Drainable
  absl::Status Drain(std::optional<absl::Duration> window) override;
  absl::Status Undrain() override;
  bool draining() const override { return draining_; }
  std::string ConfigInForce() const;
  // Tells probes.
  void SetReady(bool ready) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status Live() const;
  absl::Status Ready() const;
  LoopLoad Load() const;

  const SystemClock clock_;
  Stats stats_;
  Measures measures_;
  ControlMeasures control_measures_;
  Counters& control_counters_;
  EventHub events_;
  std::unique_ptr<Engine> engine_;
  SlowLog slow_log_;
  std::unique_ptr<BackendRoutes> backend_;
  std::unique_ptr<Door> door_;  // null: neither tokens nor signed cookies count
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<ControlServer> control_;
  std::unique_ptr<AdminServer> admin_;

  std::atomic<bool> ready_{false};
  std::atomic<bool> draining_{false};
  mutable absl::Mutex mutex_;  // probes look at the gateway only while it runs
  absl::Duration drain_window_ ABSL_GUARDED_BY(mutex_);
  std::string effective_config_ ABSL_GUARDED_BY(mutex_);
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;  // between Start and Retire
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace wsrouter

#endif  // WSROUTER_NODE_H_
