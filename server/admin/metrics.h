#ifndef WSROUTER_ADMIN_METRICS_H_
#define WSROUTER_ADMIN_METRICS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/control_measures.h"
#include "core/measures.h"
#include "core/stats.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace wsrouter {

// The node's figures under the names and with the help that Prometheus shows; the only label with
// text from outside is `group`, of at most EventLog::kGroupsMax values. Reads the figures at each
// collection and keeps nothing.
class StatsMetrics final : public prometheus::Collectable {
 public:
  // Without `measures` none of its histograms, without `load` none of its gauges; likewise control.
  explicit StatsMetrics(const Stats& stats, const Measures* measures = nullptr,
                        std::function<LoopLoad()> load = {},
                        const ControlMeasures* control = nullptr)
      : stats_(stats), measures_(measures), load_(std::move(load)), control_(control) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const Stats& stats_;
  const Measures* const measures_;
  const std::function<LoopLoad()> load_;
  const ControlMeasures* const control_;
};

// "wsrouter_send_to_client_owner_missing_total" of "sendToClient_owner_missing".
std::string MetricName(std::string_view counter_name);

// What /metrics answers: version 0.0.4 of Prometheus' text format.
std::string MetricsText(const prometheus::Collectable& metrics);

}  // namespace wsrouter

#endif  // WSROUTER_ADMIN_METRICS_H_
