#ifndef WSROUTER_TESTS_CONTRACT_ENGINES_H_
#define WSROUTER_TESTS_CONTRACT_ENGINES_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/broker.h"
#include "core/directory.h"
#include "core/event_log.h"
#include "core/history.h"
#include "core/limits.h"
#include "core/rate_limits.h"
#include "core/sessions.h"
#include "gtest/gtest.h"

namespace wsrouter {

// An engine as a test sees it: one node's broker and directory, empty at the start.
class EngineUnderTest {
 public:
  virtual ~EngineUnderTest() = default;
  virtual Broker& broker() = 0;
  virtual Directory& directory() = 0;
  virtual RateLimits& rates() = 0;
  virtual History& history() = 0;
  virtual void SetNamespaces(const Namespaces& namespaces) = 0;
  // Lets time pass, where the engine's clock is the test's; else the test has to wait.
  virtual void Pass(absl::Duration /*time*/) {}
  virtual EventLog& log() = 0;
  virtual Sessions& sessions() = 0;
  virtual NodeIdentity node() const = 0;
};

struct EngineSetup {
  Limits limits = {};
  Namespaces namespaces = {};
  HistoryLimits history = {};
  EventLogOptions log = {};
};

struct EngineKind {
  std::string name;
  std::function<std::unique_ptr<EngineUnderTest>(const EngineSetup&)> make;
};

// Every engine that this build and this machine can run. The contract runs against each.
std::vector<EngineKind> EngineKinds();

class EngineContractTest : public testing::TestWithParam<EngineKind> {
 protected:
  void Start(const Limits& limits = {}) { Start(EngineSetup{.limits = limits}); }
  void Start(const EngineSetup& setup) { engine_ = GetParam().make(setup); }
  Broker& broker() { return engine_->broker(); }
  Directory& directory() { return engine_->directory(); }
  RateLimits& rates() { return engine_->rates(); }
  History& history() { return engine_->history(); }
  void SetNamespaces(const Namespaces& namespaces) { engine_->SetNamespaces(namespaces); }
  void Pass(absl::Duration time) { engine_->Pass(time); }
  EventLog& log() { return engine_->log(); }
  Sessions& sessions() { return engine_->sessions(); }
  ConnectionId Connection(uint64_t counter) const {
    return {.node = engine_->node(), .shard = 0, .counter = counter};
  }

 private:
  std::unique_ptr<EngineUnderTest> engine_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_CONTRACT_ENGINES_H_
