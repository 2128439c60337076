// What one client, one address, or too many at once may cost others: nothing.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/pressure.h"
#include "tests/support/fake_backend.h"
#include "tests/support/test_gateway.h"

// There under ThreadSanitizer, whose macro the build takes away (WsrouterCompile.cmake).
extern "C" [[gnu::weak]] void __tsan_init();

namespace wsrouter {
namespace {

TestGateway::Settings Settings() {
  TestGateway::Settings settings;
  settings.gateway.shards = 1;  // whoever pays, it would be the others of the same shard
  return settings;
}

// Reads up to the Close.
std::string CloseOf(RawClient& client) {
  std::string frame = client.ReadFrame();
  while (frame != "end" && !frame.starts_with("close")) frame = client.ReadFrame();
  return frame;
}

// Sends 10,000 of `frame`, as far as the node takes them. Returns the Close.
std::string FloodedWith(TestGateway& gateway, const std::string& frame) {
  TestConnection flooder = gateway.Open();
  TestConnection other = gateway.Online("other");
  std::string burst;
  for (int i = 0; i < 10'000; ++i) burst += frame;
  (void)flooder.socket.SendSome(burst);
  const std::string close = CloseOf(flooder.socket);
  EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(flooder.id).cause,
            CloseCause::kRateLimited);
  EXPECT_TRUE(other.socket.Send(ClientPing("still here")));
  EXPECT_EQ(other.socket.ReadFrame(), "pong still here");
  return close;
}

TEST(GatewayAdmissionTest, WhoSendsTooManyMessagesIsClosed4029AndNobodyElse) {
  TestGateway::Settings settings = Settings();
  settings.gateway.frames_rate = 100;
  TestGateway gateway(settings);
  EXPECT_EQ(FloodedWith(gateway, ClientText("x")), "close 4029 too many frames");
  EXPECT_EQ(gateway.Total(Counter::kClosedRateLimited), 1u);
  EXPECT_GE(gateway.Total(Counter::kMessagesIn), 200u);
  EXPECT_LT(gateway.Total(Counter::kMessagesIn), 400u);
}

TEST(GatewayAdmissionTest, PingsPongsAndFragmentsCountLikeMessages) {
  TestGateway::Settings settings = Settings();
  settings.gateway.frames_rate = 100;
  for (const std::string& frame : {ClientPing("x"), ClientFrameOf(0x8A, "x")}) {
    TestGateway gateway(settings);
    EXPECT_EQ(FloodedWith(gateway, frame), "close 4029 too many frames");
  }
  TestGateway gateway(settings);
  TestConnection client = gateway.Open();
  std::string fragments = ClientFrameOf(0x01, "");
  for (int i = 0; i < 5000; ++i) fragments += ClientFrameOf(0x00, "");
  ASSERT_TRUE(client.socket.Send(fragments));
  (void)client.socket.SendSome(fragments.substr(ClientFrameOf(0x01, "").size()));
  EXPECT_EQ(CloseOf(client.socket), "close 4029 too many frames");
}

TEST(GatewayAdmissionTest, ABurstAndTheRatePassAndTheEchoPathHasNone) {
  TestGateway::Settings settings = Settings();
  settings.gateway.frames_rate = 1;
  TestGateway gateway(settings);
  TestConnection client = gateway.Open();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(client.socket.Send(ClientPing("x")));
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.socket.ReadFrame(), "pong x") << i;
  ASSERT_TRUE(client.socket.Send(ClientClose(1000)));
  EXPECT_EQ(client.socket.ReadFrame(), "close 1000 ");

