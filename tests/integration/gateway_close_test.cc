// How connections end, over real sockets: each side's Close, half a close, and the end of the node.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

TEST(GatewayCloseTest, ClientsCloseIsEchoedWithItsCodeAndTheSocketEnds) {
  TestGateway gateway;
  for (const int code : {1000, 1001, 1008, 3000, 4999}) {
    TestConnection client = gateway.Open();
    ASSERT_TRUE(
        client.socket.Send(ClientClose(static_cast<uint16_t>(code), "bye") + ClientPing("behind")));
    EXPECT_EQ(client.socket.ReadFrame(), "close " + std::to_string(code) + " ");
    EXPECT_EQ(client.socket.ReadFrame(), "end");
    const auto gone = gateway.events().AwaitOf<event::Disconnected>(client.id);
    EXPECT_EQ(gone.cause, CloseCause::kClientClosed);
    EXPECT_EQ(gone.close.code, code);
    EXPECT_EQ(gone.close.reason, "bye");
  }
}

TEST(GatewayCloseTest, CloseWithoutACodeIsAnsweredWithoutOne) {
  TestGateway gateway;
  TestConnection client = gateway.Open();
  ASSERT_TRUE(client.socket.Send(ClientFrameOf(0x88, "")));
  EXPECT_EQ(client.socket.ReadFrame(), "close");
  EXPECT_EQ(client.socket.ReadFrame(), "end");
  EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(client.id).close.code, 1005);
}

TEST(GatewayCloseTest, EndWithoutACloseIsTold1006) {
  TestGateway gateway;
  TestConnection closed = gateway.Online("a", {"room"});
  TestConnection reset = gateway.Online("b", {"room"});
  closed.socket.Close();
  reset.socket.Reset();
  for (const ConnectionId& id : {closed.id, reset.id}) {
    const auto gone = gateway.events().AwaitOf<event::Disconnected>(id);
    EXPECT_EQ(gone.cause, CloseCause::kConnectionLost);
    EXPECT_EQ(gone.close.code, 1006);
  }
  EXPECT_TRUE(Eventually([&] { return gateway.Gauges().members == 0; }));
}

TEST(GatewayCloseTest, DisconnectAndReleaseCloseWithTheServicesCodeAndReason) {
  TestGateway gateway;
  TestConnection first = gateway.Online("alice");
  TestConnection second = gateway.Online("bob");
  EXPECT_EQ(gateway.Ask(ClientId{"alice"}, Disconnect{{4021, "moderated"}}).matched, 1u);
  EXPECT_EQ(gateway.Ask(second.id, Release{CloseWith{4003, "signed out"}}).matched, 1u);

  EXPECT_EQ(first.socket.ReadFrame(), "close 4021 moderated");
  EXPECT_EQ(second.socket.ReadFrame(), "close 4003 signed out");
  ASSERT_TRUE(first.socket.Send(ClientClose(4021)));
  EXPECT_EQ(first.socket.ReadFrame(), "end");
  EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(first.id).cause,
            CloseCause::kDisconnected);
}

TEST(GatewayCloseTest, ReplaceClosesTheOlderConnection) {
  TestGateway gateway;
  TestConnection older = gateway.Online("alice", {"room"});
  TestConnection newer = gateway.Open();
  const Receipt owned = gateway.Ask(
      newer.id,
      Own{.client = {"alice"}, .on_duplicate = OnDuplicate::kReplace, .rooms = {{"room"}}});

  EXPECT_EQ(owned.displaced, std::vector<ConnectionId>{older.id});
  EXPECT_EQ(older.socket.ReadFrame(), "close 4020 a newer connection of the same client took over");
  EXPECT_EQ(gateway.Push("room", "hello").queued, 1u);
  EXPECT_EQ(newer.socket.ReadFrame(), "text hello");
}

TEST(GatewayCloseTest, NothingIsSentAfterOurClose) {
  TestGateway gateway;
  TestConnection client = gateway.Online("alice", {"room"});
  gateway.Ask(client.id, Disconnect{{4021, ""}});
  EXPECT_EQ(client.socket.ReadFrame(), "close 4021 ");
  EXPECT_EQ(gateway.Push("room", "too late").matched, 0u);
  ASSERT_TRUE(client.socket.Send(ClientPing("p") + ClientText("t") + ClientFrameOf(0xF1, "bad")));
  EXPECT_EQ(client.socket.ReadToEnd(), "");
}

TEST(GatewayCloseTest, WhatWasQueuedBeforeTheCloseIsSentBeforeIt) {
  TestGateway gateway;
  TestConnection client = gateway.Online("alice", {"room"});
  const std::string big(3 << 20, 'x');
  EXPECT_EQ(gateway.Push("room", big).queued, 1u);
  gateway.Ask(client.id, Disconnect{{4021, ""}});
  EXPECT_TRUE(client.socket.ReadFrame() == "text " + big);
  EXPECT_EQ(client.socket.ReadFrame(), "close 4021 ");
  ASSERT_TRUE(client.socket.Send(ClientClose(4021)));
  EXPECT_EQ(client.socket.ReadFrame(), "end");
}

