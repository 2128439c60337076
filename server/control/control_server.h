#ifndef WSROUTER_CONTROL_CONTROL_SERVER_H_
#define WSROUTER_CONTROL_CONTROL_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "control/access.h"
#include "control/access_check.h"
#include "control/admin_service.h"
#include "control/control_options.h"
#include "control/credential_files.h"
#include "control/event_hub.h"
#include "control/events_service.h"
#include "control/router_service.h"
#include "control/timed_thread.h"
#include "core/broker.h"
#include "core/control_measures.h"
#include "core/counters.h"
#include "core/directory.h"
#include "core/drainable.h"
#include "core/event_log.h"
#include "core/history.h"
#include "core/rate_limits.h"
#include "core/stats.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"

namespace wsrouter {

// The gRPC server: the three services, health and reflection on one port.
//
// Its calls wait for what shards, broker and directory answer: Shutdown returns once these have
// answered, or dropped, all that they were handed.
class ControlServer {
 public:
  struct Parts {
    Broker& broker;
    Directory& directory;
    RateLimits& rates;
    History& history;
    EventLog& log;
    Stats& stats;
    Counters& counters;  // a block of its own
    EventHub& events;
    ControlMeasures& measures;
    AttachDesk* attached = nullptr;  // who asks services that attach; null: none can
    Drainable& node;
    const Clock& clock;
    // YAML with secrets blanked, for Admin.GetConfig. Any thread.
    std::function<std::string()> effective_config;
  };

  // Listens when it returns; reports not ready until SetReady. Fails when the address is not
  // allowed, or cannot be had, or a file of credentials is bad.
  static absl::StatusOr<std::unique_ptr<ControlServer>> Start(const ControlOptions& options,
                                                              Parts parts);
  ~ControlServer() { Shutdown(absl::ZeroDuration()); }
  ControlServer(const ControlServer&) = delete;

  // host:port with the port that was really bound.
  const std::string& address() const { return address_; }

  // What the health service says for "", "readiness" and "wsrouter.v1.Router". "liveness" is
  // served for as long as the server is there to answer. Any thread, before Shutdown or in a call.
  void SetReady(bool ready);

  // Ends the streams of events behind what waits in their queues and takes no new calls; streams,
  // and calls that are under way, get `grace` to finish before they are cancelled. Blocks until all
  // are gone. May be repeated; one thread.
  void Shutdown(absl::Duration grace);

 private:
  // Ends the streams whose callers may not have them any more, now and every second.
  void EndFallen();
  ControlServer(const ControlOptions& options, Parts& parts,
                std::unique_ptr<CredentialFiles> credentials);

  const Clock& clock_;
  Access access_;
  AccessCheck access_check_;
  // Tells access_ what changed, so it goes before it.
  const std::unique_ptr<CredentialFiles> credentials_;
  RouterService router_;
  EventsService events_;
  AdminService admin_;
  std::string address_;
  std::shared_ptr<grpc::ServerCredentials> port_credentials_;
  std::unique_ptr<grpc::Server> server_;
  TimedThread looker_;  // the last member: it uses the others
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CONTROL_SERVER_H_
