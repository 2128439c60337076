// What the event log costs: joins and leaves without it and with it, by the memory engine and
// through one private Redis; then how fast a group takes and settles what was appended.
// Alternating, so that the ratios hold on a noisy machine.

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "engine/memory_engine.h"
#include "tests/support/cluster_node.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

constexpr int kRounds = 9;
constexpr int kBatches = 10;
constexpr uint64_t kBatch = 1'000;  // under way at once: all are answered before their deadline
constexpr uint32_t kTaken = 200;    // as many as Events.Consume takes at once
const RoomName kRoom = {"room"};

// Changes a second: each joins a room that stays occupied, and leaves it, one entry each.
double Round(Directory& directory, const NodeIdentity& node) {
  const auto id = [&](uint64_t counter) {
    return ConnectionId{.node = node, .shard = 0, .counter = counter};
  };
  const auto client = [](uint64_t counter) { return ClientId{"client" + std::to_string(counter)}; };
  const absl::Time begin = absl::Now();
  for (int batch = 0; batch < kBatches; ++batch) {
    absl::BlockingCounter answered(2 * kBatch);
    for (uint64_t i = 1; i <= kBatch; ++i) {
      directory.Join(kRoom, id(i), client(i), [&](const auto&) { answered.DecrementCount(); });
      directory.Leave(kRoom, id(i), client(i), [&](const auto&) { answered.DecrementCount(); });
    }
    answered.Wait();
  }
  return 2 * kBatches * static_cast<double>(kBatch) / absl::ToDoubleSeconds(absl::Now() - begin);
}

// Entries a second that one consumer takes and settles, from the oldest to the last.
double Consume(EventLog& log) {
  const LogConsumer consumer = {.group = "bench", .name = "one", .from_start = true};
  size_t entries = 0;
  const absl::Time begin = absl::Now();
  for (bool more = true; more;) {
    absl::BlockingCounter done(1);
    log.Take(consumer, kTaken, [&](const absl::StatusOr<LogTaken>& taken) {
      std::vector<LogSettlement> settlements;
      if (taken.ok()) {
        for (const LogDelivery& one : taken->deliveries) {
          settlements.push_back({.receipt = one.receipt, .again_after = std::nullopt});
        }
      }
      more = !settlements.empty();
      entries += settlements.size();
      if (!more) {
        done.DecrementCount();
        return;
      }
      log.Settle(consumer, std::move(settlements), [&](const auto&) { done.DecrementCount(); });
    });
    done.Wait();
  }
  return static_cast<double>(entries) / absl::ToDoubleSeconds(absl::Now() - begin);
}

struct Side {
  Directory& directory;
  NodeIdentity node;
};

void Measure(const char* engine, const std::array<Side, 2>& sides, EventLog& log) {
  std::array<std::array<double, kRounds>, 2> rates{};
  for (const Side& side : sides) {
    absl::BlockingCounter joined(1);
    side.directory.Join(kRoom, {.node = side.node, .shard = 0, .counter = 0}, {"stays"},
                        [&](const auto&) { joined.DecrementCount(); });
    joined.Wait();
  }
  for (size_t round = 0; round < kRounds; ++round) {
    for (size_t side = 0; side < sides.size(); ++side) {
      rates[side][round] = Round(sides[side].directory, sides[side].node);
    }
  }
  for (auto& each : rates) std::ranges::sort(each);
  const auto median = [&](size_t side) { return rates[side][kRounds / 2]; };
  printf("event log %-7s off %.0f joins and leaves/s; on %.0f (%.2f); consumed %.0f entries/s\n",
         engine, median(0), median(1), median(1) / median(0), Consume(log));
}

void Run() {
  const SystemClock clock;
  Counters counters;
  const NodeRow self = {.node = {.server_id = "a", .incarnation = 1}};
  MemoryEngine off(self, {}, clock, counters);
  MemoryEngine on(self, {}, clock, counters, {}, {}, {.on = true});
  Measure("memory", {{{off.directory(), self.node}, {on.directory(), self.node}}}, on.log());
  const PrivateRedis redis;
  const RedisAddress address = ParseRedisUrl(redis.url()).value();
  ClusterNode plain({.address = address, .server_id = "a", .prefix = "off"});
  ClusterNode logging({.address = address, .server_id = "a", .prefix = "on", .log = {.on = true}});
  plain.AwaitUp();
  logging.AwaitUp();
  Measure(
      "redis",
      {{{plain.engine().directory(), plain.id()}, {logging.engine().directory(), logging.id()}}},
      logging.engine().log());
}

}  // namespace
}  // namespace wsrouter

int main() {
  wsrouter::Run();
  return 0;
}
