#include "admin/control_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "admin/metrics.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ControlMetricsTest, WhatOccurredIsShownByMethodAndOutcome) {
  const Stats stats({.server_id = "gw-1", .incarnation = 1}, "0.1.0", absl::UnixEpoch());
  ControlMeasures measures({"a.Router/Push", "other"}, {"Connect"});
  measures.calls.Add(0, static_cast<size_t>(CallOutcome::kRefused), absl::Milliseconds(3));
  measures.questions.Add(0, static_cast<size_t>(QuestionOutcome::kLate), absl::Seconds(5));
  measures.watchers = 2;
  const std::string text = MetricsText(StatsMetrics(stats, nullptr, {}, &measures));
  EXPECT_THAT(text, HasSubstr("wsrouter_rpc_seconds_bucket{method=\"a.Router/Push\","
                              "outcome=\"refused\",le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("wsrouter_rpc_seconds_bucket{method=\"a.Router/Push\","
                              "outcome=\"refused\",le=\"0.0025\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("wsrouter_backend_question_seconds_sum{method=\"Connect\","
                              "outcome=\"late\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("wsrouter_watchers 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("method=\"other\"")));
  EXPECT_THAT(text, Not(HasSubstr("outcome=\"ok\"")));
}

TEST(ControlMetricsTest, GroupsOfTheEventLogAreShownByName) {
  const Stats stats({.server_id = "gw-1", .incarnation = 1}, "0.1.0", absl::UnixEpoch());
  ControlMeasures measures({"a.Router/Push", "other"}, {"Connect"});
  const StatsMetrics metrics(stats, nullptr, {}, &measures);
  EXPECT_FALSE(measures.log_groups.TakeTurn()) << "nobody reads";
  EXPECT_THAT(MetricsText(metrics), HasSubstr("# TYPE wsrouter_log_group_lag gauge\n"));
  for (int turn = 0; turn < LogGroupBoard::kTurnsARead; ++turn) {
    EXPECT_TRUE(measures.log_groups.TakeTurn());
  }
  measures.log_groups.Write(
      {{.name = "a \"b\"", .lag = 7, .pending = 3, .dead = 2, .consumers = 1, .lost = 9}});
  const std::string text = MetricsText(metrics);
  EXPECT_THAT(text, HasSubstr("wsrouter_log_group_lag{group=\"a \\\"b\\\"\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("wsrouter_log_group_pending{group=\"a \\\"b\\\"\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("wsrouter_log_group_dead_letters{group=\"a \\\"b\\\"\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("wsrouter_log_group_consumers{group=\"a \\\"b\\\"\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("wsrouter_log_group_lost_total{group=\"a \\\"b\\\"\"} 9\n"));
  for (int turn = 0; turn < LogGroupBoard::kTurnsARead; ++turn) {
    EXPECT_TRUE(measures.log_groups.TakeTurn());
  }
  EXPECT_FALSE(measures.log_groups.TakeTurn());
  EXPECT_THAT(MetricsText(metrics), Not(HasSubstr("wsrouter_log_group_lag{"))) << "it is old";
}

TEST(ControlMetricsTest, AFamilyThatNothingOccurredOfIsThere) {
  const Stats stats({.server_id = "gw-1", .incarnation = 1}, "0.1.0", absl::UnixEpoch());
  const ControlMeasures measures({"a.Router/Push", "other"}, {"Connect"});
  const std::string text = MetricsText(StatsMetrics(stats, nullptr, {}, &measures));
  EXPECT_THAT(text, HasSubstr("# TYPE wsrouter_rpc_seconds histogram\n"));
  EXPECT_THAT(text, Not(HasSubstr("wsrouter_rpc_seconds_count")));
}

}  // namespace
}  // namespace wsrouter
