// What clients that speak wsrouter.v1.json send, or do not send any more, while a service is asked
// whether they may join.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/client_frames.h"
#include "tests/support/fake_backend.h"
#include "tests/support/self_signed.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;

std::string JoinOf(const std::string& room) {
  return ClientText(R"({"join":{"id":"1","room":")" + room + R"("}})");
}
std::string Going() { return Encode({.opcode = 8, .payload = "\x03\xe8"}); }

class GatewayJoinTest : public testing::TestWithParam<bool> {
 protected:
  GatewayJoinTest() {
    TestGateway::Settings settings;
    settings.gateway.client_protocol = true;
    settings.backend = &backend;
    if (GetParam()) {
      settings.gateway.tls_cert_file = certificate.cert_file();
      settings.gateway.tls_key_file = certificate.key_file();
    }
    gateway = std::make_unique<TestGateway>(std::move(settings));
  }
  // alice, who has been welcomed.
  RawClient LetIn() {
    RawClient client(gateway->address(), {.tls = GetParam()});
    EXPECT_TRUE(client.Send(UpgradeRequest("/ws", "Sec-WebSocket-Protocol: wsrouter.v1.json\r\n")));
    Admission admission;
    admission.own = Own{.client = {"alice"}};
    std::move(backend.AwaitConnect().answer)(std::move(admission));
    EXPECT_EQ(client.ReadHttp().status, 101);
    EXPECT_THAT(client.ReadFrame(), HasSubstr("welcome"));
    return client;
  }

  SelfSigned certificate;
  FakeBackend backend;
  std::unique_ptr<TestGateway> gateway;
};

INSTANTIATE_TEST_SUITE_P(Sockets, GatewayJoinTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Tls" : "Plain"; });

TEST_P(GatewayJoinTest, WhoeverEndsMeanwhileIsNotDecidedAbout) {
  const std::pair<const char*, std::function<void(RawClient&)>> ends[] = {
      {"a reset", [](RawClient& client) { client.Reset(); }},
      {"an end", [](RawClient& client) { client.Close(); }},
      {"a Close", [](RawClient& client) { EXPECT_TRUE(client.Send(Going())); }},
      {"a Close in pieces",
       [this](RawClient& client) {
         EXPECT_TRUE(client.Send(Going().substr(0, 1)));
         gateway->Ask(ClientId{"alice"}, Describe{});  // a turn in which the first may be read
         EXPECT_TRUE(client.Send(Going().substr(1)));
       }},
  };
  for (const auto& [what, end] : ends) {
    SCOPED_TRACE(what);
    RawClient client = LetIn();
    ASSERT_TRUE(client.Send(JoinOf("lobby")));
    auto asked = backend.AwaitJoin();
    end(client);
    EXPECT_EQ(backend.AwaitCancel(), asked.ticket);
    EXPECT_EQ(backend.AwaitEnd().event.connection, asked.question.connection);
    std::move(asked.answer)(absl::OkStatus());
    EXPECT_EQ(gateway->Ask(ClientId{"alice"}, Describe{}).matched, 0u);
  }
}

TEST_P(GatewayJoinTest, ACloseInTheSamePacketCountsAtOnce) {
  RawClient client = LetIn();
  ASSERT_TRUE(client.Send(JoinOf("lobby") + Going()));
  auto asked = backend.AwaitJoin();
  EXPECT_EQ(backend.AwaitCancel(), asked.ticket);
  EXPECT_EQ(client.ReadFrame(), "close 1000 ");
}

TEST_P(GatewayJoinTest, ACloseBehindTheNextJoinCountsWhenThatIsAskedAbout) {
  RawClient client = LetIn();
  ASSERT_TRUE(client.Send(JoinOf("lobby") + JoinOf("hall") + Going()));
  auto first = backend.AwaitJoin();
  EXPECT_EQ(first.question.room.value, "lobby");
  std::move(first.answer)(absl::PermissionDeniedError("no"));
  auto second = backend.AwaitJoin();
  EXPECT_EQ(backend.AwaitCancel(), second.ticket);
  EXPECT_EQ(backend.AwaitEnd().event.connection, second.question.connection);
}

TEST_P(GatewayJoinTest, WhatWasSaidBeforeTheEndIsHeard) {
  RawClient client = LetIn();
  ASSERT_TRUE(client.Send(JoinOf("lobby")));
  auto asked = backend.AwaitJoin();
  ASSERT_TRUE(client.Send(ClientText(R"({"message":{"text":"farewell"}})") + Going()));
  client.HalfClose();
  gateway->Ask(ClientId{"alice"}, Describe{});
  EXPECT_EQ(backend.cancelled(), 0u);
  std::move(asked.answer)(absl::OkStatus());
  auto message = backend.AwaitMessage();
  EXPECT_EQ(message.question.payload, "farewell");
  std::move(message.answer)({});
  EXPECT_EQ(backend.AwaitEnd().event.client.value, "alice");
  EXPECT_EQ(backend.cancelled(), 0u);
}

}  // namespace
}  // namespace wsrouter
