#include "admin/admin_server.h"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/synchronization/notification.h"
#include "admin/health_json.h"
#include "admin/request_pool.h"
#include "base/listen_address.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "httplib.h"

namespace wsrouter {
namespace {

// A connection that says nothing holds a thread until it has been silent for too long: so many that
// a handful of them do not keep a probe waiting.
constexpr size_t kThreads = 16;
constexpr size_t kWaitingMax = 64;
constexpr time_t kSilenceSecondsMax = 1;
constexpr size_t kBodyBytesMax = 1024;

void Reply(httplib::Response& response, int status, const std::string& body,
           const char* type = "text/plain; charset=utf-8") {
  response.status = status;
  response.set_content(body, type);
}

void ReplyProbe(httplib::Response& response, const absl::Status& status) {
  if (status.ok()) return Reply(response, 200, "ok\n");
  Reply(response, 503, fmt::format("{}\n", StdView(status.message())));
}

void Bound(httplib::Server& server) {
  server.set_keep_alive_max_count(1);
  server.set_keep_alive_timeout(kSilenceSecondsMax);
  server.set_read_timeout(kSilenceSecondsMax);
  server.set_write_timeout(kSilenceSecondsMax);
  server.set_payload_max_length(kBodyBytesMax);
  // httplib's default is SO_REUSEPORT, with which a second process shares the port in silence.
  server.set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
  server.set_default_headers({{"Cache-Control", "no-store"}});
}

}  // namespace

AdminServer::AdminServer(const Stats& stats, Probes probes, const Clock& clock)
    : stats_(stats),
      probes_(std::move(probes)),
      metrics_(stats, probes_.measures, probes_.load, probes_.control),
      clock_(clock),
      started_at_(clock.Now().uptime),
      server_(std::make_unique<httplib::Server>()) {}

AdminServer::~AdminServer() { Stop(); }

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const AdminOptions& options,
                                                                const Stats& stats, Probes probes,
                                                                const Clock& clock) {
  std::unique_ptr<AdminServer> admin(new AdminServer(stats, std::move(probes), clock));
  Bound(*admin->server_);
  // All answers are given here, before httplib's routing, which would match by regular expressions
  // and read bodies that nobody wants.
  admin->server_->set_pre_routing_handler(
      [server = admin.get()](const httplib::Request& request, httplib::Response& response) {
        server->Answer(request, response);
        return httplib::Server::HandlerResponse::Handled;
      });
  if (absl::Status bound = admin->Bind(options); !bound.ok()) return bound;
  admin->Run();
  return admin;
}

absl::Status AdminServer::Bind(const AdminOptions& options) {
  errno = 0;
  ListenAddress address = {.host = options.host, .port = options.port};
  int port = options.port;
  if (port == 0) {
    port = server_->bind_to_any_port(options.host);
  } else if (!server_->bind_to_port(options.host, port)) {
    port = -1;
  }
  if (port < 0) {
    const std::string why = errno == EADDRINUSE ? "the port is taken by another program"
                                                : std::generic_category().message(errno);
    return absl::UnavailableError(
        fmt::format("admin.listen {} cannot be bound: {}", address.ToString(), why));
  }
  address.port = static_cast<uint16_t>(port);
  address_ = address.ToString();
  return absl::OkStatus();
}

void AdminServer::Run() {
  // Stop would have no effect on a loop that has not begun, so this waits until it has: httplib
  // makes the pool inside of the loop.
  absl::Notification running;
  server_->new_task_queue = [&running] {
    auto* pool = new RequestPool(kThreads, kWaitingMax);
    running.Notify();
    return pool;
  };
  acceptor_ = std::thread([this] { server_->listen_after_bind(); });
  running.WaitForNotification();
}

void AdminServer::Stop() {
  if (!acceptor_.joinable()) return;
  server_->stop();
  acceptor_.join();
}

void AdminServer::Answer(const httplib::Request& request, httplib::Response& response) const {
  const std::string& path = request.path;
  if (path != "/healthz" && path != "/readyz" && path != "/healthz/ws" && path != "/metrics") {
    return Reply(response, 404, "not found\n");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    response.set_header("Allow", "GET, HEAD");
    return Reply(response, 405, "method not allowed\n");
  }
  if (path == "/healthz") return ReplyProbe(response, probes_.live());
  if (path == "/readyz") return ReplyProbe(response, probes_.ready());
  if (path == "/healthz/ws") {
    const absl::Duration uptime = clock_.Now().uptime - started_at_;
    return Reply(response, 200, HealthJson(stats_, uptime), "application/json");
  }
  Reply(response, 200, MetricsText(metrics_), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace wsrouter
