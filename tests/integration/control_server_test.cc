// The gRPC server itself: where it listens, what it refuses, what inspection tools see.
#include <chrono>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "tests/support/control_node.h"
#include "tests/support/raw_call.h"

namespace wsrouter {
namespace {

using Stub = v1::Router::Stub;
using testing::HasSubstr;

class ControlServerTest : public testing::Test {
 protected:
  absl::Status Start(const ControlOptions& options) {
    return ControlServer::Start(options, {.broker = node_.broker,
                                          .directory = node_.directory,
                                          .rates = node_.rates,
                                          .history = node_.history,
                                          .log = node_.log,
                                          .stats = node_.stats,
                                          .counters = node_.counters,
                                          .events = node_.hub,
                                          .measures = node_.measures,
                                          .node = node_.drains,
                                          .clock = node_.clock,
                                          .effective_config = [] { return std::string(); }})
        .status();
  }
  grpc::health::v1::HealthCheckResponse Health(const std::string& service) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    const RawAnswer answer =
        RawCall(*node_.channel, "/grpc.health.v1.Health/Check", request.SerializeAsString());
    grpc::health::v1::HealthCheckResponse response;
    if (answer.status.ok()) {
      EXPECT_TRUE(response.ParseFromString(answer.octets));
    } else {
      EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::NOT_FOUND);
      response.set_status(grpc::health::v1::HealthCheckResponse::SERVICE_UNKNOWN);
    }
    return response;
  }

  ControlNode node_;
};

TEST_F(ControlServerTest, HealthTellsReadinessFromLiveness) {
  using Response = grpc::health::v1::HealthCheckResponse;
  for (const bool ready : {false, true, false}) {
    if (ready) node_.server->SetReady(true);
    if (!ready) node_.server->SetReady(false);
    const auto wanted = ready ? Response::SERVING : Response::NOT_SERVING;
    EXPECT_EQ(Health("").status(), wanted);
    EXPECT_EQ(Health("readiness").status(), wanted);
    EXPECT_EQ(Health("wsrouter.v1.Router").status(), wanted);
    EXPECT_EQ(Health("liveness").status(), Response::SERVING);
  }
  EXPECT_EQ(Health("unknown").status(), Response::SERVICE_UNKNOWN);
}

TEST_F(ControlServerTest, ReflectionListsServicesAndKnowsHealth) {
  // ListServices, then FileContainingSymbol, of grpc.reflection.v1alpha, as octets.
  const auto ask = [&](const std::string& request) {
    return RawCall(*node_.channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                   request);
  };
  const RawAnswer listed = ask(std::string("\x3A\x00", 2));
  for (const char* service :
       {"wsrouter.v1.Router", "wsrouter.v1.Admin", "wsrouter.v1.Events", "grpc.health.v1.Health"}) {
    EXPECT_THAT(listed.octets, HasSubstr(service));
  }
  const std::string symbol = "grpc.health.v1.Health";
  const RawAnswer described = ask(std::string("\x22") + static_cast<char>(symbol.size()) + symbol);
  EXPECT_THAT(described.octets, HasSubstr("HealthCheckRequest"));
}

TEST_F(ControlServerTest, TakenPortIsNamed) {
  const absl::Status taken = Start({.listen = node_.server->address()});
  EXPECT_EQ(taken.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(taken.message()), HasSubstr(node_.server->address()));
  EXPECT_THAT(std::string(taken.message()), HasSubstr("taken"));
}

TEST_F(ControlServerTest, AddressThatIsNotLoopbackNeedsTheInsecureSwitch) {
  const absl::Status refused = Start({.listen = "0.0.0.0:0"});
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("insecure_control"));
  EXPECT_TRUE(Start({.listen = "0.0.0.0:0", .insecure_control = true}).ok());
}

TEST_F(ControlServerTest, AddressThatIsNotOursIsExplained) {
  const absl::Status refused = Start({.listen = "192.0.2.1:0", .insecure_control = true});
  EXPECT_THAT(std::string(refused.message()), HasSubstr("192.0.2.1:0 cannot be bound"));
}

TEST_F(ControlServerTest, CompressedRequestsAreRefused) {
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    v1::PushRequest request;
    request.set_room("lobby");
    request.mutable_payload()->set_text(std::string(100'000, 'x'));
    v1::PushResponse response;
    EXPECT_EQ(node_.router->Push(&context, request, &response).error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }
}

TEST_F(ControlServerTest, RequestOverTheMessageLimitIsRefused) {
  const RawAnswer answer =
      RawCall(*node_.channel, "/wsrouter.v1.Router/Push", std::string((size_t{4} << 20) + 1, 'x'));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.status.error_details(), HasSubstr("control.message_bytes_max"));
}

TEST_F(ControlServerTest, ShutdownWaitsForACallThatIsUnderWay) {
  const ConnectionId alice = node_.Online("alice");
  auto hold = std::make_unique<ShardHost::Hold>(node_.shard);
  absl::Notification answered;
  Called<v1::SendToClientResponse> sent;
  std::thread call([&] {
    sent = node_.Call(&Stub::SendToClient, R"({"client_id":"alice","payload":{"text":"hi"}})");
    answered.Notify();
  });
  node_.shard.AwaitMail();
  std::thread stop([&] { node_.server->Shutdown(absl::Seconds(20)); });
  hold = nullptr;

  answered.WaitForNotification();
  stop.join();
  call.join();
  EXPECT_TRUE(sent.ok()) << sent.message;
  EXPECT_THAT(node_.shard.Got(alice), testing::ElementsAre("hi"));
}

}  // namespace
}  // namespace wsrouter
