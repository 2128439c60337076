#include "control/control_server.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/listen_address.h"
#include "base/log.h"
#include "base/strings.h"
#include "control/bindable.h"
#include "control/call_observer.h"
#include "control/library_logs.h"
#include "control/server_credentials.h"
#include "fmt/format.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"

namespace wsrouter {
namespace {

// How often callers of streams are looked at.
constexpr absl::Duration kLookEvery = absl::Seconds(1);

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
  // AccessCheck and AttachStream refuse what is larger than message_bytes_max. gRPC would end the
  // stream of a service for it, and the question that made it answer so would go on to the others.
  constexpr size_t kSeen = 4;
  builder.SetMaxReceiveMessageSize(static_cast<int>(kSeen * options.message_bytes_max));
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

// Who can reach the port, and what keeps them from calling.
absl::Status CheckReach(const ControlOptions& options, const ListenAddress& address) {
  if (address.IsLoopback()) return absl::OkStatus();
  const bool tls = !options.tls.cert.empty();
  const bool required = !options.tokens_file.empty() || !options.client_names.empty();
  if (tls && required) return absl::OkStatus();
  const std::string_view why =
      required ? "control.tokens_file without control.tls sends tokens in plain text"
               : "nothing says who may call";
  if (options.insecure_control) {
    Log(LogLevel::kWarning, "insecure_control",
        {{"listen", address.ToString()},
         {"message", required ? "whoever listens on the way here gets the tokens"
                              : "whoever reaches this address controls the node"}});
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      AbslView(fmt::format("control.listen {} is not loopback and {}, want a loopback address, or "
                           "control.tls with control.client_names or control.tokens_file, or "
                           "control.insecure_control: true",
                           address.ToString(), why)));
}

}  // namespace

ControlServer::ControlServer(const ControlOptions& options, Parts& parts,
                             std::unique_ptr<CredentialFiles> credentials)
    : clock_(parts.clock),
      access_(options.client_names, credentials->first_tokens()),
      access_check_(access_, parts.counters, parts.clock, options.message_bytes_max,
                    options.calls_rate),
      credentials_(std::move(credentials)),
      router_(access_check_,
              {.broker = parts.broker,
               .directory = parts.directory,
               .history = parts.history,
               .counters = parts.counters,
               .measures = parts.measures,
               .clock = parts.clock,
               .node = parts.stats.node()},
              {.payload_bytes_max = options.payload_bytes_max,
               .request_bytes_max = options.message_bytes_max,
               .push_streams_max = options.push_streams_max}),
      events_(access_check_,
              {.hub = parts.events,
               .broker = parts.broker,
               .counters = parts.counters,
               .measures = parts.measures,
               .desk = parts.attached,
               .log = parts.log,
               .history = parts.history,
               .node = parts.stats.node(),
               .clock = parts.clock},
              {.streams_max = options.watchers_max,
               .attached_max = options.attached_max,
               .answer_bytes_max = options.message_bytes_max,
               .consumers_max = options.consumers_max,
               .queue = {.items_max = options.watch_queue_events_max,
                         .bytes_max = options.watch_queue_bytes_max}}),
      admin_(access_check_,
             AdminCalls(parts.directory, parts.node, parts.stats, parts.clock, events_.streams(),
                        std::move(parts.effective_config)),
             parts.rates),
      looker_(parts.clock, 1) {
  if (access_check_.required()) looker_.PostAnswer([this] { EndFallen(); });
}

void ControlServer::EndFallen() {
  router_.EndFallen();
  events_.EndFallen();
  looker_.After(kLookEvery, [this] { EndFallen(); });
}

absl::StatusOr<std::unique_ptr<ControlServer>> ControlServer::Start(const ControlOptions& options,
                                                                    Parts parts) {
  std::optional<ListenAddress> address = ParseListenAddress(options.listen);
  if (!address.has_value()) {
    return absl::InvalidArgumentError(
        AbslView(fmt::format("control.listen '{}' is no address, want host:port", options.listen)));
  }
  const absl::Status reach = CheckReach(options, *address);
  if (!reach.ok()) return reach;
  absl::StatusOr<std::unique_ptr<CredentialFiles>> credentials = CredentialFiles::Open(
      {.tls = options.tls, .tokens = options.tokens_file}, parts.stats, parts.clock);
  if (!credentials.ok()) return credentials.status();
  // Before gRPC tries, which would explain itself at length in the log.
  const absl::Status bindable = CheckBindable(*address);
  if (!bindable.ok()) return bindable;
  RedirectLibraryLogs();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  std::unique_ptr<ControlServer> control(
      new ControlServer(options, parts, *std::move(credentials)));
  grpc::ServerBuilder builder;
  Bound(options, builder);
  int port = 0;
  control->port_credentials_ = MakeServerCredentials(
      *control->credentials_, control->access_.required() ? &control->access_check_ : nullptr);
  builder.AddListeningPort(address->ToString(), control->port_credentials_, &port);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> observers;
  observers.push_back(
      std::make_unique<CallObserver>(control->access_check_, parts.measures, parts.clock));
  builder.experimental().SetInterceptorCreators(std::move(observers));
  builder.RegisterService(&control->router_);
  builder.RegisterService(&control->events_);
  builder.RegisterService(&control->admin_);
  control->server_ = builder.BuildAndStart();
  if (control->server_ == nullptr || port == 0) return NotBindable(*address, "gRPC refused it");
  address->port = static_cast<uint16_t>(port);
  control->address_ = address->ToString();
  control->credentials_->OnTokens(
      [&access = control->access_](auto tokens) { access.SetTokens(std::move(tokens)); });
  control->credentials_->Watch();
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
  router_.Stop();
  events_.Stop();
  server_->Shutdown(absl::ToChronoTime(clock_.Now().wall + grace));
  server_ = nullptr;
}

}  // namespace wsrouter
