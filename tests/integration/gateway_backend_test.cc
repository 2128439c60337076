// A service decides who gets in, while the client waits for its 101, and what its messages lead to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/fake_backend.h"
#include "tests/support/self_signed.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GatewayBackendTest : public testing::Test {
 protected:
  TestGateway::Settings Settings() {
    TestGateway::Settings settings;
    settings.gateway.upgrade.subprotocols = {"chat.v2", "chat.v1"};
    settings.backend = &backend;
    return settings;
  }
  static Admission As(const std::string& client, const std::vector<RoomName>& rooms = {}) {
    return {.own = Own{.client = {client}, .rooms = rooms}, .greetings = {}, .subprotocol = {}};
  }
  // A client whom the service lets in.
  RawClient LetIn(TestGateway& gateway, Admission admission, ConnectionId* id = nullptr) {
    RawClient client = gateway.Connect();
    EXPECT_TRUE(client.Send(UpgradeRequest("/ws")));
    auto asked = backend.AwaitConnect();
    if (id != nullptr) *id = asked.question.connection;
    std::move(asked.answer)(std::move(admission));
    EXPECT_EQ(client.ReadHttp().status, 101);
    return client;
  }

  TestGateway::Settings WithTls() {
    TestGateway::Settings settings = Settings();
    settings.gateway.tls_cert_file = certificate.cert_file();
    settings.gateway.tls_key_file = certificate.key_file();
    return settings;
  }

  SelfSigned certificate;
  FakeBackend backend;
};

TEST_F(GatewayBackendTest, TheClientHearsNothingBeforeItIsSomebody) {
  TestGateway gateway(Settings());
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/ws?room=7", "X-No: 1\r\n")));
  auto asked = backend.AwaitConnect();
  EXPECT_EQ(asked.question.handshake->path, "/ws");
  EXPECT_EQ(asked.question.handshake->query, "room=7");
  EXPECT_TRUE(client.Quiet());
  EXPECT_EQ(gateway.Ask(asked.question.connection, Describe{}).matched, 0u);
  Admission admission = As("alice", {{"lobby"}});
  admission.greetings = {Frame::Make(Opcode::kText, "welcome"),
                         Frame::Make(Opcode::kText, "alice")};
  std::move(asked.answer)(std::move(admission));
  ASSERT_EQ(client.ReadHttp().status, 101);
  EXPECT_EQ(gateway.Push("lobby", "first").queued, 1u);
  EXPECT_EQ(client.ReadFrame(), "text welcome");
  EXPECT_EQ(client.ReadFrame(), "text alice");
  EXPECT_EQ(client.ReadFrame(), "text first");
}

TEST_F(GatewayBackendTest, RefusedVisiblyWithTheCodeOfTheService) {
  TestGateway gateway(Settings());
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
  std::move(backend.AwaitConnect().answer)(Denial{.close = {4003, "banned"}, .retry_after = {}});
  ASSERT_EQ(client.ReadHttp().status, 101);
  EXPECT_EQ(client.ReadFrame(), "close 4003 banned");
  EXPECT_EQ(gateway.Total(Counter::kUpgradesRefused), 1u);
  EXPECT_EQ(gateway.Total(Counter::kConnectionsOpened), 0u);
}

TEST_F(GatewayBackendTest, RefusedWithAnHttpStatusWhereThatIsWanted) {
  TestGateway::Settings settings = Settings();
  settings.gateway.refuse_visibly = false;
  TestGateway gateway(std::move(settings));
  const std::pair<uint16_t, int> expected[] = {{4001, 401}, {4002, 401}, {4003, 403}, {4029, 429},
                                               {1013, 503}, {4013, 503}, {4999, 403}};
  for (const auto& [code, status] : expected) {
    RawClient client = gateway.Connect();
    ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
    std::move(backend.AwaitConnect().answer)(
        Denial{.close = {code, "no"}, .retry_after = absl::Milliseconds(1500)});
    const HttpAnswer answer = client.ReadHttp();
    EXPECT_EQ(answer.status, status) << code;
    EXPECT_EQ(answer.Header("Retry-After"), "2");
    EXPECT_EQ(client.ReadToEnd(), "");
  }
}

