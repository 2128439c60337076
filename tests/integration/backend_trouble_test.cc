// A service in trouble and one that is well decide about two paths of one gateway: the trouble
// costs the connections of its own path only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/backend_node.h"
#include "tests/support/backend_services.h"
#include "tests/support/client_frames.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

constexpr char kAway[] = "close 1013 the service does not answer";

// Lets everybody in, and says what it is told.
BackendHandlers Echo() {
  return {.connect =
              [](const auto&, const auto& reply) {
                v1::ConnectResponse response;
                response.mutable_accept()->set_client_id("somebody");
                reply(grpc::Status::OK, response);
              },
          .message =
              [](const v1::MessageRequest& request, const auto& reply) {
                v1::MessageResponse response;
                response.add_effects()->mutable_send()->set_text(request.payload().text());
                reply(grpc::Status::OK, response);
              }};
}

// Does to a message what the message says.
BackendHandlers Troubled() {
  BackendHandlers handlers = Echo();
  handlers.message = [](const v1::MessageRequest& request, const auto& reply) {
    const std::string& what = request.payload().text();
    v1::MessageResponse response;
    if (what == "hang") return;
    if (what == "fail") return reply(grpc::Status(grpc::StatusCode::INTERNAL, "no"), {});
    if (what == "nonsense") response.add_effects();
    if (what == "quiet") response.add_effects()->mutable_send()->set_text("well");
    if (what == "a mebibyte") {
      response.add_effects()->mutable_send()->set_text(std::string(1 << 20, 'x'));
    }
    for (int i = 0; what == "five mebibytes" && i < 5; ++i) {
      response.add_effects()->mutable_send()->set_text(std::string(1 << 20, 'x'));
    }
    reply(grpc::Status::OK, response);
  };
  return handlers;
}

class BackendTroubleTest : public ::testing::TestWithParam<Way> {
 protected:
  BackendTroubleTest() {
    BackendOptions options = {.timeout = absl::Seconds(2)};
    for (const char* path : {"/bad", "/good"}) {
      BackendHandlers handlers = path == std::string("/bad") ? Troubled() : Echo();
      options.routes.push_back({.prefix = path, .target = {}});
      if (GetParam() == Way::kAttached) continue;
      auto dialled = std::make_unique<DialledTestService>(std::move(handlers));
      options.routes.back().target = dialled->address();
      services_.push_back(std::move(dialled));
    }
    host_ = std::make_unique<BackendHost>(std::move(options));
    if (GetParam() == Way::kAttached) {
      Attach("/bad", Troubled());
      Attach("/good", Echo());
    }
    TestGateway::Settings settings;
    settings.backend = &host_->backend();
    settings.gateway.upgrade.prefixes = {"/bad", "/good"};
    gateway_ = std::make_unique<TestGateway>(std::move(settings));
  }

  void Attach(const std::string& path, BackendHandlers handlers) {
    v1::Attachment attachment;
    attachment.set_path_prefix(path);
    services_.push_back(std::make_unique<AttachedTestService>(
        std::move(handlers), host_->control().channel, std::move(attachment)));
  }
  RawClient Open(const std::string& path) {
    RawClient client = gateway_->Connect();
    EXPECT_TRUE(client.Upgrade(path));
    return client;
  }
  static std::string Tell(RawClient& client, const std::string& text) {
    EXPECT_TRUE(client.Send(ClientText(text)));
    return client.ReadFrame();
  }

  std::vector<std::unique_ptr<TestService>> services_;  // of /bad, then of /good
  std::unique_ptr<BackendHost> host_;
  std::unique_ptr<TestGateway> gateway_;
};

INSTANTIATE_TEST_SUITE_P(Ways, BackendTroubleTest, ::testing::Values(Way::kDialled, Way::kAttached),
                         [](const auto& info) {
                           return info.param == Way::kDialled ? "Dialled" : "Attached";
                         });

TEST_P(BackendTroubleTest, ItCostsTheConnectionItIsAboutAndNoOther) {
  RawClient good = Open("/good");
  RawClient neighbour = Open("/bad");
  RawClient hanging = Open("/bad");
  ASSERT_TRUE(hanging.Send(ClientText("hang")));
  for (const char* trouble : {"fail", "nonsense", "five mebibytes"}) {
    RawClient bad = Open("/bad");
    EXPECT_EQ(Tell(bad, trouble), kAway) << trouble;
    EXPECT_EQ(Tell(neighbour, "quiet"), "text well") << trouble;
    EXPECT_EQ(Tell(good, trouble), std::string("text ") + trouble);
  }
  RawClient large = Open("/bad");
  EXPECT_EQ(Tell(large, "a mebibyte"), "text " + std::string(1 << 20, 'x'));
  EXPECT_EQ(hanging.ReadFrame(), kAway);
  EXPECT_EQ(Tell(good, "hello"), "text hello");
}

TEST_P(BackendTroubleTest, ItsEndCostsThoseWhoSpeakToItAndNobodyElse) {
  RawClient good = Open("/good");
  RawClient speaker = Open("/bad");
  RawClient silent = Open("/bad");
  services_.front()->Die();
  EXPECT_EQ(Tell(speaker, "anybody?"), kAway);
  EXPECT_EQ(Tell(good, "hello"), "text hello");
  EXPECT_EQ(Open("/bad").ReadFrame(), kAway);
  EXPECT_EQ(Tell(good, "hello"), "text hello");
  EXPECT_TRUE(silent.Quiet());
}

}  // namespace
}  // namespace wsrouter
