#ifndef WSROUTER_ADMIN_PROCESS_METRICS_H_
#define WSROUTER_ADMIN_PROCESS_METRICS_H_

#include <vector>

#include "absl/time/time.h"
#include "prometheus/metric_family.h"

namespace wsrouter {

// What the kernel says of this process, under the names that every Prometheus client has for it.
// What cannot be read is left out.
void AddProcess(absl::Time started_at, std::vector<prometheus::MetricFamily>& families);

}  // namespace wsrouter

#endif  // WSROUTER_ADMIN_PROCESS_METRICS_H_
