#include "admin/health_json.h"

#include <gtest/gtest.h>

#include <string>

#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

nlohmann::json Parsed(const Stats& stats, absl::Duration uptime = absl::ZeroDuration()) {
  return nlohmann::json::parse(HealthJson(stats, uptime));
}

TEST(HealthJsonTest, HasTheGuidesSixteenCountersByName) {
  Stats stats({.server_id = "gw-1", .incarnation = 1}, "0.1.0", absl::UnixEpoch());
  const nlohmann::json json = Parsed(stats);
  for (const char* name :
       {"owns_total", "releases_total", "sendToClient_total", "sendToClient_owner_missing",
        "room_joins_total", "room_leaves_total", "room_pushes_total", "pushes_total",
        "pushes_failed_total", "pushes_dropped_slow_consumer", "pushes_to_dead_fd_total",
        "capacity_exceeded_owner_total", "capacity_exceeded_room_total", "rate_limit_drops_total",
        "client_rate_limit_drops_total", "hmac_verify_failures_total"}) {
    ASSERT_TRUE(json.contains(name)) << name;
    EXPECT_EQ(json[name], 0) << name;
  }
}

TEST(HealthJsonTest, ACounterIsTheSumOverAllBlocks) {
  Stats stats({.server_id = "gw-1", .incarnation = 1}, "0.1.0", absl::UnixEpoch());
  stats.AddCounters().Add(Counter::kPushes, 2);
  stats.AddCounters().Add(Counter::kPushes, 40);
  EXPECT_EQ(Parsed(stats)["pushes_total"], 42);
}

TEST(HealthJsonTest, SaysWhoTheNodeIsAndHowLongItRuns) {
  Stats stats({.server_id = "gw-1", .incarnation = 0xABC}, "0.1.0", absl::UnixEpoch());
  const nlohmann::json json = Parsed(stats, absl::Milliseconds(90'999));
  EXPECT_EQ(json["server_id"], "gw-1");
  EXPECT_EQ(json["incarnation"], "0000000000000abc");
  EXPECT_EQ(json["version"], "0.1.0");
  EXPECT_EQ(json["uptime_seconds"], 90);
}

TEST(HealthJsonTest, GaugesAreApartFromCounters) {
  Stats stats({.server_id = "gw-1", .incarnation = 1}, "0.1.0", absl::UnixEpoch());
  Gauges& gauges = stats.AddGauges();
  gauges.connections = 5;
  gauges.owned = 4;
  gauges.rooms = 3;
  gauges.members = 2;
  gauges.outbox_bytes = 1;
  const nlohmann::json json = Parsed(stats);
  EXPECT_EQ(json["gauges"], (nlohmann::json{{"connections", 5},
                                            {"connections_owned", 4},
                                            {"rooms", 3},
                                            {"room_members", 2},
                                            {"outbox_bytes", 1}}));
  EXPECT_FALSE(json.contains("connections"));
}

TEST(HealthJsonTest, AServerIdThatIsNotUtf8StillGivesJson) {
  Stats stats({.server_id = "gw-\xFF\"", .incarnation = 1}, "0.1.0", absl::UnixEpoch());
  EXPECT_NO_THROW(Parsed(stats));
}

}  // namespace
}  // namespace wsrouter