TEST_F(GatewayBackendTest, WhatCannotBeBroughtIntoForceIsRefusedWithoutItsGreeting) {
  TestGateway::Settings settings = Settings();
  settings.limits.owner_capacity = 1;
  TestGateway gateway(std::move(settings));
  RawClient first = LetIn(gateway, As("bob"));
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
  Admission admission = As("alice");
  admission.greetings = {Frame::Make(Opcode::kText, "welcome")};
  std::move(backend.AwaitConnect().answer)(std::move(admission));
  ASSERT_EQ(client.ReadHttp().status, 101);
  EXPECT_EQ(client.ReadFrame(), "close 4013 CAPACITY_CONNECTIONS");
}

TEST_F(GatewayBackendTest, LetInAsNobodyItIsOwnedLater) {
  TestGateway gateway(Settings());
  ConnectionId id;
  RawClient client = LetIn(gateway, {}, &id);
  Own own = {.client = {"late"}};
  EXPECT_TRUE(gateway.Ask(id, own).status.ok());
  gateway.Publish(ClientId{"late"}, "hello");
  EXPECT_EQ(client.ReadFrame(), "text hello");
}

TEST_F(GatewayBackendTest, TheServicePicksAmongTheOfferedSubprotocols) {
  TestGateway gateway(Settings());
  const auto connect = [&](const std::string& picked) {
    RawClient client = gateway.Connect();
    EXPECT_TRUE(
        client.Send(UpgradeRequest("/ws", "Sec-WebSocket-Protocol: chat.v1, chat.v2, other\r\n")));
    Admission admission = As("alice");
    admission.subprotocol = picked;
    std::move(backend.AwaitConnect().answer)(std::move(admission));
    const HttpAnswer answer = client.ReadHttp();
    EXPECT_EQ(answer.status, 101);
    const std::string selected = answer.Header("Sec-WebSocket-Protocol");
    return picked == "nobody's" ? client.ReadFrame() : selected;
  };
  EXPECT_EQ(connect(""), "chat.v2");
  EXPECT_EQ(connect("other"), "other");
  EXPECT_EQ(connect("nobody's"), "close 1011 a subprotocol that nobody offered");
}

TEST_F(GatewayBackendTest, WhoGivesUpIsNotDecidedAbout) {
  TestGateway gateway(Settings());
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
  auto asked = backend.AwaitConnect();
  client.Reset();
  EXPECT_EQ(backend.AwaitCancel(), asked.ticket);
  std::move(asked.answer)(As("alice"));
  EXPECT_EQ(gateway.Ask(ClientId{"alice"}, Describe{}).matched, 0u);
  const FakeBackend::End end = backend.AwaitEnd();  // who let it in must not take it for online
  EXPECT_EQ(end.event.connection, asked.question.connection);
  EXPECT_EQ(end.event.client.value, "alice");
}

TEST_F(GatewayBackendTest, AStopDoesNotWaitForAServiceAndItsLateAnswersTouchNothing) {
  auto gateway = std::make_unique<TestGateway>(Settings());
  RawClient speaker = LetIn(*gateway, As("alice", {{"lobby"}}));
  RawClient waiting = gateway->Connect();
  ASSERT_TRUE(speaker.Send(ClientText("think")));
  auto message = backend.AwaitMessage();
  ASSERT_TRUE(waiting.Send(UpgradeRequest("/ws")));
  auto connect = backend.AwaitConnect();
  speaker.Reset();
  gateway->gateway().Stop(absl::Milliseconds(100));
  EXPECT_EQ(backend.AwaitEnd().event.client.value, "alice");
  gateway = nullptr;
  Effects effects;
  effects.push_back({.to = RoomName{"lobby"}, .action = Leave{}});
  std::move(message.answer)(std::move(effects));
  std::move(connect.answer)(As("late"));
}

