// What 10,000 idle connections cost with Pings on, and how fast they come back at once, twice.
#include <cstdio>
#include <thread>

#include "tests/bench/bench_gateway.h"
#include "tests/bench/readers.h"

namespace wsrouter {
namespace {

constexpr uint32_t kIdle = 10'000;
constexpr uint32_t kRounds = 2;
constexpr absl::Duration kPingInterval = absl::Seconds(25);  // the gateway's default

void Wait(absl::Duration time) { std::this_thread::sleep_for(absl::ToChronoMilliseconds(time)); }

void MeasureIdle(Readers& readers) {
  BenchGateway server;
  readers.Open(server.port(), kIdle, true);
  server.TakeConnected(kIdle);
  Wait(kPingInterval);  // by then most have been pinged once
  const uint64_t octets = readers.octets();
  const double begin = CpuMicroseconds();
  Wait(kPingInterval);
  const double share = (CpuMicroseconds() - begin) / absl::ToDoubleMicroseconds(kPingInterval);
  const auto pings = static_cast<double>(readers.octets() - octets) / 2;
  printf("idle    %u connections, %.0f Pings a second: %.2f %% of a core; closed meanwhile: %lu\n",
         kIdle, pings / absl::ToDoubleSeconds(kPingInterval), 100 * share,
         static_cast<unsigned long>(server.stats().Total(Counter::kConnectionsClosed)));
  readers.CloseAll();
}

void MeasureStorm(Readers& readers) {
  BenchGateway server;
  readers.Open(server.port(), kIdle, true);
  server.TakeConnected(kIdle);
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  const double cpu = CpuMicroseconds();
  for (uint32_t round = 0; round < kRounds; ++round) {
    readers.CloseAll();
    readers.Open(server.port(), kIdle, true);
    server.TakeConnected(kIdle);
  }
  constexpr uint32_t kReconnects = kRounds * kIdle;
  printf("storm   %u connections cut and opened again: %.1f s, %.0f us of CPU each\n", kReconnects,
         absl::ToDoubleSeconds(clock.Now().uptime - begin),
         (CpuMicroseconds() - cpu) / kReconnects);
}

}  // namespace
}  // namespace wsrouter

int main() {
  wsrouter::RaiseDescriptorLimit();
  wsrouter::Readers readers;
  wsrouter::PinTo(0);
  wsrouter::MeasureIdle(readers);
  wsrouter::MeasureStorm(readers);
  return 0;
}
