#include "admin/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "prometheus/metric_type.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Stats MakeStats() {
  return Stats({.server_id = "gw-1", .incarnation = 1}, "0.1.0", absl::FromUnixMillis(1'500));
}

bool IsMetricName(const std::string& name) {
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos &&
         (name.starts_with("wsrouter_") || name.starts_with("process_")) &&
         name.find("__") == std::string::npos;
}

TEST(MetricsTest, NamesFollowPrometheusConventions) {
  EXPECT_EQ(MetricName("owns_total"), "wsrouter_owns_total");
  EXPECT_EQ(MetricName("sendToClient_total"), "wsrouter_send_to_client_total");
  EXPECT_EQ(MetricName("sendToClient_owner_missing"),
            "wsrouter_send_to_client_owner_missing_total");
  EXPECT_EQ(MetricName("pushes_dropped_slow_consumer"),
            "wsrouter_pushes_dropped_slow_consumer_total");
}

TEST(MetricsTest, EveryFamilyHasANameOfItsOwnHelpAndOneSample) {
  const Stats stats = MakeStats();
  std::set<std::string> names;
  for (const prometheus::MetricFamily& family : StatsMetrics(stats).Collect()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_TRUE(IsMetricName(family.name)) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_EQ(family.metric.size(), 1u) << family.name;
  }
}

TEST(MetricsTest, CountersAndNothingElseEndWithTotal) {
  const Stats stats = MakeStats();
  for (const prometheus::MetricFamily& family : StatsMetrics(stats).Collect()) {
    EXPECT_EQ(family.type == prometheus::MetricType::Counter, family.name.ends_with("_total"))
        << family.name;
  }
}

TEST(MetricsTest, HistogramsAreInBaseUnitsAndEndInInfinity) {
  const Stats stats = MakeStats();
  const Measures measures;
  size_t histograms = 0;
  for (const prometheus::MetricFamily& family : StatsMetrics(stats, &measures).Collect()) {
    if (family.type != prometheus::MetricType::Histogram) continue;
    ++histograms;
    EXPECT_TRUE(family.name.ends_with("_seconds") || family.name.ends_with("_connections"))
        << family.name;
    const auto& buckets = family.metric.front().histogram.bucket;
    EXPECT_TRUE(
        std::ranges::is_sorted(buckets, {}, &prometheus::ClientMetric::Bucket::upper_bound));
    EXPECT_TRUE(std::isinf(buckets.back().upper_bound)) << family.name;
  }
  EXPECT_EQ(histograms, static_cast<size_t>(Measure::kCount));
}

TEST(MetricsTest, AHistogramIsTheSumOverItsBlocks) {
  const Stats stats = MakeStats();
  Measures measures;
  measures.AddBlock().Add(Measure::kFanOut, 3);
  measures.AddBlock().Add(Measure::kFanOut, 50, 2);
  measures.AddBlock().Add(Measure::kDelivery, absl::Milliseconds(3), 4);
  const std::string text = MetricsText(StatsMetrics(stats, &measures));
  EXPECT_THAT(text, HasSubstr("# TYPE wsrouter_fan_out_connections histogram\n"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_fan_out_connections_count 3"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_fan_out_connections_sum 103"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_fan_out_connections_bucket{le=\"2\"} 0"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_fan_out_connections_bucket{le=\"5\"} 1"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_fan_out_connections_bucket{le=\"50\"} 3"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_fan_out_connections_bucket{le=\"+Inf\"} 3"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_delivery_seconds_count 4"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_ping_seconds_count 0"));
}

TEST(MetricsTest, LoadOfTheLoopsIsShown) {
  const Stats stats = MakeStats();
  const auto load = [] {
    return LoopLoad{
        .lag = absl::Milliseconds(250), .mailbox_messages = 9, .mailbox_messages_max = 7};
  };
  const std::string text = MetricsText(StatsMetrics(stats, nullptr, load));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_loop_lag_seconds 0.25"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_mailbox_messages 9"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_mailbox_messages_max 7"));
}

TEST(MetricsTest, TheProcessIsShownUnderTheUsualNames) {
  const Stats stats = MakeStats();
  const std::string text = MetricsText(StatsMetrics(stats));
  for (const char* name : {"process_cpu_seconds_total", "process_open_fds", "process_max_fds",
                           "process_resident_memory_bytes", "process_virtual_memory_bytes"}) {
    const size_t at = text.find(std::string("\n") + name + " ");
    ASSERT_NE(at, std::string::npos) << name;
    EXPECT_GT(std::stod(text.substr(text.find(' ', at))), 0) << name;
  }
  EXPECT_THAT(text, HasSubstr("\nprocess_start_time_seconds 1.5"));
}

TEST(MetricsTest, TextHasTheValues) {
  Stats stats = MakeStats();
  stats.AddCounters().Add(Counter::kSendToClient, 7);
  Gauges& gauges = stats.AddGauges();
  gauges.connections = 3;
  gauges.owned = 1;
  gauges.members = 2;
  const std::string text = MetricsText(StatsMetrics(stats));
  EXPECT_THAT(text, HasSubstr("# HELP wsrouter_send_to_client_total Pushes to a client.\n"
                              "# TYPE wsrouter_send_to_client_total counter\n"
                              "wsrouter_send_to_client_total 7"));
  EXPECT_THAT(text, HasSubstr("# TYPE wsrouter_connections gauge\nwsrouter_connections 3"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_connections_unowned 2"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_room_members 2"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_rooms 0"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_outbox_bytes 0"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_start_time_seconds 1.5"));
  EXPECT_THAT(text, HasSubstr("\nwsrouter_build_info{version=\"0.1.0\"} 1"));
}

TEST(MetricsTest, EndOfACertificateIsShownForThePortsThatHaveOne) {
  Stats stats = MakeStats();
  EXPECT_THAT(MetricsText(StatsMetrics(stats)), Not(HasSubstr("certificate")));
  stats.SetCertificateExpiry(ListeningPort::kControl, absl::FromUnixSeconds(1'900'000'000));
  const std::string text = MetricsText(StatsMetrics(stats));
  EXPECT_THAT(text,
              HasSubstr("\nwsrouter_certificate_expiry_seconds{port=\"control\"} 1900000000"));
  EXPECT_THAT(text, Not(HasSubstr("gateway")));
}

TEST(MetricsTest, ALargeCounterLosesNothing) {
  Stats stats = MakeStats();
  stats.AddCounters().Add(Counter::kBytesOut, 1'234'567'890'123);
  const std::string text = MetricsText(StatsMetrics(stats));
  const std::string name = "\nwsrouter_bytes_out_total ";
  const size_t at = text.find(name);
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(std::stod(text.substr(at + name.size())), 1'234'567'890'123.0);
}

}  // namespace
}  // namespace wsrouter
