#include "admin/health_json.h"

#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace wsrouter {

std::string HealthJson(const Stats& stats, absl::Duration uptime) {
  nlohmann::ordered_json json = {
      {"server_id", stats.node().server_id},
      {"incarnation", fmt::format("{:016x}", stats.node().incarnation)},
      {"version", stats.version()},
      {"uptime_seconds", absl::ToInt64Seconds(uptime)},
      {"redis_up", stats.cluster_up()},
  };
  for (size_t i = 0; i < static_cast<size_t>(Counter::kGuideCount); ++i) {
    json[std::string(kCounterNames[i])] = stats.Total(static_cast<Counter>(i));
  }
  const Stats::Now now = stats.Read();
  json["gauges"] = {
      {"connections", now.connections}, {"connections_owned", now.owned},   {"rooms", now.rooms},
      {"room_members", now.members},    {"outbox_bytes", now.outbox_bytes},
  };
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace wsrouter
