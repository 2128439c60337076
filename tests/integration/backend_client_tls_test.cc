// BackendClient where a node asks who calls.

#include <gtest/gtest.h>

#include "tests/support/authority.h"
#include "tests/support/fake_node.h"
#include "wsrouter/backend_client.h"

namespace wsrouter::client {
namespace {

using ::wsrouter::testing::FakeNode;

TEST(BackendClientTlsTest, ShowsACertificateAndAToken) {
  Authority authority;
  const Issued server = authority.IssueServer();
  const Issued service = authority.Issue("service", {.common_name = "chat"});
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = authority.cert();
  options.pem_key_cert_pairs = {{.private_key = server.key, .cert_chain = server.cert}};
  FakeNode node(grpc::SslServerCredentials(options));
  const auto shown = [&](const Issued& certificate) {
    return grpc::SslCredentials({.pem_root_certs = authority.cert(),
                                 .pem_private_key = certificate.key,
                                 .pem_cert_chain = certificate.cert});
  };
  BackendClient client({.target = node.address(), .credentials = shown(service), .token = "t"});
  EXPECT_TRUE(client.Own({.connection_id = "c", .client_id = "alice"}).ok());
  EXPECT_EQ(node.router.authorization(), "Bearer t");

  BackendClient stranger({.target = node.address(), .credentials = shown({})});
  EXPECT_TRUE(absl::IsUnavailable(stranger.OnlineCount().status()));
}

}  // namespace
}  // namespace wsrouter::client
