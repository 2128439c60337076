#include "tests/contract/engines.h"

#include <atomic>

#include "core/event.h"
#include "core/stats.h"
#include "engine/memory_engine.h"
#include "engine/redis_engine.h"
#include "fmt/format.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"
#include "tests/support/private_redis_cluster.h"

namespace wsrouter {
namespace {

const NodeIdentity kNode = {.server_id = "node-1", .incarnation = 7};

// The system's, and what a test adds.
class AheadClock final : public Clock {
 public:
  Instant Now() const override {
    Instant now = clock_.Now();
    const absl::Duration ahead = absl::Nanoseconds(ahead_nanos_.load());
    return {.wall = now.wall + ahead, .uptime = now.uptime + ahead};
  }
  void Advance(absl::Duration by) { ahead_nanos_ += absl::ToInt64Nanoseconds(by); }

 private:
  SystemClock clock_;
  std::atomic<int64_t> ahead_nanos_ = 0;
};

class MemoryUnderTest final : public EngineUnderTest {
 public:
  explicit MemoryUnderTest(const EngineSetup& setup)
      : engine_({.node = kNode}, setup.limits, clock_, counters_, setup.namespaces, setup.history,
                setup.log) {}

  Broker& broker() override { return engine_.broker(); }
  Directory& directory() override { return engine_.directory(); }
  RateLimits& rates() override { return engine_.rates(); }
  History& history() override { return engine_.history(); }
  void SetNamespaces(const Namespaces& namespaces) override { engine_.SetNamespaces(namespaces); }
  void Pass(absl::Duration time) override { clock_.Advance(time); }
  EventLog& log() override { return engine_.log(); }
  Sessions& sessions() override { return engine_.sessions(); }
  NodeIdentity node() const override { return kNode; }

 private:
  AheadClock clock_;
  Counters counters_;
  MemoryEngine engine_;
};

class DeafSink final : public EventSink {
 public:
  bool Wants(size_t) const override { return false; }
  void Emit(Event) override {}
  void EmitTo(uint64_t, Event) override {}
};

// All of them share what they reach at `address`, each under a prefix of its own.
class RedisUnderTest final : public EngineUnderTest {
 public:
  RedisUnderTest(const RedisAddress& address, const EngineSetup& setup)
      : engine_({.address = address,
                 .prefix = fmt::format("engine{}", ++last_),
                 .self = {.node = kNode},
                 .limits = setup.limits,
                 .namespaces = setup.namespaces,
                 .history = setup.history,
                 .log = setup.log},
                {.events = events_,
                 .stats = stats_,
                 .counters = stats_.AddCounters(),
                 .clock = clock_}) {
    engine_.Start();
    EXPECT_TRUE(Eventually([this] { return engine_.up(); }));
  }
  ~RedisUnderTest() override { engine_.Stop(absl::Seconds(2)); }

  Broker& broker() override { return engine_.broker(); }
  Directory& directory() override { return engine_.directory(); }
  RateLimits& rates() override { return engine_.rates(); }
  History& history() override { return engine_.history(); }
  void SetNamespaces(const Namespaces& namespaces) override { engine_.SetNamespaces(namespaces); }
  EventLog& log() override { return engine_.log(); }
  Sessions& sessions() override { return engine_.sessions(); }
  NodeIdentity node() const override { return kNode; }

 private:
  inline static std::atomic<int> last_ = 0;
  SystemClock clock_;
  DeafSink events_;
  Stats stats_{kNode, "test", absl::UnixEpoch()};
  RedisEngine engine_;
};

RedisAddress Standalone() {
  static const PrivateRedis redis;
  return ParseRedisUrl(redis.url()).value();
}

RedisAddress Cluster() {
  static const PrivateRedisCluster redis;
  RedisAddress address;
  address.cluster = redis.endpoints();
  return address;
}

}  // namespace

std::vector<EngineKind> EngineKinds() {
  return {
      {"Memory", [](const EngineSetup& setup) { return std::make_unique<MemoryUnderTest>(setup); }},
      {"Redis",
       [](const EngineSetup& setup) {
         return std::make_unique<RedisUnderTest>(Standalone(), setup);
       }},
      {"RedisCluster", [](const EngineSetup& setup) {
         return std::make_unique<RedisUnderTest>(Cluster(), setup);
       }}};
}

}  // namespace wsrouter
