#ifndef WSROUTER_TESTS_SUPPORT_CONTROL_NODE_H_
#define WSROUTER_TESTS_SUPPORT_CONTROL_NODE_H_

#include <memory>
#include <string>
#include <string_view>

#include "control/backend_options.h"
#include "control/call_observer.h"
#include "control/control_server.h"
#include "engine/memory_broker.h"
#include "engine/memory_directory.h"
#include "engine/memory_event_log.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "tests/support/drain_recorder.h"
#include "tests/support/shard_host.h"
#include "wsrouter/v1/events.grpc.pb.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter {

// What a call gave. `reason` and `field` are those of google.rpc.ErrorInfo.
template <typename Response>
struct Called {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  std::string message;
  std::string reason;
  std::string field;
  absl::Duration retry_after;  // of google.rpc.RetryInfo; zero: none
  Response response;

  bool ok() const { return code == grpc::StatusCode::OK; }
};

// The delay of google.rpc.RetryInfo; zero where there is none.
absl::Duration ReadRetryAfter(const grpc::Status& status);

// Reads `reason` and `field` out of the details of an error; both empty where there are none.
void ReadErrorInfo(const grpc::Status& status, std::string& reason, std::string& field);

// A message out of JSON, as grpcurl takes it.
template <typename Message>
Message FromJson(const std::string& json) {
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &message);
  EXPECT_TRUE(status.ok()) << status.ToString() << " in " << json;
  return message;
}

// A node without its gateway: the memory engine, one shard, and a real gRPC server with clients.
class ControlNode {
 public:
  explicit ControlNode(const Limits& limits = {}, ControlOptions options = {},
                       size_t mailbox_messages_max = 65536, AttachDesk* attached = nullptr,
                       const Namespaces& namespaces = {});

  // One unary call with a request in JSON.
  template <typename Stub, typename Request, typename Response>
  Called<Response> Call(Stub& stub,
                        grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                        const std::string& json) {
    grpc::ClientContext context;
    Called<Response> called;
    const grpc::Status status = (stub.*method)(&context, FromJson<Request>(json), &called.response);
    called.code = status.error_code();
    called.message = status.error_message();
    ReadErrorInfo(status, called.reason, called.field);
    called.retry_after = ReadRetryAfter(status);
    return called;
  }
  template <typename Request, typename Response>
  Called<Response> Call(grpc::Status (v1::Router::Stub::*method)(grpc::ClientContext*,
                                                                 const Request&, Response*),
                        const std::string& json) {
    return Call(*router, method, json);
  }

  // A connection of `client`, in `rooms` (JSON: R"("a","b")").
  ConnectionId Online(std::string_view client, std::string_view rooms = "");

  const SystemClock clock;
  const NodeIdentity node = {.server_id = "node-1", .incarnation = 0x6f2c9d0a51e7b384};
  Stats stats{node, "0.0.1", clock.Now().wall};
  Counters& counters{stats.AddCounters()};
  MemoryRateLimits rates;
  MemoryHistory history;
  MemoryBroker broker{node, &rates, &history, &log};
  MemoryEventLog log{{.on = true, .deliveries_max = 3}, clock};
  MemoryDirectory directory;
  EventHub hub{counters};
  ControlMeasures measures{ObservedMethods(), BackendMethodNames()};
  DrainRecorder drains;
  ShardHost shard;
  std::unique_ptr<ControlServer> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Router::Stub> router;
  std::unique_ptr<v1::Admin::Stub> admin;
  std::unique_ptr<v1::Events::Stub> events;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_CONTROL_NODE_H_
