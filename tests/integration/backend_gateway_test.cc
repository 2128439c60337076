// A WebSocket client, the real gateway, and a service that decides over gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/support/backend_node.h"
#include "tests/support/backend_services.h"
#include "tests/support/client_frames.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;

class BackendGatewayTest : public ::testing::TestWithParam<Way> {
 protected:
  static BackendHandlers Chat() {
    return {.connect =
                [](const v1::ConnectRequest& request, const auto& reply) {
                  const std::string& query = request.client().query();
                  const std::string answer =
                      query == "bad" ? R"({"refuse":{"code":4003,"reason":"banned"}})"
                                     : R"({"accept":{"client_id":"alice","rooms":["lobby"],
                                       "first":[{"text":"welcome"}]}})";
                  reply(grpc::Status::OK, FromJson<v1::ConnectResponse>(answer));
                },
            .message =
                [](const v1::MessageRequest& request, const auto& reply) {
                  v1::MessageResponse response;
                  auto& push = *response.add_effects()->mutable_push();
                  push.set_room(request.rooms().empty() ? "none" : request.rooms(0));
                  push.mutable_payload()->set_text(request.client_id() + ": " +
                                                   request.payload().text());
                  if (request.payload().text() == "bye") {
                    response.add_effects()->mutable_disconnect()->set_code(4999);
                  }
                  reply(grpc::Status::OK, response);
                },
            .join_check =
                [](const v1::JoinCheckRequest& request, const auto& reply) {
                  v1::JoinCheckResponse response;
                  if (request.room() == "hall") {
                    response.mutable_allow();
                  } else {
                    response.mutable_deny()->set_reason("members only");
                  }
                  reply(grpc::Status::OK, response);
                }};
  }
  // The gateway on the backend, which outlives it.
  std::unique_ptr<TestGateway> Gateway(BackendNode& node) {
    TestGateway::Settings settings;
    settings.backend = &node.backend();
    settings.gateway.client_protocol = true;
    return std::make_unique<TestGateway>(std::move(settings));
  }
  // The connection's request without its answer.
  static RawClient Ask(TestGateway& gateway, const std::string& target) {
    RawClient client = gateway.Connect();
    EXPECT_TRUE(client.Upgrade(target));
    return client;
  }
};

INSTANTIATE_TEST_SUITE_P(Ways, BackendGatewayTest, ::testing::Values(Way::kDialled, Way::kAttached),
                         [](const auto& info) {
                           return info.param == Way::kDialled ? "Dialled" : "Attached";
                         });

TEST_P(BackendGatewayTest, AClientIsLetInSpeaksAndIsMissed) {
  BackendNode node(GetParam(), Chat(), {});
  const auto gateway = Gateway(node);
  RawClient client = Ask(*gateway, "/ws");
  EXPECT_EQ(client.ReadFrame(), "text welcome");
  ASSERT_TRUE(client.Send(ClientText("one") + ClientText("two") + ClientText("bye")));
  EXPECT_EQ(client.ReadFrame(), "text alice: one");
  EXPECT_EQ(client.ReadFrame(), "text alice: two");
  EXPECT_EQ(client.ReadFrame(), "text alice: bye");
  EXPECT_EQ(client.ReadFrame(), "close 4999 ");
  EXPECT_THAT(node.service().asked.Await(5),
              ElementsAre("Connect /ws", "Message one of alice", "Message two of alice",
                          "Message bye of alice", "Disconnected 4999 of alice"));
}

TEST_P(BackendGatewayTest, AClientIsRefused) {
  BackendNode node(GetParam(), Chat(), {});
  const auto gateway = Gateway(node);
  RawClient client = Ask(*gateway, "/ws?bad");
  EXPECT_EQ(client.ReadFrame(), "close 4003 banned");
}

TEST_P(BackendGatewayTest, AClientJoinsWhereTheServiceAllowsIt) {
  BackendNode node(GetParam(), Chat(), {});
  const auto gateway = Gateway(node);
  RawClient client = gateway->Connect();
  ASSERT_TRUE(client.Upgrade("/ws", "Sec-WebSocket-Protocol: wsrouter.v1.json\r\n"));
  EXPECT_THAT(client.ReadFrame(), ::testing::EndsWith(R"("clientId":"alice"}})"));
  EXPECT_EQ(client.ReadFrame(), R"(text {"msg":{"text":"welcome"}})");
  EXPECT_EQ(client.ReadFrame(), R"(text {"joined":{"room":"lobby"}})");
  ASSERT_TRUE(client.Send(ClientText(R"({"join":{"id":"1","room":"hall"}})") +
                          ClientText(R"({"join":{"id":"2","room":"cellar"}})") +
                          ClientText(R"({"message":{"id":"3","text":"bye"}})")));
  EXPECT_EQ(client.ReadFrame(), R"(text {"joined":{"id":"1","room":"hall"}})");
  EXPECT_EQ(client.ReadFrame(),
            R"(text {"error":{"id":"2","reason":"JOIN_FORBIDDEN","text":"members only"}})");
  EXPECT_EQ(client.ReadFrame(), R"(text {"msg":{"room":"hall","text":"alice: bye"}})");
  EXPECT_EQ(client.ReadFrame(),
            R"(text {"bye":{"code":4999,"reason":"","advice":"ADVICE_NEVER"}})");
  EXPECT_EQ(client.ReadFrame(), "close 4999 ");
  EXPECT_THAT(node.service().asked.Await(5),
              ElementsAre("Connect /ws", "JoinCheck hall of alice", "JoinCheck cellar of alice",
                          "Message bye of alice", "Disconnected 4999 of alice"));
}

