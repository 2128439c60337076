// Clients that come back to another node of a cluster: gateways on one Redis, through real sockets.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/client_protocol.h"
#include "core/measures.h"
#include "engine/redis_engine.h"
#include "gateway/gateway.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/contract/awaiting.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"
#include "tests/support/raw_client.h"

namespace wsrouter {
namespace {

using ::testing::SizeIs;

// A node of the cluster: the Redis engine and a gateway.
class Node {
 public:
  using Connections = std::vector<ConnectionId>;

  Node(const PrivateRedis& redis, const std::string& server_id, uint64_t incarnation)
      : stats_({.server_id = server_id, .incarnation = incarnation}, "test", clock_.Now().wall),
        engine_(OptionsOf(redis, stats_), {.events = events,
                                           .stats = stats_,
                                           .counters = stats_.AddCounters(),
                                           .clock = clock_}) {
    engine_.Start();
    EXPECT_TRUE(Eventually([&] { return engine_.up(); }));
    auto made = Gateway::Create(
        {.options = {.listen = {"127.0.0.1:0"},
                     .upgrade = {.paths = {"/ws"}, .subprotocols = {"wsrouter.v1.json"}},
                     .client_protocol = true},
         .limits = {},
         .broker = engine_.broker(),
         .directory = engine_.directory(),
         .events = events,
         .stats = stats_,
         .measures = measures_,
         .clock = clock_,
         .sessions = &engine_.sessions()});
    EXPECT_TRUE(made.ok()) << made.status();
    gateway_ = *std::move(made);
  }
  ~Node() { Stop(); }

  void Stop() {
    gateway_->Stop(absl::Seconds(1));
    engine_.Stop(absl::Seconds(2));
  }
  // Nothing is given back.
  void Crash() { engine_.Stop(absl::ZeroDuration()); }

  RawClient Connect(const std::string& token = "") {
    RawClient client(gateway_->addresses()[0]);
    const std::string more = token.empty() ? "" : ", wsrouter.session." + token;
    EXPECT_TRUE(client.Upgrade("/ws", "Sec-WebSocket-Protocol: wsrouter.v1.json" + more + "\r\n"));
    return client;
  }
  Receipt Do(Topic to, Action action) {
    Awaited<Receipt> receipt;
    engine_.broker().Publish({.to = std::move(to), .action = std::move(action)}, receipt.Take());
    return receipt.Wait();
  }
  Connections ConnectionsOf(const std::string& client) {
    Awaited<absl::StatusOr<Connections>> answer;
    engine_.directory().Client({client}, answer.Take());
    return answer.Wait().value_or(Connections{});
  }
  uint64_t MembersOf(const std::string& room) {
    Awaited<absl::StatusOr<RoomSize>> answer;
    engine_.directory().Size({room}, answer.Take());
    return answer.Wait().value_or(RoomSize{}).connections;
  }
  // How many events of that kind there were.
  template <typename Detail>
  size_t Count() const {
    const std::vector<Event> all = events.All();
    return static_cast<size_t>(std::ranges::count_if(
        all, [](const Event& seen) { return std::holds_alternative<Detail>(seen.detail); }));
  }
  bool up() const { return engine_.up(); }
  Stats::Now Gauges() const { return stats_.Read(); }

  SharedEvents events;

 private:
  static RedisEngine::Options OptionsOf(const PrivateRedis& redis, const Stats& stats) {
    RedisEngine::Options options;
    options.address = ParseRedisUrl(redis.url()).value();
    options.prefix = "test";
    options.heartbeat = absl::Milliseconds(200);
    options.lease = absl::Milliseconds(1000);
    options.gc_interval = absl::Milliseconds(300);
    options.self = {.node = stats.node(), .version = "test", .started_at = stats.started_at()};
    return options;
  }