TEST_F(GatewayBackendTest, WhoSpeaksBeforeTheAnswerIsCutOff) {
  TestGateway gateway(Settings());
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/ws") + ClientText("too early")));
  EXPECT_EQ(client.ReadToEnd(), "");
  RawClient other = gateway.Connect();
  ASSERT_TRUE(other.Send(UpgradeRequest("/ws")));
  backend.AwaitConnect();
  ASSERT_TRUE(other.Send(ClientText("too early")));
  EXPECT_EQ(other.ReadToEnd(), "");
}

TEST_F(GatewayBackendTest, MessagesAreAskedAboutOneAtATime) {
  for (const bool tls : {false, true}) {
    TestGateway gateway(tls ? WithTls() : Settings());
    RawClient client(gateway.address(), {.tls = tls});
    ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
    auto connect = backend.AwaitConnect();
    std::move(connect.answer)(As("alice", {{"lobby"}}));
    ASSERT_EQ(client.ReadHttp().status, 101);
    std::string burst;
    for (int i = 0; i < 200; ++i) burst += ClientText("message " + std::to_string(i));
    ASSERT_TRUE(client.Send(burst + ClientClose(1000)));
    for (int i = 0; i < 200; ++i) {
      auto asked = backend.AwaitMessage();
      EXPECT_EQ(asked.question.payload, "message " + std::to_string(i));
      EXPECT_EQ(backend.waiting(), 0u);
      Effects effects;
      effects.push_back({.to = RoomName{"lobby"},
                         .action = Deliver{.frame = Frame::Make(Opcode::kText,
                                                                "re: " + asked.question.payload)}});
      std::move(asked.answer)(std::move(effects));
    }
    for (int i = 0; i < 200; ++i) {
      EXPECT_EQ(client.ReadFrame(), "text re: message " + std::to_string(i));
    }
    EXPECT_EQ(client.ReadFrame(), "close 1000 ");
    const auto end = std::get<event::Disconnected>(backend.AwaitEnd().event.detail);
    EXPECT_EQ(end.cause, CloseCause::kClientClosed);
    EXPECT_EQ(end.close.code, 1000);
  }
}

TEST_F(GatewayBackendTest, AServiceThatThinksHoldsUpNobodyElseAndNoClose) {
  TestGateway gateway(Settings());
  ConnectionId id;
  RawClient slow = LetIn(gateway, As("alice", {{"lobby"}}), &id);
  RawClient other = LetIn(gateway, As("bob", {{"lobby"}}));
  ASSERT_TRUE(slow.Send(ClientText("think about it")));
  auto asked = backend.AwaitMessage();
  EXPECT_EQ(gateway.Push("lobby", "meanwhile").queued, 2u);
  EXPECT_EQ(slow.ReadFrame(), "text meanwhile");
  EXPECT_EQ(other.ReadFrame(), "text meanwhile");
  gateway.Ask(id, Disconnect{{4021, "enough"}});
  EXPECT_EQ(slow.ReadFrame(), "close 4021 enough");
  ASSERT_TRUE(slow.Send(ClientClose(4021)));
  EXPECT_EQ(slow.ReadFrame(), "end");
  std::move(asked.answer)({});
  EXPECT_EQ(backend.AwaitEnd().event.connection, id);
}

TEST_F(GatewayBackendTest, AStopRefusesThoseWhoWait) {
  TestGateway gateway(Settings());
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
  auto asked = backend.AwaitConnect();
  gateway.gateway().Stop(absl::Seconds(1));
  ASSERT_EQ(client.ReadHttp().status, 101);
  EXPECT_EQ(client.ReadFrame(), "close 1012 ");
  EXPECT_EQ(backend.AwaitCancel(), asked.ticket);
}

}  // namespace
}  // namespace wsrouter