TEST_P(BackendGatewayTest, AClientAsksAndIsAnswered) {
  BackendHandlers handlers = Chat();
  handlers.message = [](const v1::MessageRequest& request, const auto& reply) {
    v1::MessageResponse response;
    response.mutable_reply()->set_text(request.payload().text() + " of " + request.room());
    reply(grpc::Status::OK, response);
  };
  BackendNode node(GetParam(), std::move(handlers), {});
  const auto gateway = Gateway(node);
  RawClient client = gateway->Connect();
  ASSERT_TRUE(client.Upgrade("/ws", "Sec-WebSocket-Protocol: wsrouter.v1.json\r\n"));
  for (int greeting = 0; greeting < 3; ++greeting) client.ReadFrame();
  ASSERT_TRUE(client.Send(ClientText(R"({"message":{"id":"1","text":"size","room":"hall"}})") +
                          ClientText(R"({"message":{"text":"nobody waits"}})") +
                          ClientText(R"({"ping":{"id":"2"}})")));
  EXPECT_EQ(client.ReadFrame(), R"(text {"ack":{"id":"1","text":"size of hall"}})");
  EXPECT_EQ(client.ReadFrame(), R"(text {"pong":{"id":"2","sent":1}})");
  EXPECT_EQ(gateway->Total(Counter::kRepliesDropped), 1u);
}

TEST_P(BackendGatewayTest, AServiceThatDiesLeavesConnectionsAloneUntilTheySpeak) {
  BackendNode node(GetParam(), Chat(), {});
  const auto gateway = Gateway(node);
  RawClient client = Ask(*gateway, "/ws");
  EXPECT_EQ(client.ReadFrame(), "text welcome");
  node.service().Die();
  EXPECT_EQ(gateway->Push("lobby", "still here").queued, 1u);
  EXPECT_EQ(client.ReadFrame(), "text still here");
  ASSERT_TRUE(client.Send(ClientText("hello?")));
  EXPECT_EQ(client.ReadFrame(), "close 1013 the service does not answer");
  RawClient late = Ask(*gateway, "/ws");
  EXPECT_EQ(late.ReadFrame(), "close 1013 the service does not answer");
}

TEST_P(BackendGatewayTest, AClientThatGoesWhileItIsAskedForIsToldToTheService) {
  BackendNode node(GetParam(), {.connect = [](const auto&, const auto&) {}}, {});
  const auto gateway = Gateway(node);
  RawClient client = gateway->Connect();
  ASSERT_TRUE(
      client.Send("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
  node.service().asked.Await(1);
  client.Reset();
  EXPECT_THAT(node.service().asked.Await(2), ElementsAre("Connect /ws", "cancelled"));
}

TEST_P(BackendGatewayTest, AClientThatGoesWhileItsJoinIsAskedAboutLeavesItsPlaceToOthers) {
  BackendHandlers handlers = Chat();
  handlers.join_check = [](const auto&, const auto&) {};
  v1::Attachment attachment;
  attachment.set_questions_max(1);
  BackendNode node(GetParam(), std::move(handlers),
                   {.timeout = absl::Minutes(5), .concurrency_max = 1}, attachment);
  const auto gateway = Gateway(node);
  RawClient client = gateway->Connect();
  ASSERT_TRUE(client.Upgrade("/ws", "Sec-WebSocket-Protocol: wsrouter.v1.json\r\n"));
  ASSERT_TRUE(client.Send(ClientText(R"({"join":{"room":"hall"}})")));
  node.service().asked.Await(2);
  client.Close();
  // Only behind the one that was cancelled is there a place for the end.
  EXPECT_THAT(node.service().asked.Await(4),
              ::testing::UnorderedElementsAre("Connect /ws", "JoinCheck hall of alice", "cancelled",
                                              "Disconnected 1006 of alice"));
  EXPECT_EQ(Ask(*gateway, "/ws").ReadFrame(), "text welcome");
}

}  // namespace
}  // namespace wsrouter
