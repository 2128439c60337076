// What it costs to keep a push: plain ones, reliable ones, and reliable ones with an idempotency
// key and a version, by the memory engine and through one private Redis; then how fast a history is
// read again. Alternating, so that the ratios hold on a noisy machine.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "engine/memory_engine.h"
#include "tests/support/cluster_node.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

constexpr int kRounds = 9;
constexpr int kBatches = 20;
constexpr int kBatch = 1'000;  // under way at once: all are answered before their deadline
constexpr int kReads = 200;
const RoomName kRoom = {"room"};
const std::string kPayload(128, 'x');

// Pushes a second.
double Round(Broker& broker, const std::function<std::shared_ptr<const Keep>()>& keep) {
  std::atomic<int> failed = 0;
  const absl::Time begin = absl::Now();
  for (int batch = 0; batch < kBatches; ++batch) {
    absl::BlockingCounter answered(kBatch);
    for (int i = 0; i < kBatch; ++i) {
      broker.Publish({.to = kRoom, .action = TextOf(kPayload), .keep = keep()},
                     [&](const Receipt& receipt) {
                       if (!receipt.status.ok()) ++failed;
                       answered.DecrementCount();
                     });
    }
    answered.Wait();
  }
  if (failed > 0) printf("history %d pushes failed\n", failed.load());
  return kBatches * kBatch / absl::ToDoubleSeconds(absl::Now() - begin);
}

// Entries a second, in pages of 1,000, one behind the other.
double Replay(History& history) {
  size_t entries = 0;
  const absl::Time begin = absl::Now();
  for (int i = 0; i < kReads; ++i) {
    absl::BlockingCounter read(1);
    history.Read(kRoom, {.limit = 1000}, [&](const absl::StatusOr<HistoryPage>& page) {
      if (page.ok()) entries += page->entries.size();
      read.DecrementCount();
    });
    read.Wait();
  }
  return static_cast<double>(entries) / absl::ToDoubleSeconds(absl::Now() - begin);
}

void Measure(const char* engine, Broker& broker, History& history) {
  uint64_t version = 0;
  const std::array<std::function<std::shared_ptr<const Keep>()>, 3> keeps = {
      [] { return nullptr; }, [] { return std::make_shared<const Keep>(Keep{.reliable = true}); },
      [&version] {
        ++version;
        return std::make_shared<const Keep>(
            Keep{.reliable = true, .idempotency_key = std::to_string(version), .version = version});
      }};
  std::array<std::array<double, kRounds>, 3> rates{};
  for (int round = 0; round < kRounds; ++round) {
    for (size_t kind = 0; kind < keeps.size(); ++kind) {
      rates[kind][round] = Round(broker, keeps[kind]);
    }
  }
  for (auto& each : rates) std::ranges::sort(each);
  const auto median = [&](size_t kind) { return rates[kind][kRounds / 2]; };
  printf("history %-7s plain %.0f pushes/s; reliable %.0f (%.2f); ", engine, median(0), median(1),
         median(1) / median(0));
  printf("with key and version %.0f (%.2f); replay %.0f entries/s\n", median(2),
         median(2) / median(0), Replay(history));
}

void Run() {
  const SystemClock clock;
  Counters counters;
  const Namespaces namespaces({.history = {.size = 1000, .ttl = absl::Hours(1)}});
  MemoryEngine memory({.node = {.server_id = "a", .incarnation = 1}}, {}, clock, counters,
                      namespaces);
  Measure("memory", memory.broker(), memory.history());
  const PrivateRedis redis;
  ClusterNode node(
      {.address = ParseRedisUrl(redis.url()).value(), .server_id = "a", .namespaces = namespaces});
  node.AwaitUp();
  Measure("redis", node.engine().broker(), node.engine().history());
}

}  // namespace
}  // namespace wsrouter

int main() {
  wsrouter::Run();
  return 0;
}
