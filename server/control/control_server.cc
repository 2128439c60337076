#include "control/control_server.h"

#include <optional>
#include <utility>

#include "base/listen_address.h"
#include "base/log.h"
#include "base/strings.h"
#include "control/bindable.h"
#include "control/library_logs.h"
#include "fmt/format.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace wsrouter {
namespace {

int ToMillis(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

// What gRPC leaves open by default: a second process on the same port, compressed bombs, any
// number of calls, connections that nobody ever ends. What is sent has no limit here: the rules
// between the configuration's sizes bound it, and a limit would end a stream, not spare a message.
void Bound(const ControlOptions& options, grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(options.streams_max));
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  grpc::ResourceQuota quota("control");
  quota.Resize(options.memory_bytes_max);
  quota.SetMaxThreads(options.threads_max);
  builder.SetResourceQuota(quota);
  // A peer that is gone without a word is found out within 40 s.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, ToMillis(absl::Seconds(30)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ToMillis(absl::Seconds(10)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             ToMillis(absl::Seconds(10)));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, ToMillis(options.connection_age_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                             ToMillis(options.connection_age_grace));
}

absl::Status CheckReach(const ListenAddress& address, bool insecure_control) {
  if (address.IsLoopback()) return absl::OkStatus();
  if (insecure_control) {
    Log(LogLevel::kWarning, "insecure_control",
        {{"listen", address.ToString()},
         {"message", "whoever reaches this address controls the node"}});
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(AbslView(
      fmt::format("control.listen {} is not loopback and nothing protects it, want a loopback "
                  "address or control.insecure_control: true",
                  address.ToString())));
}

}  // namespace

ControlServer::ControlServer(const ControlOptions& options, Parts& parts)
    : clock_(parts.clock),
      router_(parts.broker, parts.directory, parts.counters, parts.clock, parts.stats.node(),
              options.payload_bytes_max),
      events_(parts.events, parts.broker, parts.counters, parts.clock, options.watchers_max,
              {.items_max = options.watch_queue_events_max,
               .bytes_max = options.watch_queue_bytes_max}),
      admin_(AdminCalls(parts.directory, parts.stats, parts.clock, events_.streams(),
                        std::move(parts.effective_config))) {}

absl::StatusOr<std::unique_ptr<ControlServer>> ControlServer::Start(const ControlOptions& options,
                                                                    Parts parts) {
  std::optional<ListenAddress> address = ParseListenAddress(options.listen);
  if (!address.has_value()) {
    return absl::InvalidArgumentError(AbslView(
        fmt::format("control.listen '{}' is no address, want host:port", options.listen)));
  }
  const absl::Status reach = CheckReach(*address, options.insecure_control);
  if (!reach.ok()) return reach;
  // Before gRPC tries, which would explain itself at length in the log.
  const absl::Status bindable = CheckBindable(*address);
  if (!bindable.ok()) return bindable;
  RedirectLibraryLogs();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<ControlServer> control(new ControlServer(options, parts));
  grpc::ServerBuilder builder;
  Bound(options, builder);
  int port = 0;
  builder.AddListeningPort(address->ToString(), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&control->router_);
  builder.RegisterService(&control->events_);
  builder.RegisterService(&control->admin_);
  control->server_ = builder.BuildAndStart();
  if (control->server_ == nullptr || port == 0) return NotBindable(*address, "gRPC refused it");
  address->port = static_cast<uint16_t>(port);
  control->address_ = address->ToString();
  control->server_->GetHealthCheckService()->SetServingStatus("liveness", true);
  control->SetReady(false);
  return control;
}

void ControlServer::SetReady(bool ready) {
  grpc::HealthCheckServiceInterface& health = *server_->GetHealthCheckService();
  for (const char* name : {"", "readiness", "wsrouter.v1.Router"}) {
    health.SetServingStatus(name, ready);
  }
}

void ControlServer::Shutdown(absl::Duration grace) {
  if (server_ == nullptr) return;
  SetReady(false);
  events_.Stop();
  server_->Shutdown(absl::ToChronoTime(clock_.Now().wall + grace));
  server_ = nullptr;
}

}  // namespace wsrouter
