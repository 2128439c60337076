// Clients of wsrouter.v1.json that come back through a real socket.
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "core/client_protocol.h"
#include "engine/memory_sessions.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/client_frames.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_backend.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;

// A store that answers takers when it is told.
class ThinkingSessions final : public Sessions {
 public:
  explicit ThinkingSessions(Sessions& sessions) : sessions_(sessions) {}

  std::string NewToken() override { return sessions_.NewToken(); }
  void Put(std::string_view token, const SessionRecord& record) override {
    sessions_.Put(token, record);
  }
  void Erase(std::string_view token, const ConnectionId& connection) override {
    sessions_.Erase(token, connection);
  }
  void Take(std::string_view token, Taken done) override {
    sessions_.Take(token, [&](auto taken) {
      absl::MutexLock lock(&mutex_);
      if (!thinks_) return std::move(done)(std::move(taken));
      waiting_.push_back([taken = std::move(taken), done = std::move(done)]() mutable {
        std::move(done)(std::move(taken));
      });
    });
  }

  void Think(bool thinks) {
    absl::MutexLock lock(&mutex_);
    thinks_ = thinks;
    for (auto& answer : std::exchange(waiting_, {})) std::move(answer)();
  }
  size_t waiting() {
    absl::MutexLock lock(&mutex_);
    return waiting_.size();
  }

 private:
  Sessions& sessions_;
  absl::Mutex mutex_;
  bool thinks_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<absl::AnyInvocable<void() &&>> waiting_ ABSL_GUARDED_BY(mutex_);
};

class GatewayResumeTest : public testing::Test {
 protected:
  TestGateway::Settings Settings() {
    TestGateway::Settings settings;
    settings.gateway.client_protocol = true;
    settings.gateway.upgrade.paths = {"/ws", "/other"};
    settings.gateway.shards = 2;
    settings.sessions = &sessions;
    settings.backend = &backend;
    return settings;
  }
  static std::string Offer(const std::string& token = "") {
    const std::string more = token.empty() ? "" : ", wsrouter.session." + token;
    return "Sec-WebSocket-Protocol: wsrouter.v1.json" + more + "\r\n";
  }
  static nlohmann::json Welcome(RawClient& client) {
    const std::string frame = client.ReadFrame();
    EXPECT_THAT(frame, HasSubstr(R"("welcome")"));
    return nlohmann::json::parse(frame.substr(5))["welcome"];
  }
  // A client whom the service lets in as alice, in the lobby.
  RawClient LetIn(TestGateway& gateway, const std::string& token = "",
                  const std::string& path = "/ws") {
    RawClient client = gateway.Connect();
    EXPECT_TRUE(client.Send(UpgradeRequest(path, Offer(token))));
    auto asked = backend.AwaitConnect();
    std::move(asked.answer)(Admission{.own = Own{.client = {"alice"},
                                                 .on_duplicate = OnDuplicate::kReplace,
                                                 .rooms = {{"lobby"}},
                                                 .labels = {{"device", "phone"}}}});
    EXPECT_EQ(client.ReadHttp().status, 101);
    return client;
  }
  // One who comes back, without a word to the service.
  RawClient ComeBack(TestGateway& gateway, const std::string& token) {
    RawClient client = gateway.Connect();
    EXPECT_TRUE(client.Upgrade("/ws", Offer(token)));
    return client;
  }
  static ConnectionId IdIn(const nlohmann::json& welcome) {
    return ConnectionId::Parse(welcome["connectionId"].get<std::string>()).value();
  }

  MemorySessions sessions{{"test", 1}};
  FakeBackend backend;
};

