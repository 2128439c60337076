// What everybody else pays for clients and callers that are slow, hostile or huge: how long their
// deliveries and upgrades take without and with these, one phase after the other at the same node,
// and what these cost the node in memory. See README.md beside this file.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/pressure_node.h"
#include "tests/bench/pressure_offenders.h"
#include "tests/bench/pressure_others.h"
#include "tests/bench/readers.h"

namespace wsrouter {
namespace {

constexpr int kRounds = 3;
constexpr uint32_t kWarmMilliseconds = 1000;
constexpr uint32_t kIdleMilliseconds = 5000;
constexpr double kMebi = 1024.0 * 1024.0;

struct Scenario {
  const char* name;
  Offender offender;
  uint32_t pressed_seconds = 5;
  std::vector<std::string> settings = {};
  std::vector<const char*> metrics = {};  // of how many there are more than before
  Others::Traffic traffic = {};
  double memory_bound = 0;  // octets that the offenders may cost by configuration
  uint64_t descriptors = 0;
};

const Scenario kScenarios[] = {
    {.name = "200 that never read",
     .offender = NeverRead,
     .pressed_seconds = 25,
     .settings = {"limits.slow_consumer_bytes=256KiB", "limits.payload_bytes_max=64KiB"},
     .metrics = {"pushes_dropped_slow_consumer_total", "closed_slow_age_total"},
     .traffic = {.push_bytes = 2048},
     .memory_bound = 200 * 256 * 1024.0},
    {.name = "10,000 frames/s of one",
     .offender = SendTooMuch,
     .metrics = {"closed_rate_limited_total"}},
    {.name = "Pings without end",
     .offender = PingWithoutEnd,
     .metrics = {"closed_rate_limited_total"}},
    {.name = "garbage",
     .offender = SendGarbage,
     .metrics = {"closed_protocol_error_total", "upgrades_refused_total"}},
    {.name = "1,000 heads in octets",
     .offender = NeverFinishTheirHead,
     .pressed_seconds = 15,
     .metrics = {"upgrades_refused_total", "accepts_refused_total"}},
    {.name = "400 for 256 descriptors",
     .offender = WantToStay,
     .settings = {"limits.connects_per_address_rate=0"},
     .metrics = {"accept_pauses_total"},
     .traffic = {.upgrades = false},  // there is no place for anybody
     .descriptors = 256},
    {.name = "200 streams unread",
     .offender = WatchWithoutReading,
     .pressed_seconds = 10,
     .settings = {"control.watchers_max=1000", "backend.routes=/asked attached",
                  "control.watch_queue_bytes_max=256KiB", "gateway.message_bytes_max=32KiB"},
     .metrics = {"events_missed_total"},
     .traffic = {.message_bytes = 4096},
     .memory_bound = 160 * 256 * 1024.0},
    {.name = "200 streams stopped",
     .offender = WatchAndStop,
     .pressed_seconds = 10,
     .settings = {"control.watchers_max=1000", "backend.routes=/asked attached",
                  "control.watch_queue_bytes_max=256KiB", "gateway.message_bytes_max=32KiB"},
     .metrics = {"events_missed_total"},
     .traffic = {.message_bytes = 4096},
     .memory_bound = 160 * 256 * 1024.0},
    {.name = "64 KiB to a room of 1,000",
     .offender = PushToAHugeRoom,
     .settings = {"limits.outbox_budget=256MiB"},
     .metrics = {"pushes_dropped_slow_consumer_total", "closed_slow_consumer_total"},
     .memory_bound = 256 * kMebi},
    {.name = "64 KiB to nobody", .offender = PushToNobody},
};

struct Round {
  OthersReport idle;
  OthersReport pressed;
  double memory;  // octets more than before, at most
  double cpu;     // of a core, while pressed
  std::vector<double> metrics;
};

Round Run(const Scenario& scenario) {
  NodeProcess node(scenario.settings, scenario.descriptors);
  Others others(node.ports(), scenario.traffic);
  others.Measure(kWarmMilliseconds);
  Round round = {.idle = others.Measure(kIdleMilliseconds)};
  const auto before = static_cast<double>(node.ResidentBytes());
  const double cpu = node.CpuSeconds();
  for (const char* metric : scenario.metrics) round.metrics.push_back(-node.Metric(metric));
  const Child offender(1, [&](int ready) { scenario.offender(node.ports(), ready); });
  char set_up = 0;
  offender.Read(&set_up, 1);
  round.pressed = others.Measure(1000 * scenario.pressed_seconds, [&] {
    round.memory = std::max(round.memory, static_cast<double>(node.ResidentBytes()) - before);
  });
  round.cpu = (node.CpuSeconds() - cpu) / scenario.pressed_seconds;
  for (size_t i = 0; i < scenario.metrics.size(); ++i) {
    round.metrics[i] += node.Metric(scenario.metrics[i]);
  }
  return round;
}

double Median(const std::vector<Round>& rounds, const std::function<double(const Round&)>& value) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(value(round));
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void PrintTimes(const char* what, const std::vector<Round>& rounds,
                Quantiles OthersReport::*times) {
  const auto median = [&](OthersReport Round::*phase, double Quantiles::*quantile) {
    return Median(rounds, [=](const Round& round) { return round.*phase.*times.*quantile; });
  };
  const auto ratio = [&](double Quantiles::*quantile) {
    return Median(rounds, [=](const Round& round) {
      return round.pressed.*times.*quantile / (round.idle.*times.*quantile);
    });
  };
  printf("          %-8s  p50 %7.0f us -> %7.0f us (x%.2f)   p99 %7.0f us -> %7.0f us (x%.2f)\n",
         what, median(&Round::idle, &Quantiles::p50), median(&Round::pressed, &Quantiles::p50),
         ratio(&Quantiles::p50), median(&Round::idle, &Quantiles::p99),
         median(&Round::pressed, &Quantiles::p99), ratio(&Quantiles::p99));
}

void Print(const Scenario& scenario, const std::vector<Round>& rounds) {
  printf("pressure  %s\n", scenario.name);
  PrintTimes("delivery", rounds, &OthersReport::delivery);
  if (scenario.traffic.upgrades) PrintTimes("upgrade", rounds, &OthersReport::upgrade);
  printf("          lost to the others %.0f -> %.0f; CPU %.0f %% of a core; memory +%.1f MiB",
         Median(rounds, [](const Round& round) { return static_cast<double>(round.idle.lost); }),
         Median(rounds, [](const Round& round) { return static_cast<double>(round.pressed.lost); }),
         100 * Median(rounds, [](const Round& round) { return round.cpu; }),
         Median(rounds, [](const Round& round) { return round.memory; }) / kMebi);
  if (scenario.memory_bound > 0) printf(" (bound %.0f MiB)", scenario.memory_bound / kMebi);
  for (size_t i = 0; i < scenario.metrics.size(); ++i) {
    printf("; %s +%.0f", scenario.metrics[i],
           Median(rounds, [i](const Round& round) { return round.metrics[i]; }));
  }
  printf("\n");
}

// Of the scenarios whose names contain `wanted`.
void RunAll(const std::string& wanted) {
  for (const Scenario& scenario : kScenarios) {
    if (strstr(scenario.name, wanted.c_str()) == nullptr) continue;
    std::vector<Round> rounds;
    for (int i = 0; i < kRounds; ++i) rounds.push_back(Run(scenario));
    Print(scenario, rounds);
  }
}

}  // namespace
}  // namespace wsrouter

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  wsrouter::RaiseDescriptorLimit();
  wsrouter::RunAll(argc > 1 ? argv[1] : "");
  return 0;
}
