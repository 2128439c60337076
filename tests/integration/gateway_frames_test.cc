// RFC 6455 over real sockets: messages, control frames, faults.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/client_frames.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

TEST(GatewayFramesTest, TextStaysTextAndBinaryBinaryOctetForOctet) {
  TestGateway gateway;
  RawClient client = gateway.OpenEcho();
  std::string octets;
  for (int i = 0; i < 256; ++i) octets.push_back(static_cast<char>(i));
  ASSERT_TRUE(client.Send(ClientBinary(octets) + ClientText("\xE2\x82\xAC") + ClientText("") +
                          ClientBinary("")));

  EXPECT_EQ(client.ReadFrame(), "binary " + octets);
  EXPECT_EQ(client.ReadFrame(), "text \xE2\x82\xAC");
  EXPECT_EQ(client.ReadFrame(), "text ");
  EXPECT_EQ(client.ReadFrame(), "binary ");
}

TEST(GatewayFramesTest, EveryLengthFormComesBack) {
  TestGateway gateway;
  RawClient client = gateway.OpenEcho();
  for (const size_t size : {125, 126, 127, 65'535, 65'536}) {
    const std::string payload(size, 'x');
    ASSERT_TRUE(client.Send(ClientText(payload)));
    EXPECT_TRUE(client.ReadFrame() == "text " + payload) << size;
  }
}

TEST(GatewayFramesTest, EveryPingIsAnsweredInOrder) {
  TestGateway gateway;
  for (const int count : {10, 1000}) {
    RawClient client = gateway.OpenEcho();
    std::string packet;
    for (int i = 0; i < count; ++i) packet += ClientPing(std::string(100, 'p') + std::to_string(i));
    ASSERT_TRUE(client.Send(packet));
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(client.ReadFrame(), "pong " + std::string(100, 'p') + std::to_string(i));
    }
  }
}

TEST(GatewayFramesTest, PingsAreAnsweredAlsoBeforeAnybodyOwnsTheConnection) {
  TestGateway gateway;
  TestConnection client = gateway.Open();
  ASSERT_TRUE(client.socket.Send(ClientPing("early") + ClientFrameOf(0x8A, "unasked pong")));
  EXPECT_EQ(client.socket.ReadFrame(), "pong early");
}

TEST(GatewayFramesTest, ControlFramesBetweenFragmentsAreAnsweredAtOnce) {
  TestGateway gateway;
  RawClient client = gateway.OpenEcho();
  ASSERT_TRUE(client.Send(ClientFrameOf(0x01, "Hel") + ClientPing("one") +
                          ClientFrameOf(0x00, "lo ") + ClientPing("two")));
  EXPECT_EQ(client.ReadFrame(), "pong one");
  EXPECT_EQ(client.ReadFrame(), "pong two");
  ASSERT_TRUE(client.Send(ClientFrameOf(0x80, "world")));
  EXPECT_EQ(client.ReadFrame(), "text Hello world");
}

TEST(GatewayFramesTest, EachFaultIsClosedWithItsCodeAndNothingFollows) {
  TestGateway gateway;
  const std::string unmasked = {'\x81', '\x02', 'h', 'i'};
  const std::vector<std::pair<int, std::string>> cases = {
      {1002, unmasked},
      {1002, ClientFrameOf(0xC1, "reserved bit 1")},
      {1002, ClientFrameOf(0xA1, "reserved bit 2")},
      {1002, ClientFrameOf(0xC9, "reserved bit on a ping")},
      {1002, ClientFrameOf(0x83, "reserved opcode")},
      {1002, ClientFrameOf(0x8B, "reserved control opcode")},
      {1002, ClientFrameOf(0x09, "fragmented ping")},
      {1002, ClientPing(std::string(126, 'p'))},
      {1002, ClientFrameOf(0x80, "nothing to continue")},
      {1002, ClientFrameOf(0x01, "begins") + ClientText("inside")},
      {1002, EncodeHeader(0x81, 125, 2)},
      {1002, EncodeHeader(0x82, 0xFFFF, 8)},
      {1002, EncodeHeader(0x82, uint64_t{1} << 63, 8)},
      {1002, ClientFrameOf(0x88, "x")},
      {1002, ClientClose(1005)},
      {1002, ClientClose(999)},
      {1002, ClientClose(5000)},
      {1007, ClientText("\xFF")},
      {1007, ClientText("\xE2\x82")},
      {1007, ClientFrameOf(0x01, "\xED\xA0") + ClientFrameOf(0x00, "never looked at")},
      {1007, ClientClose(1000, "\xC0\x80")},
  };
  uint64_t failed = 0;
  for (const auto& [code, octets] : cases) {
    RawClient client = gateway.OpenEcho();
    ASSERT_TRUE(
        client.Send(ClientText("before") + octets + ClientText("behind") + ClientPing("behind")));
    EXPECT_EQ(client.ReadFrame(), "text before");
    EXPECT_EQ(client.ReadFrame().substr(0, 10), "close " + std::to_string(code)) << failed;
    EXPECT_EQ(client.ReadFrame(), "end") << failed;
    EXPECT_EQ(gateway.Total(Counter::kClosedProtocolError), ++failed);
  }
}

TEST(GatewayFramesTest, TooBigIsToldAtTheAnnouncedSizeBeforeAnyPayload) {
  TestGateway::Settings settings;
  settings.gateway.message_bytes_max = 1000;
  TestGateway gateway(settings);
  {
    RawClient client = gateway.OpenEcho();
    ASSERT_TRUE(client.Send(ClientText(std::string(1000, 'x')) + EncodeHeader(0x82, 1001, 2)));
    EXPECT_EQ(client.ReadFrame(), "text " + std::string(1000, 'x'));
    EXPECT_EQ(client.ReadFrame(), "close 1009 the message is too big");
    EXPECT_EQ(client.ReadFrame(), "end");
  }
  {
    RawClient client = gateway.OpenEcho();
    ASSERT_TRUE(client.Send(EncodeHeader(0x82, (uint64_t{1} << 63) - 1, 8)));
    EXPECT_EQ(client.ReadFrame(), "close 1009 the message is too big");
  }
  RawClient client = gateway.OpenEcho();
  ASSERT_TRUE(client.Send(ClientFrameOf(0x02, std::string(600, 'x')) + EncodeHeader(0x80, 401, 2)));
  EXPECT_EQ(client.ReadFrame(), "close 1009 the message is too big");
}

TEST(GatewayFramesTest, CloseIsReadAlsoByAClientThatSendsOnAfterItsFault) {
  TestGateway gateway;
  RawClient client = gateway.OpenEcho();
  ASSERT_TRUE(client.Send(EncodeHeader(0x82, 16 << 20, 8)));
  const std::string payload(64 << 10, 'x');
  for (int i = 0; i < 16 && client.SendSome(payload) > 0; ++i) {
  }
  EXPECT_EQ(client.ReadFrame(), "close 1009 the message is too big");
  EXPECT_EQ(client.ReadFrame(), "end");
}

TEST(GatewayFramesTest, BadClientCostsNobodyElseAnything) {
  TestGateway gateway;
  RawClient good = gateway.OpenEcho();
  for (int i = 0; i < 50; ++i) {
    RawClient bad = gateway.OpenEcho();
    ASSERT_TRUE(bad.Send(ClientFrameOf(0xF1, "bad")));
    if (i % 2 == 0) bad.Reset();
    ASSERT_TRUE(good.Send(ClientText(std::to_string(i))));
    ASSERT_EQ(good.ReadFrame(), "text " + std::to_string(i));
  }
}

}  // namespace
}  // namespace wsrouter
