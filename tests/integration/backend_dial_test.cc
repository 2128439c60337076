// How services are dialled: several replicas, one that comes and goes, and TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "tests/support/authority.h"
#include "tests/support/backend_asker.h"
#include "tests/support/backend_node.h"
#include "tests/support/backend_services.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

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
  const Issued server = authority.IssueServer();
  const Issued node = authority.Issue("node", {.common_name = "node"});
  grpc::SslServerCredentialsOptions tls(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = authority.cert();
  tls.pem_key_cert_pairs = {{server.key, server.cert}};
  DialledTestService service(Named("secret"), 0, grpc::SslServerCredentials(tls));
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

TEST_F(BackendDialTest, AFileThatIsNotThereIsNamed) {
  Counters counters;
  const SystemClock clock;
  const auto made = BackendRoutes::Create({.tls_ca_file = "/nowhere.pem"}, counters, clock);
  EXPECT_THAT(std::string(made.status().message()),
              HasSubstr("backend.tls_ca_file /nowhere.pem cannot be read"));
}

}  // namespace
}  // namespace wsrouter
