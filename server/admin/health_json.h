#ifndef WSROUTER_ADMIN_HEALTH_JSON_H_
#define WSROUTER_ADMIN_HEALTH_JSON_H_

#include <string>

#include "absl/time/time.h"
#include "core/stats.h"

namespace wsrouter {

// What /healthz/ws answers: who the node is, the sixteen counters of the operators' guide under
// their names, and `gauges`. The incarnation is text, as in connection ids: 64 bits do not fit
// into the numbers of JavaScript.
std::string HealthJson(const Stats& stats, absl::Duration uptime);

}  // namespace wsrouter

#endif  // WSROUTER_ADMIN_HEALTH_JSON_H_
