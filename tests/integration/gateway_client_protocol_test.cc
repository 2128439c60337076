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
