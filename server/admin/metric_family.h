#ifndef WSROUTER_ADMIN_METRIC_FAMILY_H_
#define WSROUTER_ADMIN_METRIC_FAMILY_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/histogram.h"
#include "prometheus/metric_family.h"

namespace wsrouter {

// Families with one sample and no label.

inline prometheus::MetricFamily OneMetric(std::string name, std::string_view help,
                                          prometheus::MetricType type,
                                          prometheus::ClientMetric metric) {
  return {.name = std::move(name),
          .help = std::string(help),
          .type = type,
          .metric = {std::move(metric)}};
}

inline prometheus::MetricFamily CounterFamily(std::string name, std::string_view help,
                                              double value) {
  prometheus::ClientMetric metric;
  metric.counter.value = value;
  return OneMetric(std::move(name), help, prometheus::MetricType::Counter, std::move(metric));
}

inline prometheus::MetricFamily GaugeFamily(std::string name, std::string_view help, double value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  return OneMetric(std::move(name), help, prometheus::MetricType::Gauge, std::move(metric));
}

inline prometheus::ClientMetric HistogramMetric(std::span<const double> bounds,
                                                const Histogram::Reading& reading) {
  prometheus::ClientMetric metric;
  metric.histogram.sample_count = reading.count();
  metric.histogram.sample_sum = reading.sum;
  for (size_t i = 0; i < reading.cumulative.size(); ++i) {
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back(
        {.cumulative_count = reading.cumulative[i], .upper_bound = bound});
  }
  return metric;
}

inline prometheus::MetricFamily HistogramFamily(std::string name, std::string_view help,
                                                std::span<const double> bounds,
                                                const Histogram::Reading& reading) {
  return OneMetric(std::move(name), help, prometheus::MetricType::Histogram,
                   HistogramMetric(bounds, reading));
}

}  // namespace wsrouter

#endif  // WSROUTER_ADMIN_METRIC_FAMILY_H_