  const SystemClock clock_;
  Stats stats_;
  Measures measures_;
  RedisEngine engine_;
  std::unique_ptr<Gateway> gateway_;
};

nlohmann::json Welcome(RawClient& client) {
  const std::string frame = client.ReadFrame();
  EXPECT_TRUE(frame.starts_with(R"(text {"welcome")")) << frame;
  return frame.size() < 5 ? nlohmann::json() : nlohmann::json::parse(frame.substr(5))["welcome"];
}

class ClusterResumeTest : public testing::Test {
 protected:
  // Alice, on a connection of `node`, in the lobby.
  RawClient Alice(Node& node) {
    RawClient client = node.Connect();
    const auto nobody = Welcome(client);
    const auto id = ConnectionId::Parse(nobody["connectionId"].get<std::string>()).value();
    EXPECT_TRUE(node.Do(id, Own{.client = {"alice"},
                                .on_duplicate = OnDuplicate::kReject,
                                .rooms = {{"lobby"}},
                                .labels = {{"device", "phone"}}})
                    .status.ok());
    token = Welcome(client)["session"];
    EXPECT_EQ(client.ReadFrame(), R"(text {"joined":{"room":"lobby"}})");
    return client;
  }
  // Alice has come back to `node`, and is what she was.
  void ExpectBack(Node& node, RawClient& client) {
    const auto welcome = Welcome(client);
    EXPECT_TRUE(welcome.value("resumed", false)) << welcome;
    EXPECT_EQ(welcome["clientId"], "alice");
    token = welcome["session"];
    EXPECT_EQ(client.ReadFrame(), R"(text {"gap":{"room":"lobby"}})");
    EXPECT_EQ(client.ReadFrame(), R"(text {"joined":{"room":"lobby"}})");
    EXPECT_TRUE(Eventually([&] { return node.MembersOf("lobby") == 1; }));
    EXPECT_THAT(node.ConnectionsOf("alice"), SizeIs(1));
    EXPECT_EQ(node.Do(RoomName{"lobby"}, TextOf("hi")).queued, 1u);
    EXPECT_EQ(client.ReadFrame(), R"(text {"msg":{"room":"lobby","text":"hi"}})");
    EXPECT_EQ(node.Count<event::Resumed>(), 1u);
    EXPECT_EQ(node.Count<event::Connected>(), 0u);
  }

  PrivateRedis redis;
  Node one{redis, "one", 1};
  Node two{redis, "two", 2};
  std::string token;
};

TEST_F(ClusterResumeTest, AClientComesBackToAnotherNode) {
  RawClient first = Alice(one);
  first.Reset();
  ASSERT_TRUE(Eventually([&] { return one.Gauges().parked == 1; }));
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
  EXPECT_TRUE(Eventually([&] { return one.Gauges().parked == 0; }));
  EXPECT_EQ(one.Count<event::Disconnected>(), 0u);
  EXPECT_EQ(one.Count<event::Left>(), 0u);
}

TEST_F(ClusterResumeTest, WhoIsCutBeforeItHasReadItsNextTokenComesBackWithTheOneThatItHas) {
  RawClient first = Alice(one);
  first.Reset();
  const std::string old = token;
  for (int cut = 0; cut < 3; ++cut) {
    RawClient client = two.Connect(old);
    client.Reset();
    ASSERT_TRUE(Eventually([&] { return two.Gauges().parked == 1 && two.Gauges().owned == 1; }));
  }
  Node three(redis, "three", 3);
  RawClient last = three.Connect(old);
  ExpectBack(three, last);
  EXPECT_TRUE(Eventually([&] { return one.Gauges().parked + two.Gauges().parked == 0; }));
  EXPECT_EQ(one.Count<event::Disconnected>() + two.Count<event::Disconnected>(), 0u);
  RawClient stranger = one.Connect(token);
  EXPECT_EQ(Welcome(stranger)["clientId"], "alice");
}

TEST_F(ClusterResumeTest, AHalfOpenConnectionOfAnotherNodeIsClosed) {
  RawClient first = Alice(one);
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
  std::string frame = first.ReadFrame();
  while (!frame.starts_with("close") && frame != "end") frame = first.ReadFrame();
  EXPECT_EQ(frame, "close 4020 the client has come back");
  EXPECT_EQ(one.Count<event::Disconnected>(), 0u);
}

TEST_F(ClusterResumeTest, TheClientOfANodeThatCrashedComesBackToAnother) {
  RawClient first = Alice(one);
  one.Crash();
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
  EXPECT_EQ(two.Count<event::Disconnected>(), 0u) << "also the collector says nothing of an end";
}

TEST_F(ClusterResumeTest, TheClientOfANodeThatStoppedComesBackToAnother) {
  RawClient first = Alice(one);
  one.Stop();
  EXPECT_EQ(one.Count<event::Disconnected>(), 1u);
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
}

TEST_F(ClusterResumeTest, ARedisThatCameBackEmptyKnowsTheSessionsAgain) {
  RawClient first = Alice(one);
  first.Reset();
  ASSERT_TRUE(Eventually([&] { return one.Gauges().parked == 1; }));
  redis.Kill();
  ASSERT_TRUE(Eventually([&] { return !one.up() && !two.up(); }));
  redis.Start();
  ASSERT_TRUE(Eventually([&] { return one.up() && two.up(); }));
  RawClient second = two.Connect(token);
  ExpectBack(two, second);
}

}  // namespace
}  // namespace wsrouter
