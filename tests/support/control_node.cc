#include "tests/support/control_node.h"

#include "fmt/format.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"

namespace wsrouter {

void ReadErrorInfo(const grpc::Status& status, std::string& reason, std::string& field) {
  google::rpc::Status details;
  if (status.ok() || !details.ParseFromString(status.error_details())) return;
  for (const auto& any : details.details()) {
    google::rpc::ErrorInfo info;
    if (!any.UnpackTo(&info)) continue;
    EXPECT_EQ(info.domain(), "wsrouter");
    reason = info.reason();
    const auto found = info.metadata().find("field");
    if (found != info.metadata().end()) field = found->second;
  }
}

absl::Duration ReadRetryAfter(const grpc::Status& status) {
  google::rpc::Status details;
  if (status.ok() || !details.ParseFromString(status.error_details())) return absl::ZeroDuration();
  for (const auto& any : details.details()) {
    google::rpc::RetryInfo retry;
    if (!any.UnpackTo(&retry)) continue;
    return absl::Seconds(retry.retry_delay().seconds()) +
           absl::Nanoseconds(retry.retry_delay().nanos());
  }
  return absl::ZeroDuration();
}

ControlNode::ControlNode(const Limits& limits, ControlOptions options, size_t mailbox_messages_max,
                         AttachDesk* attached, const Namespaces& namespaces)
    : rates(namespaces, counters, clock),
      history(namespaces, {}, counters, clock),
      directory({.node = node, .version = "0.0.1", .started_at = stats.started_at()}, limits, clock,
                &log),
      shard({.node = node,
             .limits = limits,
             .broker = broker,
             .directory = directory,
             .events = hub,
             .stats = stats,
             .mailbox_messages_max = mailbox_messages_max}) {
  options.listen = "127.0.0.1:0";
  auto started = ControlServer::Start(
      options, {.broker = broker,
                .directory = directory,
                .rates = rates,
                .history = history,
                .log = log,
                .stats = stats,
                .counters = counters,
                .events = hub,
                .measures = measures,
                .attached = attached,
                .node = drains,
                .clock = clock,
                .effective_config = [] { return std::string("node:\n  server_id: node-1\n"); }});
  EXPECT_TRUE(started.ok()) << started.status();
  server = *std::move(started);
  grpc::ChannelArguments arguments;
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);
  channel =
      grpc::CreateCustomChannel(server->address(), grpc::InsecureChannelCredentials(), arguments);
  router = v1::Router::NewStub(channel);
  admin = v1::Admin::NewStub(channel);
  events = v1::Events::NewStub(channel);
}

ConnectionId ControlNode::Online(std::string_view client, std::string_view rooms) {
  const ConnectionId id = shard.Open();
  const auto owned = Call(&v1::Router::Stub::Own,
                          fmt::format(R"({{"connection_id":"{}","client_id":"{}","rooms":[{}]}})",
                                      id.ToString(), client, rooms));
  EXPECT_TRUE(owned.ok()) << owned.message;
  return id;
}

}  // namespace wsrouter
