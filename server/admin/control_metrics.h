#ifndef WSROUTER_ADMIN_CONTROL_METRICS_H_
#define WSROUTER_ADMIN_CONTROL_METRICS_H_

#include <vector>

#include "core/control_measures.h"
#include "prometheus/metric_family.h"

namespace wsrouter {

// What services call and are asked: of the pairs of a method and an outcome those that occurred.
void AddControl(const ControlMeasures& measures, std::vector<prometheus::MetricFamily>& families);

}  // namespace wsrouter

#endif  // WSROUTER_ADMIN_CONTROL_METRICS_H_