  RawClient echo = gateway.OpenEcho();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(echo.Send(ClientText("x")));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(echo.ReadFrame(), "text x") << i;
}

// What a client may have sent while a service was asked, not what it sends behind that.
TEST(GatewayAdmissionTest, WhoWaitsForAServiceIsNotTakenForOneWhoSendsTooMuch) {
  FakeBackend backend;
  TestGateway::Settings settings = Settings();
  settings.gateway.frames_rate = 100;
  settings.backend = &backend;
  TestGateway gateway(settings);
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
  std::move(backend.AwaitConnect().answer)(Admission{});
  ASSERT_EQ(client.ReadHttp().status, 101);
  ASSERT_TRUE(client.Send(ClientText("slow?")));
  auto asked = backend.AwaitMessage();
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  std::string burst;
  for (int i = 0; i < 280; ++i) burst += ClientPing("x");
  ASSERT_TRUE(client.Send(ClientText("and?") + burst));
  // By then a rate of 100 and a burst of 200 allow them.
  ASSERT_TRUE(Eventually([&] { return clock.Now().uptime - begin > absl::Seconds(1); }));
  std::move(asked.answer)(Effects{});
  std::move(backend.AwaitMessage().answer)(Effects{});
  for (int i = 0; i < 280; ++i) ASSERT_EQ(client.ReadFrame(), "pong x") << i;
  for (int i = 0; i < 100; ++i) (void)client.SendSome(burst);
  EXPECT_EQ(CloseOf(client), "close 4029 too many frames");
}

bool IsServed(const std::string& address, const RawClient::Options& options = {}) {
  RawClient client(address, options);
  return client.connected() && client.Send(UpgradeRequest("/echo")) &&
         client.ReadHttp().status == 101;
}

TEST(GatewayAdmissionTest, AnAddressThatComesTooOftenIsRefusedAndOthersAreNot) {
  TestGateway::Settings settings = Settings();
  settings.gateway.connects_per_address_rate = 1;
  settings.gateway.connects_per_address_burst = 5;
  TestGateway gateway(settings);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(IsServed(gateway.address())) << i;
  EXPECT_FALSE(IsServed(gateway.address()));
  EXPECT_TRUE(IsServed(gateway.address(), {.source = "127.0.0.2"}));
  EXPECT_GE(gateway.Total(Counter::kAcceptsRefusedRate), 1u);
  EXPECT_EQ(gateway.Total(Counter::kAcceptsRefused), gateway.Total(Counter::kAcceptsRefusedRate));
  EXPECT_TRUE(Eventually([&] { return IsServed(gateway.address()); }));
}

TEST(GatewayAdmissionTest, WhileTooManyRequestsAreUnderWayOthersWaitAndAreServedThen) {
  TestGateway::Settings settings = Settings();
  settings.gateway.half_open_max = 3;
  settings.gateway.half_open_patience = absl::Hours(1);
  TestGateway gateway(settings);
  std::vector<RawClient> half;
  for (int i = 0; i < 3; ++i) {
    half.push_back(gateway.Connect());
    ASSERT_TRUE(half.back().Send("GET /echo HTTP/1.1\r\n"));
  }
  RawClient waiting = gateway.Connect();  // of the kernel's backlog
  ASSERT_TRUE(waiting.Send(UpgradeRequest("/echo")));
  ASSERT_TRUE(Eventually([&] { return gateway.Total(Counter::kHalfOpenPauses) >= 3; }));
  EXPECT_TRUE(waiting.Quiet());
  half.pop_back();
  EXPECT_EQ(waiting.ReadHttp().status, 101);
  EXPECT_EQ(gateway.Total(Counter::kAcceptsRefused), 0u);
  // Those that are open take none of the places.
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(IsServed(gateway.address())) << i;
}

TEST(GatewayAdmissionTest, WhoIsSlowWithItsRequestMakesPlaceForThoseWhoWait) {
  TestGateway::Settings settings = Settings();
  settings.gateway.half_open_max = 3;
  settings.gateway.half_open_patience = absl::Milliseconds(1);
  settings.gateway.upgrade_timeout = absl::Hours(1);
  TestGateway gateway(settings);
  RawClient open = gateway.OpenEcho();
  std::vector<RawClient> mute;
  for (int i = 0; i < 3; ++i) mute.push_back(gateway.Connect());
  for (RawClient& client : mute) EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(gateway.Total(Counter::kHalfOpenShed), 3u);
  EXPECT_TRUE(Eventually([&] { return IsServed(gateway.address()); }));
  ASSERT_TRUE(open.Send(ClientText("stays")));
  EXPECT_EQ(open.ReadFrame(), "text stays");
}

// Half of what the process has is free, between what is not.
TEST(GatewayAdmissionTest, FreedMemoryThatTheAllocatorKeepsIsNoShortage) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the allocator is another";
#endif
  if (__tsan_init != nullptr) GTEST_SKIP() << "the allocator is another";
  std::vector<std::string> pieces;
  for (int i = 0; i < 64 << 10; ++i) pieces.emplace_back(1 << 10, 'x');
  for (int i = 0; i < 64 << 10; ++i) {
    if (i % 1000 != 0) std::string().swap(pieces[i]);  // an assignment keeps its octets
  }
  pieces.emplace_back(1 << 10, 'x');
  TestGateway::Settings settings = Settings();
  settings.gateway.memory_max = ResidentMemory() - (32 << 20);
  TestGateway gateway(settings);
  EXPECT_TRUE(Eventually([&] { return IsServed(gateway.address()); }));
  EXPECT_EQ(gateway.Total(Counter::kUpgradesShedMemory), 0u);
}

