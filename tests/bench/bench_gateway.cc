#include "tests/bench/bench_gateway.h"

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <span>
#include <utility>

#include "absl/synchronization/blocking_counter.h"

namespace wsrouter {

BenchGateway::BenchGateway(Backend* backend) {
  GatewayOptions options;
  options.listen = {"127.0.0.1:0"};
  options.upgrade.paths = {"/ws"};
  options.upgrade.echo_path = "/echo";
  Limits limits;
  limits.auth_timeout = absl::Hours(1);
  auto made = Gateway::Create({.options = options,
                               .limits = limits,
                               .broker = broker_,
                               .directory = directory_,
                               .events = connected_,
                               .backend = backend,
                               .stats = stats_,
                               .measures = measures_,
                               .clock = clock_});
  if (!made.ok()) {
    fprintf(stderr, "%s\n", made.status().ToString().c_str());
    exit(1);
  }
  gateway_ = *std::move(made);
  const std::string& address = gateway_->addresses().front();
  port_ = static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

void BenchGateway::Connected::Emit(Event event) {
  if (!std::holds_alternative<event::Connected>(event.detail)) return;
  absl::MutexLock lock(&mutex);
  ids.push_back(std::move(event.connection));
}

std::vector<ConnectionId> BenchGateway::TakeConnected(size_t count) {
  absl::MutexLock lock(&connected_.mutex);
  const auto all = [&]() ABSL_SHARED_LOCKS_REQUIRED(connected_.mutex) {
    return connected_.ids.size() >= count;
  };
  connected_.mutex.Await(absl::Condition(&all));
  return std::exchange(connected_.ids, {});
}

void BenchGateway::Ask(std::vector<Envelope> envelopes) {
  absl::BlockingCounter answers(static_cast<int>(envelopes.size()));
  for (Envelope& envelope : envelopes) {
    broker_.Publish(std::move(envelope), [&answers](Receipt) { answers.DecrementCount(); });
  }
  answers.Wait();
}

double QuantileBound(Measure measure, const Histogram::Reading& from, const Histogram::Reading& to,
                     double quantile) {
  const std::span<const double> bounds = BoundsOf(measure);
  const double wanted = quantile * static_cast<double>(to.count() - from.count());
  for (size_t i = 0; i < bounds.size(); ++i) {
    const uint64_t at_most = to.cumulative[i] - from.cumulative[i];
    if (static_cast<double>(at_most) >= wanted) return bounds[i];
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace wsrouter
