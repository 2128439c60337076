#include "gateway/upgrade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RequestHead Upgrade() {
  RequestHead head;
  head.method = "GET";
  head.path = head.target = "/ws";
  head.host = "h";
  head.headers = {{"host", "h"},
                  {"upgrade", "websocket"},
                  {"connection", "Upgrade"},
                  {"sec-websocket-version", "13"},
                  {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  return head;
}

RequestHead With(RequestHead head, std::string name, std::string value) {
  head.headers.push_back({std::move(name), std::move(value)});
  return head;
}

RequestHead Without(RequestHead head, std::string_view name) {
  std::erase_if(head.headers, [name](const RequestHeader& header) { return header.name == name; });
  return head;
}

RequestHead Replaced(const std::string& name, std::string value) {
  return With(Without(Upgrade(), name), name, std::move(value));
}

UpgradePolicy Policy() {
  UpgradePolicy policy;
  policy.paths = {"/ws", "/connect"};
  return policy;
}

int StatusOf(const UpgradeDecision& decision) {
  const auto* refused = std::get_if<UpgradeRefused>(&decision);
  return refused == nullptr ? 101 : refused->status;
}

int Status(const RequestHead& head, const UpgradePolicy& policy = Policy()) {
  return StatusOf(DecideUpgrade(head, policy));
}

std::string Response(const RequestHead& head, const UpgradePolicy& policy = Policy()) {
  return std::visit([](const auto& outcome) { return outcome.response; },
                    DecideUpgrade(head, policy));
}

TEST(UpgradeTest, ExampleOfTheRfcIsAccepted) {
  const UpgradeDecision decision = DecideUpgrade(Upgrade(), Policy());
  const auto* accepted = std::get_if<UpgradeAccepted>(&decision);
  ASSERT_NE(accepted, nullptr);
  EXPECT_EQ(accepted->accept_key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(accepted->subprotocol, "");
  EXPECT_FALSE(accepted->echo);
  EXPECT_EQ(accepted->response,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST(UpgradeTest, PathsAreComparedOctetByOctet) {
  for (const auto& [path, status] : std::vector<std::pair<std::string, int>>{{"/ws", 101},
                                                                             {"/connect", 101},
                                                                             {"/", 404},
                                                                             {"/ws/", 404},
                                                                             {"/WS", 404},
                                                                             {"/%77s", 404},
                                                                             {"/w", 404},
                                                                             {"/echo", 404},
                                                                             {"", 404}}) {
    RequestHead head = Upgrade();
    head.path = path;
    EXPECT_EQ(Status(head), status) << path;
  }
}

TEST(UpgradeTest, EchoPathIsServedOnlyWhenConfigured) {
  UpgradePolicy policy = Policy();
  policy.echo_path = "/echo";
  RequestHead head = Upgrade();
  head.path = "/echo";
  const UpgradeDecision decision = DecideUpgrade(head, policy);
  ASSERT_EQ(StatusOf(decision), 101);
  EXPECT_TRUE(std::get<UpgradeAccepted>(decision).echo);
}

TEST(UpgradeTest, UnknownPathIsRefusedBeforeTheMethod) {
  RequestHead head = Upgrade();
  head.method = "POST";
  head.path = "/nowhere";
  EXPECT_EQ(Status(head), 404);
}

TEST(UpgradeTest, OnlyGetUpgrades) {
  for (const std::string method : {"get", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT"}) {
    RequestHead head = Upgrade();
    head.method = method;
    EXPECT_EQ(Status(head), 405) << method;
    EXPECT_THAT(Response(head), HasSubstr("\r\nAllow: GET\r\n"));
  }
}

TEST(UpgradeTest, HeadIsAnsweredWithoutABody) {
  RequestHead head = Upgrade();
  head.method = "HEAD";
  EXPECT_TRUE(Response(head).ends_with("\r\n\r\n"));
}

TEST(UpgradeTest, BodyIsRefused) {
  EXPECT_EQ(Status(With(Upgrade(), "content-length", "0")), 101);
  for (const std::string length : {"1", "00", "", "0, 0", "-0", "abc"}) {
    EXPECT_EQ(Status(With(Upgrade(), "content-length", length)), 400) << length;
  }
  EXPECT_EQ(Status(With(With(Upgrade(), "content-length", "0"), "content-length", "5")), 400);
  EXPECT_EQ(Status(With(Upgrade(), "transfer-encoding", "chunked")), 400);
}

TEST(UpgradeTest, ConnectionMustNameUpgrade) {
  for (const auto& [value, status] :
       std::vector<std::pair<std::string, int>>{{"upgrade", 101},
                                                {"UPGRADE", 101},
                                                {"keep-alive, Upgrade", 101},
                                                {"Upgrade,keep-alive", 101},
                                                {", ,\tupgrade ,", 101},
                                                {"keep-alive", 426},
                                                {"", 426},
                                                {"upgraded", 426},
                                                {"up grade", 426},
                                                {"keep-alive Upgrade", 426}}) {
    EXPECT_EQ(Status(Replaced("connection", value)), status) << value;
  }
  EXPECT_EQ(Status(With(Replaced("connection", "keep-alive"), "connection", "Upgrade")), 101);
  EXPECT_EQ(Status(Without(Upgrade(), "connection")), 426);
}

TEST(UpgradeTest, UpgradeMustNameWebSocket) {
  for (const auto& [value, status] :
       std::vector<std::pair<std::string, int>>{{"WebSocket", 101},
                                                {"foo, websocket", 101},
                                                {"h2c", 426},
                                                {"", 426},
                                                {"websocket/13", 426},
                                                {"websockets", 426}}) {
    EXPECT_EQ(Status(Replaced("upgrade", value)), status) << value;
  }
  EXPECT_EQ(Status(Without(Upgrade(), "upgrade")), 426);
}

TEST(UpgradeTest, HttpTwoIsNeverGranted) {
  const RequestHead head = With(With(Without(Upgrade(), "upgrade"), "upgrade", "h2c"),
                                "http2-settings", "AAMAAABkAAQAAP__");
  EXPECT_THAT(Response(head), Not(HasSubstr("h2c")));
  EXPECT_EQ(Status(head), 426);
}

TEST(UpgradeTest, OnlyVersionThirteenIsSpoken) {
  for (const std::string version : {"8", "0", "14", "013", "13, 8", "", "x"}) {
    const RequestHead head = Replaced("sec-websocket-version", version);
    EXPECT_EQ(Status(head), 426) << version;
    EXPECT_THAT(Response(head), HasSubstr("\r\nSec-WebSocket-Version: 13\r\n"));
  }
  EXPECT_EQ(Status(Without(Upgrade(), "sec-websocket-version")), 426);
  EXPECT_EQ(Status(With(Upgrade(), "sec-websocket-version", "13")), 400);
}

TEST(UpgradeTest, KeyMustBeCanonicalBase64OfSixteenOctets) {
  for (const auto& [key, status] : std::vector<std::pair<std::string, int>>{
           {"AAAAAAAAAAAAAAAAAAAAAA==", 101},
           {"/////////////////////w==", 101},
           {"", 400},
           {"AAAAAAAAAAAAAAAAAAAAAA=", 400},
           {"AAAAAAAAAAAAAAAAAAAAAA", 400},
           {"AAAAAAAAAAAAAAAAAAAAAB==", 400},  // unused bits are set
           {"AAAAAAAAAAAAAAAAAAAAAAA=", 400},  // 17 octets
           {"AAAAAAAAAAAAAAAAAAAAAAAA", 400},  // 18 octets
           {"AAAAAAAAAAAAAAAAAAAA", 400},      // 15 octets
           {"AAAAAAAAAAAAAAAAAAAAAA==AAAA", 400},
           {"AAAAAAAAAAAAAAAAAAAAA A==", 400},
           {"AAAAAAAAAAAAAAAAAAAAA-==", 400},
           {"AAAA====AAAAAAAAAAAAAA==", 400},
           {"========================", 400},
           {"AAAAAAAAAAAAAAAAAAAA\xC3\xA9==", 400}}) {
    EXPECT_EQ(Status(Replaced("sec-websocket-key", key)), status) << key;
  }
  EXPECT_EQ(Status(Without(Upgrade(), "sec-websocket-key")), 400);
  EXPECT_EQ(Status(With(Upgrade(), "sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")), 400);
}

TEST(UpgradeTest, OriginMustBeAllowed) {
  UpgradePolicy policy = Policy();
  policy.allowed_origins = {"https://app.example", "null"};
  for (const auto& [origin, status] :
       std::vector<std::pair<std::string, int>>{{"https://app.example", 101},
                                                {"null", 101},
                                                {"http://app.example", 403},
                                                {"https://app.example:443", 403},
                                                {"https://app.example.evil", 403},
                                                {"https://APP.example", 403},
                                                {"https://app.example/", 403},
                                                {"https://app.example.", 403},
                                                {"https://evil.app.example", 403},
                                                {"https://app.example@evil.example", 403},
                                                {"https://app.example evil.example", 403},
                                                {"https:/app.example", 403},
                                                {"NULL", 403},
                                                {"", 403},
                                                {"*", 403}}) {
    EXPECT_EQ(Status(With(Upgrade(), "origin", origin), policy), status) << origin;
  }
  EXPECT_EQ(Status(Upgrade(), policy), 101);
}

TEST(UpgradeTest, AnyOriginIsAllowedByAStarOrAnEmptyList) {
  const RequestHead head = With(Upgrade(), "origin", "https://anywhere.example");
  UpgradePolicy policy = Policy();
  EXPECT_EQ(Status(head, policy), 101);
  policy.allowed_origins = {"https://app.example", "*"};
  EXPECT_EQ(Status(head, policy), 101);
}

TEST(UpgradeTest, TwoOriginsAreRefused) {
  const RequestHead head = With(With(Upgrade(), "origin", "https://a"), "origin", "https://a");
  EXPECT_EQ(Status(head), 400);
}

TEST(UpgradeTest, SubprotocolFollowsThePreferenceOfTheServer) {
  UpgradePolicy policy = Policy();
  policy.subprotocols = {"wsrouter.v2", "wsrouter.v1"};
  for (const auto& [offered, selected] :
       std::vector<std::pair<std::string, std::string>>{{"wsrouter.v1", "wsrouter.v1"},
                                                        {"wsrouter.v1, wsrouter.v2", "wsrouter.v2"},
                                                        {"other,\twsrouter.v1", "wsrouter.v1"},
                                                        {"wsrouter.v2, other", "wsrouter.v2"},
                                                        {"other", ""},
                                                        {"WSROUTER.V1", ""}}) {
    const UpgradeDecision decision =
        DecideUpgrade(With(Upgrade(), "sec-websocket-protocol", offered), policy);
    ASSERT_EQ(StatusOf(decision), 101) << offered;
    const auto& accepted = std::get<UpgradeAccepted>(decision);
    EXPECT_EQ(accepted.subprotocol, selected) << offered;
    const std::string header = "\r\nSec-WebSocket-Protocol: " + selected + "\r\n\r\n";
    EXPECT_EQ(accepted.response.find(header) != std::string::npos, !selected.empty()) << offered;
  }
  const RequestHead split = With(With(Upgrade(), "sec-websocket-protocol", "wsrouter.v1"),
                                 "sec-websocket-protocol", "wsrouter.v2");
  EXPECT_THAT(Response(split, policy), HasSubstr("Sec-WebSocket-Protocol: wsrouter.v2\r\n"));
}

TEST(UpgradeTest, MalformedSubprotocolsAreRefused) {
  for (const std::string offered :
       {"", ",", "a,", ",a", "a,,b", "a b", "a;q=1", "a, a", "b, a, b", "\"a\""}) {
    EXPECT_EQ(Status(With(Upgrade(), "sec-websocket-protocol", offered)), 400) << offered;
  }
  const RequestHead twice =
      With(With(Upgrade(), "sec-websocket-protocol", "a, b"), "sec-websocket-protocol", "b");
  EXPECT_EQ(Status(twice), 400);
}

TEST(UpgradeTest, ExtensionsAreNotGranted) {
  const RequestHead head = With(Upgrade(), "sec-websocket-extensions", "permessage-deflate");
  EXPECT_EQ(Status(head), 101);
  EXPECT_THAT(Response(head), Not(HasSubstr("Extensions")));
}

TEST(UpgradeTest, PathsBelowAPrefixAreServedSegmentBySegment) {
  UpgradePolicy policy = Policy();
  policy.prefixes = {"/chat", "/games/"};
  const std::pair<const char*, int> expected[] = {{"/chat", 101},    {"/chat/7", 101},
                                                  {"/chats", 404},   {"/cha", 404},
                                                  {"/games/1", 101}, {"/games", 404}};
  for (const auto& [path, status] : expected) {
    RequestHead head = Upgrade();
    head.path = head.target = path;
    EXPECT_EQ(Status(head, policy), status) << path;
  }
}

}  // namespace
}  // namespace wsrouter