TEST(GatewayAdmissionTest, WithoutMemoryUpgradesAreRefused503AndConnectionsStay) {
  TestGateway::Settings settings = Settings();
  settings.gateway.memory_max = 1;
  TestGateway gateway(settings);
  std::vector<std::string> told;
  ASSERT_TRUE(Eventually([&] { return !IsServed(gateway.address()); }));
  for (int i = 0; i < 10; ++i) {
    RawClient client = gateway.Connect();
    ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
    const HttpAnswer answer = client.ReadHttp();
    EXPECT_EQ(answer.status, 503);
    told.push_back(answer.Header("Retry-After"));
    EXPECT_GE(std::stoi(told.back()), 5);
    EXPECT_LT(std::stoi(told.back()), 25);
  }
  EXPECT_NE(std::ranges::count(told, told.front()), 10) << "all are to come at once";
  EXPECT_GE(gateway.Total(Counter::kUpgradesShedMemory), 10u);
  RawClient client = gateway.Connect();
  ASSERT_TRUE(client.Send(UpgradeRequest("/nowhere")));
  EXPECT_EQ(client.ReadHttp().status, 404);
}

TEST(GatewayAdmissionTest, AShardThatIsLateRefusesUpgradesLikewiseAndServesThoseItHas) {
  TestGateway::Settings settings = Settings();
  settings.gateway.loop_lag_max = absl::Nanoseconds(1);  // no loop is as punctual as that
  TestGateway gateway(settings);
  RawClient early = gateway.OpenEcho();
  ASSERT_TRUE(Eventually([&] {
    RawClient client = gateway.Connect();
    return client.Send(UpgradeRequest("/ws")) && client.ReadHttp().status == 503;
  }));
  EXPECT_GE(gateway.Total(Counter::kUpgradesShedLag), 1u);
  ASSERT_TRUE(early.Send(ClientText("served")));
  EXPECT_EQ(early.ReadFrame(), "text served");
}

TEST(GatewayAdmissionTest, AStormIsToldToComeAtTheRateThatTheNodeTakes) {
  TestGateway::Settings settings = Settings();
  settings.gateway.upgrades_rate = 10;
  TestGateway gateway(settings);
  int served = 0;
  int latest = 0;
  std::vector<RawClient> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(gateway.Connect());
    ASSERT_TRUE(clients.back().Send(UpgradeRequest("/echo")));
    const HttpAnswer answer = clients.back().ReadHttp();
    if (answer.status == 101) {
      ++served;
      continue;
    }
    EXPECT_EQ(answer.status, 503);
    latest = std::max(latest, std::stoi(answer.Header("Retry-After")));
  }
  EXPECT_GE(served, 10);
  EXPECT_EQ(gateway.Total(Counter::kUpgradesShedRate), 60u - static_cast<unsigned>(served));
  EXPECT_GE(latest, served < 30 ? 3 : 1) << served;
  EXPECT_TRUE(clients.front().Send(ClientText("stays")));
  EXPECT_EQ(clients.front().ReadFrame(), "text stays");
  EXPECT_TRUE(Eventually([&] { return IsServed(gateway.address()); }));
}

}  // namespace
}  // namespace wsrouter
