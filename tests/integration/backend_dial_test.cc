// How services are dialled: several replicas, one that comes and goes, and TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "control/dial_files.h"
#include "control/dialled_backend.h"
#include "fmt/format.h"
#include "tests/support/authority.h"
#include "tests/support/backend_asker.h"
#include "tests/support/backend_node.h"
#include "tests/support/backend_services.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kNoAnswer[] = "refused 1013 the service does not answer, later";

BackendHandlers Named(const std::string& name) {
  return {.connect = [name](const auto&, const auto& reply) {
    v1::ConnectResponse response;
    response.mutable_accept()->set_client_id(name);
    reply(grpc::Status::OK, response);
  }};
}
std::string As(const std::string& name) { return "let in as " + name + " in []"; }

// Shows a certificate of the authority, and wants one.
std::shared_ptr<grpc::ServerCredentials> Mutual(Authority& authority) {
  const Issued server = authority.IssueServer();
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = authority.cert();
  tls.pem_key_cert_pairs = {{server.key, server.cert}};
  return grpc::SslServerCredentials(tls);
}

class BackendDialTest : public ::testing::Test {
 protected:
  // What a client gets from whoever is there.
  std::string Ask() { return BackendAsker(host_->backend()).Connect(++last_).Get(); }
  void Dial(const std::string& target, BackendOptions options = {}) {
    options.routes = {{.prefix = "/ws", .target = target}};
    host_ = std::make_unique<BackendHost>(std::move(options));
  }

  std::unique_ptr<BackendHost> host_;
  uint64_t last_ = 0;
};

TEST_F(BackendDialTest, ReplicasAreAskedInTurnAndOneThatGoesIsLeftOut) {
  DialledTestService first(Named("first"));
  auto second = std::make_unique<DialledTestService>(Named("second"));
  Dial(fmt::format("ipv4:{},{}", first.address(), second->address()));
  EXPECT_TRUE(Eventually([this] { return Ask() == As("second"); }));
  EXPECT_TRUE(Eventually([this] { return Ask() == As("first"); }));
  second = nullptr;
  EXPECT_TRUE(Eventually([this] { return Ask() == As("first"); }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask(), As("first"));
}

TEST_F(BackendDialTest, AServiceThatIsNotThereYetIsFoundWhenItComesAndAgainWhenItComesBack) {
  int port = 0;
  { port = DialledTestService(Named("before")).port(); }
  Dial(fmt::format("dns:///127.0.0.1:{}", port));
  EXPECT_EQ(Ask(), kNoAnswer);
  auto service = std::make_unique<DialledTestService>(Named("here"), port);
  EXPECT_TRUE(Eventually([this] { return Ask() == As("here"); }));
  service = nullptr;
  EXPECT_TRUE(Eventually([this] { return Ask() == kNoAnswer; }));
  service = std::make_unique<DialledTestService>(Named("again"), port);
  EXPECT_TRUE(Eventually([this] { return Ask() == As("again"); }));
}

TEST_F(BackendDialTest, NobodyImplementsTheServiceThere) {
  BackendHost other({});
  Dial(other.control().server->address());
  EXPECT_EQ(Ask(), kNoAnswer);
}

TEST_F(BackendDialTest, WithTlsBothShowCertificates) {
  Authority authority;
  const Issued node = authority.Issue("node", {.common_name = "node"});
  DialledTestService service(Named("secret"), 0, Mutual(authority));
  const std::string target = fmt::format("localhost:{}", service.port());
  Dial(target, {.tls_ca_file = authority.cert_file(),
                .tls_cert_file = node.cert_file,
                .tls_key_file = node.key_file});
  EXPECT_EQ(Ask(), As("secret"));
  Dial(target, {.tls_ca_file = authority.cert_file()});
  EXPECT_EQ(Ask(), kNoAnswer);
  Authority other;
  Dial(target, {.tls_ca_file = other.cert_file(),
                .tls_cert_file = node.cert_file,
                .tls_key_file = node.key_file});
  EXPECT_EQ(Ask(), kNoAnswer);
  Dial(target);
  EXPECT_EQ(Ask(), kNoAnswer);
}

TEST_F(BackendDialTest, ChangedFilesAreTakenAndBadOnesAreNot) {
  Authority before;
  Authority after;
  const Issued node = before.Issue("node", {.common_name = "node"});
  auto service = std::make_unique<DialledTestService>(Named("before"), 0, Mutual(before));
  const int port = service->port();
  Dial(fmt::format("dns:///localhost:{}", port),
       {.tls_ca_file = before.Write("ca.pem", before.cert()),
        .tls_cert_file = node.cert_file,
        .tls_key_file = node.key_file});
  EXPECT_EQ(Ask(), As("before"));
  before.Write("ca.pem", "nonsense");
  service = nullptr;
  service = std::make_unique<DialledTestService>(Named("again"), port, Mutual(before));
  EXPECT_TRUE(Eventually([this] { return Ask() == As("again"); }));
  service = nullptr;
  service = std::make_unique<DialledTestService>(Named("after"), port, Mutual(after));
  EXPECT_EQ(Ask(), kNoAnswer);
  const Issued next = after.Issue("node", {.common_name = "node"});
  before.Write("ca.pem", after.cert());
  std::filesystem::rename(next.cert_file, node.cert_file);
  std::filesystem::rename(next.key_file, node.key_file);
  EXPECT_TRUE(Eventually([this] { return Ask() == As("after"); }));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask(), As("after"));
}