TEST_F(GatewayResumeTest, AClientWhoseConnectionBrokeOffComesBackAsItWas) {
  TestGateway gateway(Settings());
  RawClient first = LetIn(gateway);
  auto welcome = Welcome(first);
  for (int round = 0; round < 5; ++round) {
    const std::string old = welcome["connectionId"];
    first.Reset();
    ASSERT_TRUE(Eventually([&] { return gateway.Gauges().parked == 1; }));
    EXPECT_EQ(gateway.Push("lobby", "missed").queued, 0u);
    RawClient second = ComeBack(gateway, welcome["session"]);
    welcome = Welcome(second);
    EXPECT_TRUE(welcome["resumed"]);
    EXPECT_EQ(welcome["clientId"], "alice");
    EXPECT_NE(welcome["connectionId"], old);
    EXPECT_EQ(second.ReadFrame(), R"(text {"gap":{"room":"lobby"}})");
    EXPECT_EQ(second.ReadFrame(), R"(text {"joined":{"room":"lobby"}})");
    const auto resumed = gateway.events().AwaitOf<event::Resumed>(IdIn(welcome));
    EXPECT_EQ(resumed.previous.ToString(), old);
    EXPECT_EQ(resumed.labels, (Labels{{"device", "phone"}}));
    ASSERT_TRUE(Eventually([&] { return gateway.Gauges().parked == 0; }));
    EXPECT_EQ(gateway.Push("lobby", "hi").queued, 1u);
    EXPECT_EQ(second.ReadFrame(), R"(text {"msg":{"room":"lobby","text":"hi"}})");
    first = std::move(second);
  }
  EXPECT_EQ(gateway.Total(Counter::kSessionsResumed), 5u);
  EXPECT_EQ(backend.waiting(), 0u) << "the service was asked nothing and told of no end";
  EXPECT_FALSE(gateway.events().Has<event::Disconnected>());
  EXPECT_FALSE(gateway.events().Has<event::Left>());
}

TEST_F(GatewayResumeTest, AHalfOpenOlderConnectionIsClosed) {
  TestGateway gateway(Settings());
  RawClient first = LetIn(gateway);
  RawClient second = ComeBack(gateway, Welcome(first)["session"]);
  EXPECT_TRUE(Welcome(second)["resumed"]);
  std::string frame = first.ReadFrame();
  while (!frame.starts_with("close") && frame != "end") frame = first.ReadFrame();
  EXPECT_EQ(frame, "close 4020 the client has come back");
  EXPECT_FALSE(gateway.events().Has<event::Disconnected>());
}

TEST_F(GatewayResumeTest, ATokenIsGoodForItsPath) {
  TestGateway gateway(Settings());
  RawClient first = LetIn(gateway);
  RawClient elsewhere = gateway.Connect();
  EXPECT_TRUE(elsewhere.Upgrade("/other", Offer(Welcome(first)["session"])));
  EXPECT_FALSE(Welcome(elsewhere).contains("clientId"));
  EXPECT_EQ(gateway.Total(Counter::kSessionsUnknown), 1u);
}

TEST_F(GatewayResumeTest, ATokenIsGoodAgainUntilItsClientMustHaveReadTheNext) {
  TestGateway::Settings settings = Settings();
  settings.limits.resume_window = absl::Seconds(3);
  TestGateway gateway(settings);
  RawClient first = LetIn(gateway);
  const std::string token = Welcome(first)["session"];
  for (int cut = 0; cut < 3; ++cut) {
    RawClient client = ComeBack(gateway, token);
    client.Reset();  // it has not read its welcome
    ASSERT_TRUE(Eventually([&] {
      return gateway.Total(Counter::kSessionsResumed) == static_cast<uint64_t>(cut) + 1 &&
             gateway.Gauges().connections == 0 && gateway.Gauges().parked == 1;
    }));
  }
  RawClient last = ComeBack(gateway, token);
  const std::string next = Welcome(last)["session"];
  ASSERT_TRUE(Eventually([&] {
    int found = 0;
    sessions.Take(token, [&](auto taken) {
      if (!taken->has_value()) return;
      ++found;
      sessions.Put(token, **taken);
    });
    return found == 0;
  }));
  EXPECT_EQ(gateway.Gauges().connections, 1u);
  RawClient stays = ComeBack(gateway, next);
  EXPECT_TRUE(Welcome(stays)["resumed"]);
  EXPECT_FALSE(gateway.events().Has<event::Disconnected>());
}

TEST_F(GatewayResumeTest, WhoGivesUpWhileItsSessionIsLookedForMayComeBack) {
  ThinkingSessions thinking(sessions);
  TestGateway::Settings settings = Settings();
  settings.sessions = &thinking;
  TestGateway gateway(settings);
  RawClient first = LetIn(gateway);
  const std::string token = Welcome(first)["session"];
  first.Reset();
  ASSERT_TRUE(Eventually([&] { return gateway.Gauges().parked == 1; }));
  thinking.Think(true);
  const size_t descriptors = OpenDescriptors();
  RawClient hasty = gateway.Connect();
  ASSERT_TRUE(hasty.Send(UpgradeRequest("/ws", Offer(token))));
  ASSERT_TRUE(Eventually([&] { return thinking.waiting() == 1; }));
  hasty.Reset();
  ASSERT_TRUE(Eventually([&] { return OpenDescriptors() == descriptors; }));
  thinking.Think(false);
  RawClient second = ComeBack(gateway, token);
  EXPECT_TRUE(Welcome(second)["resumed"]);
  EXPECT_EQ(gateway.Total(Counter::kSessionsResumed), 1u);
}

