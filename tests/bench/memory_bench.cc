// What an idle connection costs: resident memory of the server process at 10,000 connections.
#include <cstdio>
#include <string>
#include <vector>

#include "tests/bench/bench_gateway.h"
#include "tests/bench/readers.h"

namespace wsrouter {
namespace {

constexpr uint32_t kConnections = 10'000;

void Print(const char* state, uint64_t before) {
  const double each = static_cast<double>(ResidentBytes() - before) / kConnections;
  printf("memory  %u connections  %-34s %6.0f octets each\n", kConnections, state, each);
}

void MeasureAll(Readers& readers) {
  BenchGateway server;
  readers.Open(server.port(), 100, true);  // the first ones pay for what all share
  server.TakeConnected(100);
  const uint64_t before = ResidentBytes();
  readers.Open(server.port(), kConnections, true);
  const std::vector<ConnectionId> connected = server.TakeConnected(kConnections);
  Print("open, not owned", before);
  for (const ConnectionId& id : connected) {  // one by one: what a burst needs is not measured here
    const std::string number = std::to_string(id.counter);
    server.Ask({{id, Own{.client = {"client-" + number},
                         .rooms = {RoomName{"room-" + std::to_string(id.counter % 100)}}}}});
  }
  Print("owned by a client each, in a room", before);
}

}  // namespace
}  // namespace wsrouter

int main() {
  wsrouter::RaiseDescriptorLimit();
  wsrouter::Readers readers;
  wsrouter::PinTo(0);
  wsrouter::MeasureAll(readers);
  return 0;
}