TEST_F(BackendDialTest, APairThatDoesNotFitIsRefusedUntilItDoes) {
  Authority authority;
  const Issued first = authority.Issue("node", {.common_name = "node"});
  const SystemClock clock;
  auto files = DialFiles::Open({.tls_ca_file = authority.cert_file(),
                                .tls_cert_file = first.cert_file,
                                .tls_key_file = first.key_file},
                               clock);
  ASSERT_TRUE(files.ok()) << files.status();
  int changes = 0;
  (*files)->OnChange([&](const auto&) { ++changes; });
  (*files)->Look();
  EXPECT_EQ(changes, 0);
  const Issued second = authority.Issue("other", {.common_name = "node"});
  for (const std::string& bad : {std::string(), std::string("nonsense"), second.cert}) {
    std::ofstream(first.cert_file) << bad;
    ::testing::internal::CaptureStderr();
    (*files)->Look();
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("credential_refused"));
    EXPECT_EQ(changes, 0);
  }
  std::ofstream(first.key_file) << second.key;
  (*files)->Look();
  EXPECT_EQ(changes, 1);
}

// Answers by hand, to see which call is under way.
TEST_F(BackendDialTest, ACallThatIsUnderWayEndsAsItBegan) {
  struct Answers final : BackendAnswers {
    void Answered(const BackendService*, uint64_t call,
                  absl::StatusOr<BackendResponse> answer) override {
      log.Add(fmt::format("{} {}", call, answer.ok()));
    }
    testing::Recorder log;
  };
  std::promise<BackendReply<v1::ConnectResponse>> slow;
  DialledTestService service({.connect = [&](const v1::ConnectRequest& request, auto reply) {
    if (request.connection_id() == "slow") return slow.set_value(std::move(reply));
    reply(grpc::Status::OK, v1::ConnectResponse());
  }});
  Answers answers;
  const SystemClock clock;
  const BackendOptions options;
  DialledBackend dialled(service.address(), grpc::InsecureChannelCredentials(), options, answers,
                         clock);
  v1::ConnectRequest request;
  request.set_connection_id("slow");
  dialled.Ask(1, request, absl::Seconds(20));
  const auto reply = slow.get_future().get();
  for (uint64_t call = 2; call < 5; ++call) {
    dialled.Dial(grpc::InsecureChannelCredentials());
    dialled.Ask(call, v1::ConnectRequest(), absl::Seconds(20));
    answers.log.Await(call - 1);
  }
  reply(grpc::Status::OK, v1::ConnectResponse());
  answers.log.Await(4);
  EXPECT_THAT(answers.log.lines(), ElementsAre("2 true", "3 true", "4 true", "1 true"));
  dialled.Ask(5, v1::ConnectRequest(), absl::Seconds(20));
}

TEST_F(BackendDialTest, AFileThatIsNotThereIsNamed) {
  Counters counters;
  ControlMeasures measures({}, BackendMethodNames());
  const SystemClock clock;
  const auto made =
      BackendRoutes::Create({.tls_ca_file = "/nowhere.pem"}, counters, measures, clock);
  EXPECT_THAT(std::string(made.status().message()),
              HasSubstr("backend.tls: /nowhere.pem cannot be read"));
}

}  // namespace
}  // namespace wsrouter