TEST(GatewayCloseTest, PeerThatNeverAnswersOurCloseIsCut) {
  TestGateway::Settings settings;
  settings.gateway.close_timeout = absl::Milliseconds(200);
  TestGateway gateway(settings);
  TestConnection client = gateway.Open();
  gateway.Ask(client.id, Disconnect{{4021, ""}});
  EXPECT_EQ(client.socket.ReadFrame(), "close 4021 ");
  EXPECT_EQ(client.socket.ReadFrame(), "end");
}

TEST(GatewayCloseTest, HalfCloseAfterAMessageStillGetsTheAnswer) {
  TestGateway gateway;
  for (const size_t size : {1, 60'000}) {
    RawClient client = gateway.OpenEcho();
    const std::string payload(size, 'x');
    ASSERT_TRUE(client.Send(ClientText(payload)));
    client.HalfClose();
    EXPECT_TRUE(client.ReadFrame() == "text " + payload) << size;
    EXPECT_EQ(client.ReadFrame(), "end");
  }
}

TEST(GatewayCloseTest, StopClosesEverybodyWith1012AndWaitsForThem) {
  TestGateway gateway;
  TestConnection owned = gateway.Online("alice", {"room"});
  TestConnection unowned = gateway.Open();
  RawClient echo = gateway.OpenEcho();
  RawClient half = gateway.Connect();
  ASSERT_TRUE(half.Send("GET /ws"));
  for (RawClient* client : {&owned.socket, &unowned.socket, &echo}) {
    // The answer to the Close that will come.
    ASSERT_TRUE(client->Send(ClientPing("here")));
    EXPECT_EQ(client->ReadFrame(), "pong here");
  }
  const SystemClock clock;
  const absl::Duration before = clock.Now().uptime;
  gateway.gateway().Stop(absl::Milliseconds(300));

  EXPECT_LT(clock.Now().uptime - before, absl::Seconds(3));
  EXPECT_EQ(owned.socket.ReadFrame(), "close 1012 node is stopping");
  EXPECT_EQ(unowned.socket.ReadFrame(), "close 1012 node is stopping");
  EXPECT_EQ(echo.ReadFrame().substr(0, 10), "close 1012");
  EXPECT_EQ(half.ReadToEnd(), "");
  EXPECT_EQ(gateway.Gauges().connections, 0u);
  EXPECT_EQ(gateway.Gauges().outbox_bytes, 0u);
}

TEST(GatewayCloseTest, StopDoesNotWaitForClientsThatNeverRead) {
  TestGateway gateway;
  std::vector<TestConnection> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(gateway.Online("c" + std::to_string(i), {"room"}, {.receive_bytes = 4096}));
  }
  for (int i = 0; i < 8; ++i) gateway.Push("room", std::string(1 << 20, 'x'));
  const SystemClock clock;
  const absl::Duration before = clock.Now().uptime;
  gateway.gateway().Stop(absl::Milliseconds(300));

  EXPECT_LT(clock.Now().uptime - before, absl::Seconds(3));
  EXPECT_EQ(gateway.Gauges().connections, 0u);
  EXPECT_EQ(gateway.Gauges().members, 0u);
  EXPECT_EQ(gateway.Gauges().outbox_bytes, 0u);
}

TEST(GatewayCloseTest, DrainClosesWhoIsThereRefusesWhoComesAndEnds) {
  TestGateway::Settings settings;
  settings.gateway.shards = 2;
  TestGateway gateway(settings);
  std::vector<TestConnection> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(gateway.Online("alice", {"lobby"}));
  RawClient half = gateway.Connect();
  gateway.gateway().Drain(absl::ZeroDuration());
  for (TestConnection& client : clients) {
    EXPECT_EQ(client.socket.ReadFrame(), "close 1012 node is stopping");
    EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(client.id).cause,
              CloseCause::kNodeStopping);
  }
  ASSERT_TRUE(half.Send(UpgradeRequest("/ws")));
  const auto refused = half.ReadHttp();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.head.find("Retry-After: 5\r\n"), std::string::npos) << refused.head;

  gateway.gateway().Undrain();
  TestConnection back = gateway.Online("alice", {"lobby"});
  EXPECT_EQ(gateway.Push("lobby", "hello").queued, 1u);
  EXPECT_EQ(back.socket.ReadFrame(), "text hello");
}

TEST(GatewayCloseTest, UndrainKeepsThoseWhomTheWindowHasNotReached) {
  TestGateway::Settings settings;
  settings.gateway.connections_per_address = 0;
  TestGateway gateway(settings);
  std::vector<TestConnection> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(gateway.Open());
  gateway.gateway().Drain(absl::Hours(1));
  EXPECT_EQ(clients.front().socket.ReadFrame(),
            "close 1012 node is stopping");  // the oldest goes first
  gateway.gateway().Undrain();
  TestConnection& last = clients.back();
  ASSERT_TRUE(last.socket.Send(ClientPing("still")));
  EXPECT_EQ(last.socket.ReadFrame(), "pong still");
  EXPECT_GT(gateway.Gauges().connections, 0u);
}

}  // namespace
}  // namespace wsrouter
