#ifndef WSROUTER_NODE_OPTIONS_H_
#define WSROUTER_NODE_OPTIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "admin/admin_server.h"
#include "auth/door.h"
#include "base/log.h"
#include "control/backend_options.h"
#include "control/control_options.h"
#include "core/history.h"
#include "core/limits.h"
#include "core/namespaces.h"
#include "engine/redis_engine.h"
#include "gateway/options.h"
#include "wsrouter/v1/config.pb.h"

namespace wsrouter {

// What each layer is told, from a configuration that LoadConfig has checked.

// Reads gateway.page_file; `cores` is what node.shards 0 stands for.
absl::StatusOr<GatewayOptions> ToGatewayOptions(const v1::Config& config, unsigned cores);
Limits ToLimits(const v1::Config& config);
Namespaces ToNamespaces(const v1::Config& config);
HistoryLimits ToHistoryLimits(const v1::Config& config);
ControlOptions ToControlOptions(const v1::Config& config);
BackendOptions ToBackendOptions(const v1::Config& config);
DoorOptions ToDoorOptions(const v1::Config& config);
EventLogOptions ToEventLogOptions(const v1::Config& config);
// Of the configuration's redis section, which names a Redis or Sentinels.
RedisEngine::Options ToRedisOptions(const v1::Config& config);
AdminOptions ToAdminOptions(const v1::Config& config);
LogLevel ToLogLevel(v1::LogLevel level);

}  // namespace wsrouter

#endif  // WSROUTER_NODE_OPTIONS_H_
