// How the gateway answers requests, over real sockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The request with one of its lines replaced by others, or left out.
std::string RequestWith(std::string_view line, std::string_view instead) {
  std::string request = UpgradeRequest("/ws");
  const size_t at = request.find(line);
  EXPECT_NE(at, std::string::npos) << line;
  return request.replace(at, line.size(), instead);
}

// The answer to `request`, behind which the connection must end.
HttpAnswer AnswerTo(const TestGateway& gateway, std::string_view request) {
  RawClient client = gateway.Connect();
  EXPECT_TRUE(client.Send(request));
  HttpAnswer answer = client.ReadHttp();
  EXPECT_EQ(client.ReadToEnd(), "") << answer.head;
  EXPECT_EQ(answer.Header("Connection").substr(0, 5), "close") << answer.head;
  return answer;
}

TEST(GatewayHandshakeTest, UpgradeIsAnsweredAsTheRfcsExample) {
  TestGateway gateway;
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
  const HttpAnswer answer = client.ReadHttp();

  EXPECT_THAT(answer.head, StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_EQ(answer.Header("Upgrade"), "websocket");
  EXPECT_EQ(answer.Header("Connection"), "Upgrade");
  EXPECT_EQ(answer.Header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer.Header("Sec-WebSocket-Protocol"), "");
  EXPECT_EQ(answer.Header("Sec-WebSocket-Extensions"), "");
}

TEST(GatewayHandshakeTest, EachFaultGetsItsStatusAndTheEnd) {
  TestGateway gateway;
  const std::string_view key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string_view version = "Sec-WebSocket-Version: 13\r\n";
  const std::vector<std::pair<int, std::string>> cases = {
      {426, RequestWith(version, "Sec-WebSocket-Version: 8\r\n")},
      {426, RequestWith(version, "")},
      {426, RequestWith("Upgrade: websocket\r\n", "Upgrade: h2c\r\n")},
      {426, RequestWith("Connection: Upgrade\r\n", "")},
      {405, RequestWith("GET", "POST")},
      {405, RequestWith("GET", "PUT")},
      {405, RequestWith("GET", "get")},
      {400, RequestWith(key, "")},
      {400, RequestWith(key, std::string(key) + std::string(key))},
      {400, RequestWith(key, "Sec-WebSocket-Key: short\r\n")},
      {400, RequestWith("Host: test\r\n", "")},
      {400, RequestWith("Host: test\r\n", "Host: test\r\nHost: test\r\n")},
      {400, RequestWith("Host: test\r\n", "Host: test\r\nContent-Length: 3\r\n")},
      {400, RequestWith("Host: test\r\n", "Host : test\r\n")},
      {400, "\x16\x03\x01\x02"},
      {404, UpgradeRequest("/other")},
      {404, UpgradeRequest("/ws/")},
      {505, RequestWith("HTTP/1.1", "HTTP/1.0")},
      {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
  };
  uint64_t refused = 0;
  for (const auto& [status, request] : cases) {
    const HttpAnswer answer = AnswerTo(gateway, request);
    EXPECT_EQ(answer.status, status) << request;
    EXPECT_EQ(gateway.Total(Counter::kUpgradesRefused), ++refused);
    EXPECT_EQ(answer.Header("Sec-WebSocket-Version"), status == 426 ? "13" : "");
    EXPECT_EQ(answer.Header("Allow"), status == 405 ? "GET" : "");
  }
  EXPECT_EQ(gateway.Total(Counter::kConnectionsOpened), 0u);
}

TEST(GatewayHandshakeTest, HeadOfMoreThanEightKibGets431AlsoWhereTheClientSendsOn) {
  TestGateway gateway;
  const std::string filler = "X-Filler: " + std::string(9000, 'x') + "\r\n";

  EXPECT_EQ(AnswerTo(gateway, UpgradeRequest("/ws", filler)).status, 431);
  EXPECT_EQ(AnswerTo(gateway, "GET /" + std::string(100'000, 'x')).status, 431);
}

TEST(GatewayHandshakeTest, OriginIsComparedWithTheListAndAbsentOriginIsNoBrowser) {
  TestGateway::Settings settings;
  settings.gateway.upgrade.allowed_origins = {"https://chat.example"};
  TestGateway gateway(settings);

  EXPECT_EQ(AnswerTo(gateway, UpgradeRequest("/ws", "Origin: https://evil.example\r\n")).status,
            403);
  EXPECT_TRUE(gateway.Connect().Upgrade("/ws", "Origin: https://chat.example\r\n"));
  EXPECT_TRUE(gateway.Connect().Upgrade("/ws"));
}

TEST(GatewayHandshakeTest, SubprotocolIsSelectedOnlyWhenOffered) {
  TestGateway gateway;
  const auto selected = [&](std::string_view headers) {
    RawClient client = gateway.Connect();
    EXPECT_TRUE(client.Send(UpgradeRequest("/ws", headers)));
    const HttpAnswer answer = client.ReadHttp();
    EXPECT_EQ(answer.status, 101);
    return answer.Header("Sec-WebSocket-Protocol");
  };
  EXPECT_EQ(selected("Sec-WebSocket-Protocol: chat, wsrouter.v1.json\r\n"), "wsrouter.v1.json");
  EXPECT_EQ(selected("Sec-WebSocket-Protocol: chat\r\n"), "");
  EXPECT_EQ(selected("Sec-WebSocket-Extensions: permessage-deflate\r\n"), "");
}

TEST(GatewayHandshakeTest, ConnectedShowsWhatTheClientSaidAndOnlyListedHeaders) {
  TestGateway::Settings settings;
  settings.gateway.event_headers = {"user-agent"};
  settings.gateway.event_cookies = {"session"};
  TestGateway gateway(settings);
  TestConnection client = gateway.Open(
      {}, "User-Agent: probe\r\nAuthorization: secret\r\nCookie: other=1; session=abc\r\n");
  const auto handshake = gateway.events().AwaitOf<event::Connected>(client.id).handshake;

  EXPECT_EQ(handshake->path, "/ws");
  EXPECT_THAT(handshake->headers, ::testing::ElementsAre(std::pair("user-agent", "probe")));
  EXPECT_THAT(handshake->cookies, ::testing::ElementsAre(std::pair("session", "abc")));
  EXPECT_EQ(handshake->peer, "127.0.0.1:" + std::to_string(client.socket.local_port()));
  EXPECT_FALSE(handshake->tls);
}

TEST(GatewayHandshakeTest, HeadMayComeOneOctetAtATime) {
  TestGateway gateway;
  RawClient client = gateway.Connect();
  for (const char octet : UpgradeRequest("/echo")) ASSERT_TRUE(client.Send({&octet, 1}));
  EXPECT_EQ(client.ReadHttp().status, 101);
  for (const char octet : ClientText("by octets")) ASSERT_TRUE(client.Send({&octet, 1}));
  EXPECT_EQ(client.ReadFrame(), "text by octets");
}

TEST(GatewayHandshakeTest, FramesBehindTheUpgradeInOnePacketAreAnswered) {
  TestGateway gateway;
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/echo") + ClientText("one") + ClientPing("p") +
                          ClientText("two")));
  EXPECT_EQ(client.ReadHttp().status, 101);
  EXPECT_EQ(client.ReadFrame(), "text one");
  EXPECT_EQ(client.ReadFrame(), "pong p");
  EXPECT_EQ(client.ReadFrame(), "text two");
}

TEST(GatewayHandshakeTest, EchoPathExistsOnlyWhenConfigured) {
  TestGateway::Settings settings;
  settings.gateway.upgrade.echo_path.clear();
  TestGateway gateway(settings);

  EXPECT_EQ(AnswerTo(gateway, UpgradeRequest("/echo")).status, 404);
  EXPECT_EQ(AnswerTo(gateway, UpgradeRequest("/")).status, 404);
}

TEST(GatewayHandshakeTest, PageIsServedAtRootOnlyWhenThereIsOne) {
  const std::string get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
  EXPECT_EQ(AnswerTo(TestGateway(), get).status, 404);

  TestGateway::Settings settings;
  settings.gateway.page = std::string(3 << 20, 'p');
  TestGateway gateway(settings);
  const HttpAnswer answer = AnswerTo(gateway, get);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.Header("Content-Type"), HasSubstr("text/html"));
  EXPECT_TRUE(answer.body == settings.gateway.page) << answer.body.size();
  EXPECT_EQ(gateway.Total(Counter::kUpgradesRefused), 0u);
}

TEST(GatewayHandshakeTest, Ipv6IsServedAndNamedInItsOwnForm) {
  TestGateway gateway;
  RawClient client(gateway.address_v6());
  ASSERT_TRUE(client.Upgrade("/ws?six"));
  const auto event = gateway.events().Await(
      [](const Event& seen) { return std::holds_alternative<event::Connected>(seen.detail); });
  ASSERT_TRUE(event.has_value());
  EXPECT_THAT(std::get<event::Connected>(event->detail).handshake->peer, StartsWith("[::1]:"));
}

}  // namespace
}  // namespace wsrouter
