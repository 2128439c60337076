#include "tests/contract/engines.h"

#include <atomic>

#include "engine/memory_broker.h"
#include "engine/memory_directory.h"
#include "fmt/format.h"
#include "tests/support/directory_node.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

const NodeIdentity kNode = {.server_id = "node-1", .incarnation = 7};

class MemoryEngine final : public Engine {
 public:
  explicit MemoryEngine(const Limits& limits) : directory_({.node = kNode}, limits, clock_) {}

  Broker& broker() override { return broker_; }
  Directory& directory() override { return directory_; }
  NodeIdentity node() const override { return kNode; }

 private:
  SystemClock clock_;
  MemoryBroker broker_{kNode};
  MemoryDirectory directory_;
};

// All of them share one Redis, each under a prefix of its own.
class RedisEngineUnderTest final : public Engine {
 public:
  explicit RedisEngineUnderTest(const Limits& limits)
      : node_(Redis(), {.server_id = kNode.server_id,
                        .incarnation = kNode.incarnation,
                        .prefix = fmt::format("engine{}", ++last_),
                        .limits = limits}) {}

  Broker& broker() override { return broker_; }
  Directory& directory() override { return node_.directory(); }
  NodeIdentity node() const override { return kNode; }

 private:
  static const PrivateRedis& Redis() {
    static const PrivateRedis redis;
    return redis;
  }

  inline static std::atomic<int> last_ = 0;
  MemoryBroker broker_{kNode};
  DirectoryNode node_;
};

}  // namespace

std::vector<EngineKind> EngineKinds() {
  return {
      {"Memory", [](const Limits& limits) { return std::make_unique<MemoryEngine>(limits); }},
      {"Redis",
       [](const Limits& limits) { return std::make_unique<RedisEngineUnderTest>(limits); }}};
}

}  // namespace wsrouter