TEST_F(GatewayResumeTest, WhoClosedHasNoSessionAnyMore) {
  TestGateway gateway(Settings());
  RawClient first = LetIn(gateway);
  const auto welcome = Welcome(first);
  ASSERT_TRUE(first.Send(ClientClose(1000)));
  gateway.events().AwaitOf<event::Disconnected>(IdIn(welcome));
  EXPECT_EQ(backend.AwaitEnd().event.client.value, "alice");
  RawClient second = LetIn(gateway, welcome["session"]);
  EXPECT_FALSE(Welcome(second).contains("resumed"));
}

TEST_F(GatewayResumeTest, WhoStaysAwayTooLongHasGone) {
  TestGateway::Settings settings = Settings();
  settings.limits.resume_window = absl::Milliseconds(300);
  TestGateway gateway(settings);
  RawClient first = LetIn(gateway);
  const auto welcome = Welcome(first);
  first.Reset();
  EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(IdIn(welcome)).cause,
            CloseCause::kConnectionLost);
  EXPECT_TRUE(Eventually([&] { return gateway.Gauges().parked == 0; }));
  EXPECT_EQ(gateway.Gauges().members, 0u);
  backend.AwaitEnd();
}

TEST_F(GatewayResumeTest, ServicesEndWhoIsAway) {
  TestGateway gateway(Settings());
  RawClient first = LetIn(gateway);
  const auto welcome = Welcome(first);
  first.Reset();
  ASSERT_TRUE(Eventually([&] { return gateway.Gauges().parked == 1; }));
  gateway.Ask(IdIn(welcome), Disconnect{.close = {4021, "kicked"}});
  EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(IdIn(welcome)).cause,
            CloseCause::kDisconnected);
  EXPECT_TRUE(Eventually([&] { return gateway.Gauges().parked == 0; }));
}

TEST_F(GatewayResumeTest, AnAnswerOfTheServiceFindsNobodyAndHurtsNobody) {
  TestGateway gateway(Settings());
  RawClient first = LetIn(gateway);
  const auto welcome = Welcome(first);
  ASSERT_TRUE(first.Send(ClientText(R"({"message":{"id":"1","text":"x"}})")));
  auto message = backend.AwaitMessage();
  ASSERT_TRUE(first.Send(ClientText(R"({"message":{"id":"2","text":"y"}})")));
  first.Reset();
  // A socket that is not read does not show its end: the next that is written to it does.
  ASSERT_TRUE(Eventually([&] {
    gateway.Push("lobby", "x");
    return gateway.Gauges().parked == 1;
  }));
  std::move(message.answer)(Effects());
  RawClient second = ComeBack(gateway, welcome["session"]);
  EXPECT_TRUE(Welcome(second)["resumed"]);
  EXPECT_TRUE(Eventually([&] { return gateway.Gauges().parked == 0; }));
}

TEST_F(GatewayResumeTest, ADrainSendsClientsAwayAndAStopEndsThem) {
  auto gateway = std::make_unique<TestGateway>(Settings());
  RawClient first = LetIn(*gateway);
  const auto welcome = Welcome(first);
  gateway->gateway().Drain(absl::ZeroDuration());
  std::string frame = first.ReadFrame();
  while (!frame.starts_with("close")) frame = first.ReadFrame();
  EXPECT_EQ(frame, "close 1012 node is stopping");
  ASSERT_TRUE(first.Send(ClientClose(1012)));
  EXPECT_EQ(first.ReadFrame(), "end");
  EXPECT_TRUE(Eventually([&] { return gateway->Gauges().parked == 1; }));
  EXPECT_FALSE(gateway->events().Has<event::Disconnected>());
  gateway->gateway().Stop(absl::Seconds(5), absl::ZeroDuration());
  EXPECT_EQ(gateway->events().AwaitOf<event::Disconnected>(IdIn(welcome)).cause,
            CloseCause::kNodeStopping);
  EXPECT_EQ(gateway->Gauges().parked, 0u);
  gateway.reset();
  int found = 0;
  sessions.Take(welcome["session"].get<std::string>(),
                [&](auto taken) { found += taken->has_value(); });
  EXPECT_EQ(found, 1) << "for another node";
}

}  // namespace
}  // namespace wsrouter
