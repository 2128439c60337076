#include "admin/control_metrics.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "admin/metric_family.h"

namespace wsrouter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily TableFamily(std::string name, std::string_view help, const DurationTable& table) {
  MetricFamily family{.name = std::move(name),
                      .help = std::string(help),
                      .type = MetricType::Histogram,
                      .metric = {}};
  for (size_t method = 0; method < table.methods().size(); ++method) {
    for (size_t outcome = 0; outcome < table.outcomes().size(); ++outcome) {
      const Histogram::Reading reading = table.Read(method, outcome);
      if (reading.count() == 0) continue;
      ClientMetric metric = HistogramMetric(table.bounds(), reading);
      metric.label = {{.name = "method", .value = table.methods()[method]},
                      {.name = "outcome", .value = std::string(table.outcomes()[outcome])}};
      family.metric.push_back(std::move(metric));
    }
  }
  return family;
}

// One figure for each consumer group, of which there are at most EventLog::kGroupsMax.
template <typename Value>
MetricFamily GroupFamily(std::string name, std::string_view help, MetricType type,
                         const std::vector<LogGroup>& groups, Value LogGroup::*value) {
  MetricFamily family{
      .name = std::move(name), .help = std::string(help), .type = type, .metric = {}};
  for (const LogGroup& group : groups) {
    ClientMetric& metric = family.metric.emplace_back();
    const auto figure = static_cast<double>(group.*value);
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = figure;
    metric.label = {{.name = "group", .value = group.name}};
  }
  return family;
}

void AddLogGroups(const std::vector<LogGroup>& groups, std::vector<MetricFamily>& families) {
  const auto add = [&](std::string name, std::string_view help, MetricType type, auto value) {
    families.push_back(GroupFamily(std::move(name), help, type, groups, value));
  };
  add("wsrouter_log_group_lag",
      "Entries of the event log that the group was not handed yet; of the cluster, so the same at "
      "all nodes, as the next. Some seconds old.",
      MetricType::Gauge, &LogGroup::lag);
  add("wsrouter_log_group_pending", "Entries that the group was handed and has not settled.",
      MetricType::Gauge, &LogGroup::pending);
  add("wsrouter_log_group_dead_letters", "Dead letters of the group.", MetricType::Gauge,
      &LogGroup::dead);
  add("wsrouter_log_group_consumers", "Consumers of the group that take entries.",
      MetricType::Gauge, &LogGroup::consumers);
  add("wsrouter_log_group_lost_total",
      "Entries that went, since the log is bounded, before the group had them.",
      MetricType::Counter, &LogGroup::lost);
}

}  // namespace

void AddControl(const ControlMeasures& measures, std::vector<MetricFamily>& families) {
  families.push_back(TableFamily(
      "wsrouter_rpc_seconds",
      "From the arrival of a unary call to its answer. Outcome: ok, refused for what its caller "
      "asked, or failed.",
      measures.calls));
  families.push_back(TableFamily(
      "wsrouter_backend_question_seconds",
      "From a question for a service to its end, the wait for a place included, once an attempt. "
      "Outcome: answered, failed, late, unasked (nobody there, or too much waits), withdrawn (the "
      "client is gone).",
      measures.questions));
  const auto gauge = [&](std::string name, std::string_view help,
                         const std::atomic<uint64_t>& value) {
    families.push_back(GaugeFamily(std::move(name), help,
                                   static_cast<double>(value.load(std::memory_order_relaxed))));
  };
  gauge("wsrouter_rpcs_in_flight", "Unary calls that have no answer yet.",
        measures.calls_in_flight);
  gauge("wsrouter_watchers", "Open streams of Events.Watch.", measures.watchers);
  gauge("wsrouter_subscribers", "Open streams of Events.Subscribe.", measures.subscribers);
  gauge("wsrouter_push_streams", "Open streams of Router.PushStream.", measures.push_streams);
  gauge("wsrouter_backends_attached", "Services that are attached.", measures.services_attached);
  gauge("wsrouter_backends_paused",
        "Services that are left alone for a while, since they failed too often.",
        measures.services_paused);
  gauge("wsrouter_backend_questions_running", "Questions that a service has.",
        measures.questions_running);
  gauge("wsrouter_backend_questions_waiting",
        "Questions that wait for a place, or for another attempt.", measures.questions_waiting);
  AddLogGroups(measures.log_groups.Read(), families);
}

}  // namespace wsrouter
