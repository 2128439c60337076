#include "tests/support/gateway_node.h"

#include <utility>

#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

RedisEngine::Options OptionsOf(const PrivateRedis& redis, const Stats& stats) {
  RedisEngine::Options options;
  options.address = ParseRedisUrl(redis.url()).value();
  options.prefix = "test";
  options.heartbeat = absl::Milliseconds(200);
  options.lease = absl::Milliseconds(1000);
  options.gc_interval = absl::Milliseconds(300);
  options.self = {.node = stats.node(), .version = "test", .started_at = stats.started_at()};
  return options;
}

}  // namespace

nlohmann::json AwaitFrame(RawClient& client, const std::string& kind) {
  std::string frame = client.ReadFrame();
  while (frame.starts_with("text ")) {
    const auto read = nlohmann::json::parse(frame.substr(5));
    if (read.contains(kind)) return read[kind];
    frame = client.ReadFrame();
  }
  ADD_FAILURE() << "instead of " << kind << ": " << frame;
  return nlohmann::json::object();
}

GatewayNode::GatewayNode(const PrivateRedis& redis, const std::string& server_id,
                         uint64_t incarnation, const Limits& limits)
    : stats_({.server_id = server_id, .incarnation = incarnation}, "test", clock_.Now().wall),
      engine_(
          OptionsOf(redis, stats_),
          {.events = events, .stats = stats_, .counters = stats_.AddCounters(), .clock = clock_}) {
  engine_.Start();
  EXPECT_TRUE(Eventually([&] { return engine_.up(); }));
  auto made = Gateway::Create(
      {.options = {.listen = {"127.0.0.1:0"},
                   .upgrade = {.paths = {"/ws"}, .subprotocols = {"wsrouter.v1.json"}},
                   .client_protocol = true},
       .limits = limits,
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

void GatewayNode::Stop() {
  gateway_->Stop(absl::Seconds(1));
  engine_.Stop(absl::Seconds(2));
}

RawClient GatewayNode::Connect(const std::string& token) {
  RawClient client(gateway_->addresses()[0]);
  const std::string more = token.empty() ? "" : ", wsrouter.session." + token;
  EXPECT_TRUE(client.Upgrade("/ws", "Sec-WebSocket-Protocol: wsrouter.v1.json" + more + "\r\n"));
  return client;
}

RawClient GatewayNode::InRoom(const std::string& room, const std::string& client,
                              const Labels& labels) {
  RawClient socket = Connect();
  const std::string id = AwaitFrame(socket, "welcome").value("connectionId", "");
  const Receipt owned = Do(ConnectionId::Parse(id).value_or(ConnectionId{}),
                           Own{.client = {client}, .rooms = {{room}}, .labels = labels});
  EXPECT_TRUE(owned.status.ok()) << owned.status;
  EXPECT_EQ(AwaitFrame(socket, "joined").value("room", ""), room);
  return socket;
}

Receipt GatewayNode::Do(Topic to, Action action) {
  Awaited<Receipt> receipt;
  engine_.broker().Publish({.to = std::move(to), .action = std::move(action)}, receipt.Take());
  return receipt.Wait();
}

std::vector<ConnectionId> GatewayNode::ConnectionsOf(const std::string& client) {
  Awaited<absl::StatusOr<std::vector<ConnectionId>>> answer;
  engine_.directory().Client({client}, answer.Take());
  return answer.Wait().value_or(std::vector<ConnectionId>{});
}

RoomSize GatewayNode::SizeOf(const std::string& room) {
  Awaited<absl::StatusOr<RoomSize>> answer;
  engine_.directory().Size({room}, answer.Take());
  return answer.Wait().value_or(RoomSize{});
}

}  // namespace wsrouter
