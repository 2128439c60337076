// What a delivery costs: a room of 1000 members on one core, beside the least that any server can
// do, a loop of send() with octets that were joined beforehand. See README.md beside this file.
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/bench_gateway.h"
#include "tests/bench/readers.h"

namespace wsrouter {
namespace {

constexpr uint32_t kMembers = 1000;
constexpr size_t kPayloadBytes = 128;
constexpr int kRounds = 9;

struct Cost {
  double micros_per_delivery;
  double frames_per_write;
};

class BareServer {
 public:
  explicit BareServer(Readers& readers) : readers_(readers) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(listener, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener, kMembers);
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    readers.Open(ntohs(address.sin_port), kMembers, false);
    for (uint32_t i = 0; i < kMembers; ++i) sockets_.push_back(accept(listener, nullptr, nullptr));
    close(listener);
  }
  ~BareServer() {
    for (const int fd : sockets_) close(fd);
  }

  Cost Burst(const std::string& joined, int frames, int bursts) {
    const double before = CpuMicroseconds();
    for (int burst = 0; burst < bursts; ++burst) {
      const uint64_t expected = readers_.octets() + joined.size() * sockets_.size();
      for (const int fd : sockets_) {
        if (send(fd, joined.data(), joined.size(), 0) < 0) perror("send");
      }
      readers_.AwaitOctets(expected);
    }
    const double deliveries = static_cast<double>(kMembers) * frames * bursts;
    return {(CpuMicroseconds() - before) / deliveries, static_cast<double>(frames)};
  }

 private:
  Readers& readers_;
  std::vector<int> sockets_;
};

class RoutedServer {
 public:
  explicit RoutedServer(Readers& readers) : readers_(readers) {
    readers.Open(server_.port(), kMembers, true);
    std::vector<Envelope> owns;
    for (const ConnectionId& id : server_.TakeConnected(kMembers)) {
      owns.push_back({id, Own{.client = {"client" + std::to_string(id.counter)},
                              .rooms = {RoomName{"room"}}}});
    }
    server_.Ask(std::move(owns));
  }

  const Measures& measures() const { return server_.measures(); }

  Cost Burst(const std::string& payload, int frames, int bursts) {
    const uint64_t writes = server_.stats().Total(Counter::kWrites);
    const double before = CpuMicroseconds();
    for (int burst = 0; burst < bursts; ++burst) {
      const size_t wire = Frame::Make(Opcode::kText, payload)->wire().size();
      const uint64_t expected = readers_.octets() + wire * static_cast<size_t>(frames) * kMembers;
      std::vector<Envelope> pushes;
      for (int i = 0; i < frames; ++i) {
        pushes.push_back({RoomName{"room"}, Deliver{.frame = Frame::Make(Opcode::kText, payload)}});
      }
      server_.Ask(std::move(pushes));
      readers_.AwaitOctets(expected);
    }
    const double cpu = CpuMicroseconds() - before;
    const double deliveries = static_cast<double>(kMembers) * frames * bursts;
    const auto written = static_cast<double>(server_.stats().Total(Counter::kWrites) - writes);
    return {cpu / deliveries, deliveries / written};
  }

 private:
  Readers& readers_;
  BenchGateway server_;
};

// How long the shard's loop does not look at its sockets, and how long deliveries take, under a
// steady load of 100,000 deliveries a second.
void MeasureLag(RoutedServer& routed) {
  constexpr int kPushesPerSecond = 100'000 / kMembers;
  constexpr int kPushes = 3 * kPushesPerSecond;
  const Measures& measures = routed.measures();
  const Histogram::Reading turns = measures.Read(Measure::kTurn);
  const Histogram::Reading deliveries = measures.Read(Measure::kDelivery);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kPushes; ++i) {
    std::this_thread::sleep_until(begin +
                                  i * std::chrono::microseconds(1'000'000) / kPushesPerSecond);
    routed.Burst(std::string(kPayloadBytes, 'x'), 1, 1);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const Histogram::Reading turns_then = measures.Read(Measure::kTurn);
  const Histogram::Reading deliveries_then = measures.Read(Measure::kDelivery);
  const auto micros = [&](Measure measure, double quantile) {
    const bool turn = measure == Measure::kTurn;
    return 1e6 * QuantileBound(measure, turn ? turns : deliveries,
                               turn ? turns_then : deliveries_then, quantile);
  };
  printf(
      "lag     %.0f deliveries/s  loop turn p50 <= %.0f us p99 <= %.0f us  "
      "delivery p50 <= %.0f us p99 <= %.0f us\n",
      static_cast<double>(deliveries_then.count() - deliveries.count()) / seconds,
      micros(Measure::kTurn, 0.5), micros(Measure::kTurn, 0.99), micros(Measure::kDelivery, 0.5),
      micros(Measure::kDelivery, 0.99));
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void Compare(BareServer& bare, RoutedServer& routed, int frames) {
  const std::string payload(kPayloadBytes, 'x');
  std::string joined;
  for (int i = 0; i < frames; ++i) joined += Frame::Make(Opcode::kText, payload)->wire();
  const int bursts = std::max(10, 60 / frames);
  std::vector<double> bare_cost;
  std::vector<double> routed_cost;
  std::vector<double> ratio;
  std::vector<double> frames_per_write;
  for (int round = 0; round < kRounds; ++round) {
    const Cost floor = bare.Burst(joined, frames, bursts);
    const Cost cost = routed.Burst(payload, frames, bursts);
    bare_cost.push_back(floor.micros_per_delivery);
    routed_cost.push_back(cost.micros_per_delivery);
    ratio.push_back(cost.micros_per_delivery / floor.micros_per_delivery);
    frames_per_write.push_back(cost.frames_per_write);
  }
  printf(
      "fanout  frames/turn %2d  frames/write %5.2f  wsrouter %6.3f us  bare send %6.3f us  "
      "ratio %.3f [%.3f-%.3f]\n",
      frames, Median(frames_per_write), Median(routed_cost), Median(bare_cost), Median(ratio),
      *std::ranges::min_element(ratio), *std::ranges::max_element(ratio));
}

}  // namespace
}  // namespace wsrouter

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  wsrouter::RaiseDescriptorLimit();
  wsrouter::Readers readers;
  wsrouter::PinTo(0);
  // The publisher outranks the shard, which it shares the core with: so a burst is complete before
  // the shard's turn begins, and "frames a turn" means what it says. Without the right to do so,
  // the printed frames/write tells.
  wsrouter::BareServer bare(readers);
  wsrouter::RoutedServer routed(readers);
  const sched_param priority = {.sched_priority = 1};
  (void)sched_setscheduler(0, SCHED_FIFO, &priority);
  for (const int frames : {1, 8, 32}) Compare(bare, routed, frames);
  MeasureLag(routed);
  return 0;
}
