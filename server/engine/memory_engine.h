#ifndef WSROUTER_ENGINE_MEMORY_ENGINE_H_
#define WSROUTER_ENGINE_MEMORY_ENGINE_H_

#include <utility>

#include "engine/engine.h"
#include "engine/memory_broker.h"
#include "engine/memory_directory.h"
#include "engine/memory_event_log.h"
#include "engine/memory_history.h"
#include "engine/memory_rate_limits.h"
#include "engine/memory_sessions.h"

namespace wsrouter {

// A cluster of one node, within the process.
class MemoryEngine final : public Engine {
 public:
  MemoryEngine(const NodeRow& self, const Limits& limits, const Clock& clock, Counters& counters,
               const Namespaces& namespaces = {}, const HistoryLimits& history = {},
               const EventLogOptions& log = {})
      : rates_(namespaces, counters, clock),
        history_(namespaces, history, counters, clock),
        broker_(self.node, &rates_, &history_, &log_),
        log_(log, clock),
        directory_(self, limits, clock, log.on ? &log_ : nullptr),
        sessions_(self.node) {}

  Broker& broker() override { return broker_; }
  Directory& directory() override { return directory_; }
  RateLimits& rates() override { return rates_; }
  History& history() override { return history_; }
  EventLog& log() override { return log_; }
  Sessions& sessions() override { return sessions_; }
  void Start() override {}
  bool Joined() const override { return true; }
  void SetNamespaces(const Namespaces& namespaces) override {
    rates_.SetNamespaces(namespaces);
    history_.SetNamespaces(namespaces);
  }
  void Stop(absl::Duration) override {}

 private:
  MemoryRateLimits rates_;
  MemoryHistory history_;
  MemoryBroker broker_;
  MemoryEventLog log_;
  MemoryDirectory directory_;
  MemorySessions sessions_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_MEMORY_ENGINE_H_
