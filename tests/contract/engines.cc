#include "tests/contract/engines.h"

#include "engine/memory_broker.h"
#include "engine/memory_directory.h"

namespace wsrouter {
namespace {

class MemoryEngine final : public Engine {
 public:
  explicit MemoryEngine(const Limits& limits) : directory_({.node = kNode}, limits, clock_) {}

  Broker& broker() override { return broker_; }
  Directory& directory() override { return directory_; }
  NodeIdentity node() const override { return kNode; }

 private:
  inline static const NodeIdentity kNode = {.server_id = "node-1", .incarnation = 7};
  SystemClock clock_;
  MemoryBroker broker_{kNode};
  MemoryDirectory directory_;
};

}  // namespace

std::vector<EngineKind> EngineKinds() {
  return {{"Memory", [](const Limits& limits) { return std::make_unique<MemoryEngine>(limits); }}};
}

}  // namespace wsrouter
