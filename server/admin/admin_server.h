#ifndef WSROUTER_ADMIN_ADMIN_SERVER_H_
#define WSROUTER_ADMIN_ADMIN_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "admin/metrics.h"
#include "base/clock.h"
#include "core/control_measures.h"
#include "core/measures.h"
#include "core/stats.h"

namespace httplib {
class Server;
struct Request;
struct Response;
}  // namespace httplib

namespace wsrouter {

struct AdminOptions {
  std::string host = "127.0.0.1";  // a numeric address, IPv6 without brackets
  uint16_t port = 9100;            // 0 picks a free one
};

// HTTP for operators: /healthz, /readyz, /healthz/ws, /metrics. Shows figures, changes nothing.
//
// Two threads of its own answer, each connection gets one answer, and who does not ask within two
// seconds is cut off; it is meant for probes and scrapers, not for strangers.
class AdminServer {
 public:
  // OK, or why not, and figures. Called on the server's threads at each request; must not block.
  struct Probes {
    std::function<absl::Status()> live;
    std::function<absl::Status()> ready;
    std::function<LoopLoad()> load = {};  // empty: not shown
    const Measures* measures = nullptr;   // null: not shown, as the next
    const ControlMeasures* control = nullptr;
  };

  // Answers when it returns.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const AdminOptions& options,
                                                            const Stats& stats, Probes probes,
                                                            const Clock& clock);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;

  // host:port with the port that was really bound.
  const std::string& address() const { return address_; }

  // Ends when every request that is under way has its answer. May be repeated; one thread.
  void Stop();

 private:
  AdminServer(const Stats& stats, Probes probes, const Clock& clock);

  absl::Status Bind(const AdminOptions& options);
  void Run();
  void Answer(const httplib::Request& request, httplib::Response& response) const;

  const Stats& stats_;
  const Probes probes_;
  const StatsMetrics metrics_;
  const Clock& clock_;
  const absl::Duration started_at_;  // uptime
  std::string address_;
  std::unique_ptr<httplib::Server> server_;
  std::thread acceptor_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ADMIN_ADMIN_SERVER_H_
