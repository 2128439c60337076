#include "tests/support/recovery_node.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "base/random.h"
#include "core/namespaces.h"
#include "engine/memory_engine.h"
#include "engine/redis_engine.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/eventually.h"

namespace wsrouter {

Backend::Ticket OpenDoor::Connect(ConnectQuestion question,
                                  absl::AnyInvocable<void(ConnectAnswer) &&> done) {
  Admission admission;
  admission.own = Own{.client = {question.handshake->query}, .may_join = {"*"}};
  std::move(done)(std::move(admission));
  return 1;
}

RecoveryNode::RecoveryNode(const std::string& server_id, const std::optional<RedisAddress>& redis)
    : stats_({.server_id = server_id, .incarnation = RandomSeed()}, "test", clock_.Now().wall) {
  const Namespaces namespaces({.history = {.size = 10'000, .always = true}});
  Limits limits;
  limits.namespaces = std::make_shared<const Namespaces>(namespaces);
  const NodeRow self = {
      .node = stats_.node(), .version = "test", .started_at = stats_.started_at()};
  if (redis.has_value()) {
    RedisEngine::Options options;
    options.address = *redis;
    options.patience = {.connect = absl::Seconds(1),
                        .command = absl::Seconds(1),
                        .silence = absl::Milliseconds(1500),
                        .backoff_min = absl::Milliseconds(10),
                        .backoff_max = absl::Milliseconds(100)};
    options.prefix = "test";
    options.heartbeat = absl::Milliseconds(200);
    options.lease = absl::Seconds(1);
    options.gc_interval = absl::Milliseconds(300);
    options.self = self;
    options.namespaces = namespaces;
    auto engine = std::make_unique<RedisEngine>(
        options,
        RedisEngine::Parts{
            .events = events_, .stats = stats_, .counters = stats_.AddCounters(), .clock = clock_});
    up_ = [engine = engine.get()] { return engine->up(); };
    engine_ = std::move(engine);
  } else {
    up_ = [] { return true; };
    engine_ =
        std::make_unique<MemoryEngine>(self, limits, clock_, stats_.AddCounters(), namespaces);
  }
  engine_->Start();
  EXPECT_TRUE(Eventually([this] { return up(); }));
  auto made = Gateway::Create(
      {.options = {.listen = {"127.0.0.1:0"},
                   .upgrade = {.paths = {"/ws"}, .subprotocols = {"wsrouter.v1.json"}},
                   .client_protocol = true},
       .limits = limits,
       .broker = engine_->broker(),
       .directory = engine_->directory(),
       .events = events_,
       .backend = &door_,
       .stats = stats_,
       .measures = measures_,
       .clock = clock_,
       .sessions = &engine_->sessions(),
       .history = &engine_->history()});
  EXPECT_TRUE(made.ok()) << made.status();
  gateway_ = *std::move(made);
}

RecoveryNode::~RecoveryNode() {
  gateway_->Stop(absl::Seconds(1));
  engine_->Stop(absl::Seconds(2));
}

uint16_t RecoveryNode::port() const {
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(AbslView(address().substr(address().rfind(':') + 1)), &port));
  return static_cast<uint16_t>(port);
}

void RecoveryNode::Publish(const std::string& room, std::string_view text, ReceiptSum::Done done) {
  engine_->broker().Publish(
      {.to = RoomName{room}, .action = TextOf(text), .receipts = Receipts::kLocal},
      std::move(done));
}

Receipt RecoveryNode::Push(const std::string& room, std::string_view text) {
  Awaited<Receipt> receipt;
  Publish(room, text, receipt.Take());
  return receipt.Wait();
}

}  // namespace wsrouter
