// TLS of the control port: certificates of callers and of the node, and what changes on disk.
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "tests/support/authority.h"
#include "tests/support/control_node.h"
#include "tests/support/eventually.h"
#include "tests/support/raw_call.h"

namespace wsrouter {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

const std::string kToken = "token-0123456789abcdef0123456789ab";
const std::string kNext = "next-0123456789abcdef0123456789abc";
constexpr char kRead[] = "/wsrouter.v1.Router/OnlineCount";
constexpr char kPublish[] = "/wsrouter.v1.Router/PushAll";
constexpr char kAdminister[] = "/wsrouter.v1.Admin/GetConfig";

class ControlTlsTest : public testing::Test {
 protected:
  ControlTlsTest() : server_(authority_.IssueServer()) {
    options_.tls = {.cert = server_.cert_file, .key = server_.key_file, .client_ca = {}};
  }
  void WantTokens() { options_.tokens_file = authority_.Write("tokens", "chat publish " + kToken); }
  void WantCertificates() {
    options_.tls.client_ca = authority_.cert_file();
    options_.client_names = {{.name = "reader", .role = Role::kRead},
                             {.name = "chat.example.org", .role = Role::kPublish},
                             {.name = "spiffe://example.org/ops", .role = Role::kAdmin}};
  }
  void Start() { node_ = std::make_unique<ControlNode>(Limits(), options_); }

  // A new connection for each call.
  grpc::Status Call(const std::string& method, const std::string& token = {},
                    const Issued& shown = {}) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("grpc.use_local_subchannel_pool", 1);
    const auto channel =
        grpc::CreateCustomChannel(node_->server->address(),
                                  grpc::SslCredentials({.pem_root_certs = authority_.cert(),
                                                        .pem_private_key = shown.key,
                                                        .pem_cert_chain = shown.cert}),
                                  arguments);
    return RawCall(*channel, method, "", token.empty() ? "" : "Bearer " + token).status;
  }
  StatusCode Code(const std::string& method, const std::string& token = {},
                  const Issued& shown = {}) {
    return Call(method, token, shown).error_code();
  }
  absl::Time Expiry() { return node_->stats.CertificateExpiry(ListeningPort::kControl).value(); }

  Authority authority_;
  Issued server_;
  ControlOptions options_;
  std::unique_ptr<ControlNode> node_;
};

TEST_F(ControlTlsTest, TokenWorksOverTls) {
  WantTokens();
  Start();
  EXPECT_EQ(Code(kRead, kToken), StatusCode::OK);
  EXPECT_EQ(Code(kRead), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Code(kAdminister, kToken), StatusCode::PERMISSION_DENIED);
}

TEST_F(ControlTlsTest, PlainTextAndStrangeAuthoritiesDoNotConnect) {
  WantTokens();
  Start();
  EXPECT_EQ(RawCall(*node_->channel, kRead, "", "Bearer " + kToken).status.error_code(),
            StatusCode::UNAVAILABLE);
  Authority other;
  const auto channel = grpc::CreateChannel(
      node_->server->address(),
      grpc::SslCredentials(
          {.pem_root_certs = other.cert(), .pem_private_key = {}, .pem_cert_chain = {}}));
  EXPECT_EQ(RawCall(*channel, kRead, "", "Bearer " + kToken).status.error_code(),
            StatusCode::UNAVAILABLE);
}

TEST_F(ControlTlsTest, NamesOfCertificatesHaveTheirRoles) {
  WantCertificates();
  Start();
  const Issued reader = authority_.Issue("a", {.common_name = "reader"});
  const Issued chat = authority_.Issue(
      "b", {.common_name = "x", .alternative_names = "DNS:www.example.org,DNS:chat.example.org"});
  const Issued ops = authority_.Issue(
      "c", {.common_name = "x", .alternative_names = "URI:spiffe://example.org/ops"});
  const Issued stranger = authority_.Issue(
      "d", {.common_name = "stranger", .alternative_names = "email:reader,DNS:example.org"});
  EXPECT_EQ(Code(kRead, "", reader), StatusCode::OK);
  EXPECT_EQ(Code(kPublish, "", reader), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Code(kPublish, "", chat), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Code(kAdminister, "", chat), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Code(kAdminister, "", ops), StatusCode::OK);
  EXPECT_EQ(Code(kRead, "", stranger), StatusCode::UNAUTHENTICATED);
}

TEST_F(ControlTlsTest, EachCertificateIsACallerByItself) {
  WantCertificates();
  options_.calls_rate = {.n = 2, .window = absl::Hours(1)};
  Start();
  const Issued reader = authority_.Issue("a", {.common_name = "reader"});
  const Issued ops = authority_.Issue(
      "c", {.common_name = "x", .alternative_names = "URI:spiffe://example.org/ops"});
  for (const Issued& shown : {reader, ops}) {
    EXPECT_EQ(Code(kRead, "", shown), StatusCode::OK);
    EXPECT_EQ(Code(kRead, "", shown), StatusCode::OK);
    EXPECT_EQ(Code(kRead, "", shown), StatusCode::RESOURCE_EXHAUSTED);
  }
}

