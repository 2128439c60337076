#ifndef WSROUTER_TESTS_BENCH_BENCH_GATEWAY_H_
#define WSROUTER_TESTS_BENCH_BENCH_GATEWAY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "core/event.h"
#include "core/histogram.h"
#include "core/measures.h"
#include "core/stats.h"
#include "engine/memory_broker.h"
#include "engine/memory_directory.h"
#include "gateway/gateway.h"

namespace wsrouter {

// The real gateway and the real memory engine with one shard; what a service would ask for over
// gRPC is asked of the broker directly.
class BenchGateway {
 public:
  explicit BenchGateway(Backend* backend = nullptr);

  uint16_t port() const { return port_; }
  Stats& stats() { return stats_; }
  const Measures& measures() const { return measures_; }

  // Waits until `count` connections have come since the last call, and returns their ids.
  std::vector<ConnectionId> TakeConnected(size_t count);
  // Publishes each envelope and waits until all are answered.
  void Ask(std::vector<Envelope> envelopes);

 private:
  struct Connected final : EventSink {
    bool Wants(size_t) const override { return true; }
    void Emit(Event event) override;
    void EmitTo(uint64_t, Event) override {}

    absl::Mutex mutex;
    std::vector<ConnectionId> ids ABSL_GUARDED_BY(mutex);
  };

  SystemClock clock_;
  Stats stats_{NodeIdentity{"bench", 1}, "bench", clock_.Now().wall};
  Measures measures_;
  MemoryBroker broker_{stats_.node()};
  MemoryDirectory directory_{NodeRow{.node = stats_.node()}, Limits{}, clock_};
  Connected connected_;
  std::unique_ptr<Gateway> gateway_;
  uint16_t port_ = 0;
};

// The bound of the bucket that holds the quantile, of what was added between two readings.
double QuantileBound(Measure measure, const Histogram::Reading& from, const Histogram::Reading& to,
                     double quantile);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_BENCH_BENCH_GATEWAY_H_
