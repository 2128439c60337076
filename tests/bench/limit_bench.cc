// What a rate limit costs a push: the same pushes without limits, while others have limits, and
// under one, by the memory engine and through one private Redis. Alternating, so that the ratios
// hold on a noisy machine.

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "engine/memory_engine.h"
#include "tests/support/cluster_node.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

constexpr int kRounds = 9;
constexpr int kPushes = 20'000;
// More than a round pushes in a window, so that each push is charged and none refused.
constexpr RateLimit kLimit = {.n = kRateMax, .window = absl::Milliseconds(1)};

// Microseconds a push: so many to `room`, all under way at once.
double Round(Broker& broker, const std::string& room) {
  absl::BlockingCounter answered(kPushes);
  const absl::Time begin = absl::Now();
  for (int i = 0; i < kPushes; ++i) {
    broker.Publish({.to = RoomName{room}, .action = TextOf("x"), .from = {"sender"}},
                   [&answered](const Receipt&) { answered.DecrementCount(); });
  }
  answered.Wait();
  return absl::ToDoubleMicroseconds(absl::Now() - begin) / kPushes;
}

void Set(RateLimits& rates, const RateSubject& subject, std::optional<RateLimit> limit) {
  absl::BlockingCounter set(1);
  rates.Set(subject, limit, [&set](const absl::Status&) { set.DecrementCount(); });
  set.Wait();
}

void Measure(const char* engine, Broker& broker, RateLimits& rates) {
  std::array<std::array<double, kRounds>, 3> micros{};
  for (int round = 0; round < kRounds; ++round) {
    micros[0][round] = Round(broker, "free");
    Set(rates, RoomName{"limited"}, kLimit);
    micros[1][round] = Round(broker, "free");
    micros[2][round] = Round(broker, "limited");
    Set(rates, RoomName{"limited"}, std::nullopt);
  }
  for (auto& times : micros) std::ranges::sort(times);
  const auto median = [&](size_t which) { return micros[which][kRounds / 2]; };
  printf("limit   %-7s no limit %.2f us a push; others have one %.2f us (%.2f); ", engine,
         median(0), median(1), median(1) / median(0));
  printf("under one %.2f us (%.2f)\n", median(2), median(2) / median(0));
}

void Run() {
  const SystemClock clock;
  Counters counters;
  MemoryEngine memory({.node = {.server_id = "a", .incarnation = 1}}, {}, clock, counters);
  Measure("memory", memory.broker(), memory.rates());
  const PrivateRedis redis;
  ClusterNode node({.address = ParseRedisUrl(redis.url()).value(), .server_id = "a"});
  node.AwaitUp();
  Measure("redis", node.engine().broker(), node.engine().rates());
}

}  // namespace
}  // namespace wsrouter

int main() {
  wsrouter::Run();
  return 0;
}