TEST_F(ControlTlsTest, ReflectionAsksForTheNameOfTheCertificate) {
  WantCertificates();
  Start();
  constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const Issued reader = authority_.Issue("a", {.common_name = "reader"});
  const Issued stranger = authority_.Issue("b", {.common_name = "stranger"});
  EXPECT_NE(Code(kReflection, "", reader), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Code(kReflection, "", stranger), StatusCode::UNAUTHENTICATED);
}

TEST_F(ControlTlsTest, CertificateOfNobodyWeKnowDoesNotConnect) {
  WantCertificates();
  Start();
  Authority other;
  EXPECT_EQ(Code(kRead), StatusCode::UNAVAILABLE);
  EXPECT_EQ(Code(kRead, "", other.Issue("a", {.common_name = "reader"})), StatusCode::UNAVAILABLE);
  EXPECT_EQ(Code(kRead, "",
                 authority_.Issue("b", {.common_name = "reader", .ends_in = -absl::Minutes(1)})),
            StatusCode::UNAVAILABLE);
}

// The certificate, PEM, that the server shows to a client that speaks nothing newer than `version`;
// empty where the handshake fails.
std::string Shown(const std::string& address, int version = TLS1_3_VERSION) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  // OpenSSL itself would not speak the old ones otherwise.
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), version);
  const unsigned char h2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), h2, sizeof(h2));
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> socket(BIO_new_ssl_connect(context.get()),
                                                             BIO_free_all);
  BIO_set_conn_hostname(socket.get(), address.c_str());
  if (BIO_do_connect(socket.get()) != 1 || BIO_do_handshake(socket.get()) != 1) return {};
  SSL* ssl = nullptr;
  BIO_get_ssl(socket.get(), &ssl);
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(BIO_new(BIO_s_mem()), BIO_free);
  EXPECT_EQ(PEM_write_bio_X509(pem.get(), SSL_get0_peer_certificate(ssl)), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(pem.get(), &text);
  return {text, static_cast<size_t>(size)};
}

TEST_F(ControlTlsTest, OldVersionsOfTlsAreRefused) {
  Start();
  EXPECT_EQ(Shown(node_->server->address(), TLS1_VERSION), "");
  EXPECT_EQ(Shown(node_->server->address(), TLS1_1_VERSION), "");
  EXPECT_EQ(Shown(node_->server->address(), TLS1_2_VERSION), server_.cert);
  EXPECT_EQ(Shown(node_->server->address(), TLS1_3_VERSION), server_.cert);
}

TEST_F(ControlTlsTest, CertificateAndTokensChangeUnderLoadWithoutAFailedCall) {
  WantTokens();
  Start();
  std::atomic<const std::string*> token = &kToken;
  std::atomic<bool> stop = false;
  std::atomic<int> calls = 0;
  std::atomic<int> failed = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        if (Code(kRead, *token) != StatusCode::OK) ++failed;
        ++calls;
      }
    });
  }
  const auto await_calls = [&] {
    // As many as there are callers may have begun before.
    const int wanted = calls + 2 * static_cast<int>(callers.size());
    return Eventually([&] { return calls >= wanted; });
  };
  for (int round = 1; round <= 3; ++round) {
    const absl::Time before = Expiry();
    const Issued next = authority_.IssueServer(absl::Hours(24 + round));
    EXPECT_TRUE(Eventually([&] { return Expiry() > before; }));
    EXPECT_EQ(Shown(node_->server->address()), next.cert);
    EXPECT_TRUE(await_calls());
  }
  authority_.Write("tokens", "chat publish " + kToken + "\nchat publish " + kNext);
  EXPECT_TRUE(Eventually([&] { return Code(kRead, kNext) == StatusCode::OK; }));
  token = &kNext;
  EXPECT_TRUE(await_calls());
  authority_.Write("tokens", "chat publish " + kNext);
  EXPECT_TRUE(Eventually([&] { return Code(kRead, kToken) == StatusCode::UNAUTHENTICATED; }));
  EXPECT_TRUE(await_calls());
  stop = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(failed, 0) << "of " << calls;
}

TEST_F(ControlTlsTest, BeyondLoopbackWantsTlsAndARule) {
  Start();
  ControlNode& node = *node_;
  const auto refusal = [&](const ControlOptions& options) {
    const auto started =
        ControlServer::Start(options, {.broker = node.broker,
                                       .directory = node.directory,
                                       .rates = node.rates,
                                       .history = node.history,
                                       .log = node.log,
                                       .stats = node.stats,
                                       .counters = node.counters,
                                       .events = node.hub,
                                       .measures = node.measures,
                                       .node = node.drains,
                                       .clock = node.clock,
                                       .effective_config = [] { return std::string(); }});
    return started.ok() ? "(started)" : started.status().ToString();
  };
  ControlOptions options = options_;
  options.listen = "0.0.0.0:0";
  EXPECT_THAT(refusal(options), HasSubstr("nothing says who may call"));
  options.tokens_file = authority_.Write("tokens", "chat publish " + kToken);
  EXPECT_EQ(refusal(options), "(started)");
  options.tls = {};
  EXPECT_THAT(refusal(options), HasSubstr("sends tokens in plain text"));
  options.insecure_control = true;
  EXPECT_EQ(refusal(options), "(started)");
}

}  // namespace
}  // namespace wsrouter
