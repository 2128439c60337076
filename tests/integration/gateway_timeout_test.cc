// What ends by the clock: half a request, nobody's connection, expired credentials, silent peers.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kSoon = absl::Milliseconds(300);

TestGateway::Settings WithUpgradeTimeout() {
  TestGateway::Settings settings;
  settings.gateway.upgrade_timeout = kSoon;
  return settings;
}

TEST(GatewayTimeoutTest, HalfARequestIsAnswered408AndEnds) {
  TestGateway gateway(WithUpgradeTimeout());
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send("GET /ws HTTP/1.1\r\nHost: te"));
  EXPECT_EQ(client.ReadHttp().status, 408);
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(GatewayTimeoutTest, SilenceBeforeTheRequestEndsWithoutAnAnswer) {
  TestGateway gateway(WithUpgradeTimeout());
  RawClient client = gateway.Connect();
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(GatewayTimeoutTest, OctetsThatTrickleDoNotProlongTheRequestsTime) {
  TestGateway gateway(WithUpgradeTimeout());
  RawClient client = gateway.Connect();
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  ASSERT_TRUE(client.Send("GET /ws HTTP/1.1\r\nX: "));
  EXPECT_TRUE(Eventually([&] { return !client.Send("x") || !client.Quiet(); }));
  EXPECT_LT(clock.Now().uptime - begin, absl::Seconds(5));
}

TEST(GatewayTimeoutTest, ConnectionThatNobodyOwnsIsClosed4001) {
  TestGateway::Settings settings;
  settings.limits.auth_timeout = kSoon;
  TestGateway gateway(settings);
  TestConnection owned = gateway.Online("alice");
  TestConnection unowned = gateway.Open();
  EXPECT_EQ(unowned.socket.ReadFrame(), "close 4001 nobody owned this connection in time");
  EXPECT_EQ(gateway.Total(Counter::kClosedNotAuthenticated), 1u);
  EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(unowned.id).cause,
            CloseCause::kNotAuthenticated);
  ASSERT_TRUE(owned.socket.Send(ClientPing("still here")));
  EXPECT_EQ(owned.socket.ReadFrame(), "pong still here");
}

TEST(GatewayTimeoutTest, ReleasedConnectionGetsANewAuthTimeout) {
  TestGateway::Settings settings;
  settings.limits.auth_timeout = kSoon;
  TestGateway gateway(settings);
  TestConnection client = gateway.Online("alice");
  EXPECT_EQ(gateway.Ask(client.id, Release{}).matched, 1u);
  EXPECT_EQ(client.socket.ReadFrame(), "close 4001 nobody owned this connection in time");
}

TEST(GatewayTimeoutTest, ExpiredCredentialsAreClosed4002AndRenewedOnesAreNot) {
  TestGateway gateway;
  TestConnection expires = gateway.Open();
  TestConnection renewed = gateway.Open();
  const absl::Time soon = SystemClock().Now().wall + kSoon;
  for (const auto& [id, client] : {std::pair(expires.id, "a"), std::pair(renewed.id, "b")}) {
    EXPECT_TRUE(gateway.Ask(id, Own{.client = {client}, .expires_at = soon}).status.ok());
  }
  EXPECT_TRUE(gateway.Own(renewed, "b").status.ok());
  EXPECT_EQ(expires.socket.ReadFrame(), "close 4002 credentials have expired");
  ASSERT_TRUE(renewed.socket.Send(ClientPing("still here")));
  EXPECT_EQ(renewed.socket.ReadFrame(), "pong still here");
}

TestGateway::Settings WithPings() {
  TestGateway::Settings settings;
  settings.gateway.ping_interval = kSoon;
  settings.gateway.pong_timeout = kSoon;
  return settings;
}

TEST(GatewayTimeoutTest, SilentPeerIsPingedAndWithoutAnAnswerClosed4040) {
  TestGateway gateway(WithPings());
  TestConnection client = gateway.Online("alice");
  RawClient echo = gateway.OpenEcho();
  for (RawClient* socket : {&client.socket, &echo}) {
    EXPECT_EQ(socket->ReadFrame(), "ping ");
    EXPECT_EQ(socket->ReadFrame(), "close 4040 no answer to a Ping");
    (void)socket->Send(ClientClose(4040));
    EXPECT_EQ(socket->ReadFrame(), "end");
  }
  EXPECT_EQ(gateway.Total(Counter::kClosedIdle), 2u);
  EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(client.id).cause, CloseCause::kIdle);
}

TEST(GatewayTimeoutTest, PongKeepsTheConnectionAndAnyOctetSparesThePing) {
  TestGateway gateway(WithPings());
  TestConnection client = gateway.Online("alice");
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(client.socket.ReadFrame(), "ping ");
    ASSERT_TRUE(client.socket.Send(ClientFrameOf(0x8A, "")));
  }
  const absl::Duration begin = SystemClock().Now().uptime;
  ASSERT_TRUE(Eventually([&] {
    EXPECT_TRUE(client.socket.Send(ClientFrameOf(0x8A, "")));
    return SystemClock().Now().uptime - begin > 3 * kSoon;
  }));
  EXPECT_TRUE(client.socket.Quiet());
}

TEST(GatewayTimeoutTest, PeerThatDoesNotReadIsNotTakenForDeadWhileOutputWaits) {
  TestGateway gateway(WithPings());
  TestConnection client = gateway.Online("alice", {"room"}, {.receive_bytes = 4096});
  const std::string big(4'000'000, 'x');
  ASSERT_EQ(gateway.Push("room", big).queued, 1u);
  const absl::Duration begin = SystemClock().Now().uptime;
  ASSERT_TRUE(Eventually([&] { return SystemClock().Now().uptime - begin > 4 * kSoon; }));
  EXPECT_EQ(gateway.Total(Counter::kClosedIdle), 0u);
  // A Ping may stand before the message.
  std::string frame = client.socket.ReadFrame();
  if (frame == "ping ") frame = client.socket.ReadFrame();
  EXPECT_TRUE(frame == "text " + big) << frame.substr(0, 20);
}

}  // namespace
}  // namespace wsrouter
