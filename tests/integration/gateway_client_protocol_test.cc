// wsrouter.v1.json through a real socket: who speaks it, and what frames the wire sees.
#include <string>

#include "core/client_protocol.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/client_frames.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kOffer[] = "Sec-WebSocket-Protocol: chat.v1, wsrouter.v1.json\r\n";

class GatewayClientProtocolTest : public testing::Test {
 protected:
  static TestGateway::Settings Speaking() {
    TestGateway::Settings settings;
    settings.gateway.client_protocol = true;
    return settings;
  }
  TestGateway gateway{Speaking()};
};

TEST_F(GatewayClientProtocolTest, AClientJoinsAndSharesTheRoomWithARawOne) {
  TestConnection alice = gateway.Open({}, kOffer);
  const std::string id = alice.id.ToString();
  EXPECT_EQ(alice.socket.ReadFrame(), "text " + WelcomeText(id, ""));
  gateway.Ask(alice.id, Own{.client = {"alice"}, .may_join = {"lobby"}});
  EXPECT_EQ(alice.socket.ReadFrame(), "text " + WelcomeText(id, "alice"));
  TestConnection bob = gateway.Online("bob", {"lobby"});
  ASSERT_TRUE(alice.socket.Send(ClientText(R"({"join":{"id":"1","room":"lobby"}})") +
                                ClientText(R"({"leave":{"id":"2","room":"x"}})")));
  EXPECT_EQ(alice.socket.ReadFrame(), R"(text {"joined":{"id":"1","room":"lobby"}})");
  EXPECT_EQ(alice.socket.ReadFrame(), R"(text {"left":{"id":"2","room":"x"}})");
  EXPECT_EQ(gateway.Push("lobby", "hi").queued, 2u);
  EXPECT_EQ(alice.socket.ReadFrame(), R"(text {"msg":{"room":"lobby","text":"hi"}})");
  EXPECT_EQ(bob.socket.ReadFrame(), "text hi");
  gateway.Push("lobby", "\xFB\xFF", Opcode::kBinary);
  EXPECT_EQ(alice.socket.ReadFrame(), R"(text {"msg":{"room":"lobby","binary":"+/8="}})");
}

TEST_F(GatewayClientProtocolTest, ByeGoesBeforeACloseButNotBeforeTheAnswerToOne) {
  TestConnection alice = gateway.Open({}, kOffer);
  alice.socket.ReadFrame();
  gateway.Ask(alice.id, Disconnect{{4003, "banned"}});
  EXPECT_EQ(alice.socket.ReadFrame(),
            R"(text {"bye":{"code":4003,"reason":"banned","advice":"ADVICE_NEVER"}})");
  EXPECT_EQ(alice.socket.ReadFrame(), "close 4003 banned");
  TestConnection bob = gateway.Open({}, kOffer);
  bob.socket.ReadFrame();
  ASSERT_TRUE(bob.socket.Send(ClientClose(1000)));
  EXPECT_EQ(bob.socket.ReadFrame(), "close 1000 ");
}

// Pongs that are not written yet leave so much room that a Close fits, a bye does or does not, and
// both do.
TEST_F(GatewayClientProtocolTest, AByeThatDoesNotFitTakesNoPlaceFromTheClose) {
  TestGateway::Settings settings = Speaking();
  settings.limits.slow_consumer_bytes = 8192;
  TestGateway small(settings);
  const size_t room = settings.limits.slow_consumer_bytes + kControlFramesBytesMax;
  const size_t pong = 2 + kFrameOverheadBytes;
  for (size_t left = 160; left < 500; left += pong) {
    TestConnection alice = small.Open({}, kOffer);
    alice.socket.ReadFrame();
    std::string packet;
    for (size_t i = 0; i < (room - left) / pong; ++i) packet += ClientPing("");
    ASSERT_TRUE(alice.socket.Send(packet + ClientText("no JSON")));
    std::string frame = "pong ";
    while (frame.starts_with("pong")) frame = alice.socket.ReadFrame();
    if (frame.starts_with("text")) {
      EXPECT_THAT(frame, HasSubstr(R"("bye":{"code":1007)"));
      frame = alice.socket.ReadFrame();
    }
    EXPECT_EQ(frame, "close 1007 a frame is no JSON object") << left;
  }
}

TEST_F(GatewayClientProtocolTest, ADrainThatTakesTimeIsAnnounced) {
  std::vector<TestConnection> clients;
  for (int i = 0; i < 120; ++i) clients.push_back(gateway.Open({}, kOffer));
  TestConnection raw = gateway.Open();
  for (TestConnection& client : clients) client.socket.ReadFrame();
  gateway.gateway().Drain(absl::Minutes(1));
  for (TestConnection& client : clients) {
    EXPECT_EQ(client.socket.ReadFrame(), R"(text {"notice":{"kind":"draining","withinMs":2000}})");
    EXPECT_THAT(client.socket.ReadFrame(), HasSubstr(R"("bye":{"code":1012)"));
  }
  EXPECT_EQ(raw.socket.ReadFrame(), "close 1012 node is stopping");
}

TEST_F(GatewayClientProtocolTest, WhatIsNoFrameEndsTheConnection) {
  TestConnection alice = gateway.Open({}, kOffer);
  alice.socket.ReadFrame();
  ASSERT_TRUE(alice.socket.Send(ClientText("hello")));
  EXPECT_THAT(alice.socket.ReadFrame(), HasSubstr(R"("bye":{"code":1007)"));
  EXPECT_THAT(alice.socket.ReadFrame(), HasSubstr("close 1007"));
  EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(alice.id).cause,
            CloseCause::kProtocolError);
}

TEST_F(GatewayClientProtocolTest, WhoDoesNotOfferItIsRaw) {
  TestConnection raw = gateway.Open();
  ASSERT_TRUE(raw.socket.Send(ClientText("hello")));
  EXPECT_EQ(gateway.events().AwaitOf<event::Message>(raw.id).payload, "hello");
  EXPECT_TRUE(raw.socket.Quiet());
}

TEST_F(GatewayClientProtocolTest, TheEchoPathDoesNotAgreeToIt) {
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(std::string("GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") +
                          kOffer + "\r\n"));
  EXPECT_EQ(client.ReadHttp().status, 101);
  ASSERT_TRUE(client.Send(ClientText("hello")));
  EXPECT_EQ(client.ReadFrame(), "text hello");
}

}  // namespace
}  // namespace wsrouter
