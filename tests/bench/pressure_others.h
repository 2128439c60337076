#ifndef WSROUTER_TESTS_BENCH_PRESSURE_OTHERS_H_
#define WSROUTER_TESTS_BENCH_PRESSURE_OTHERS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/pressure_node.h"

namespace wsrouter {

// How long something took, in microseconds.
struct Quantiles {
  double p50;
  double p99;
  uint64_t count;
};

struct OthersReport {
  Quantiles delivery;  // from when a push was due until the frame was read
  Quantiles upgrade;   // from connect to the 101
  uint64_t lost;       // pushes that failed, and frames that did not come
};

// Everybody who is to pay for nobody: twenty clients in the room "others", to which a service
// pushes 200 times a second over gRPC; each of them sends ten messages a second; and, where wanted,
// twenty times a second somebody connects anew. Paced by the clock, so what is late counts from
// when it was due.
//
// In a process of its own on the second core, which it has before all that runs there at an
// ordinary priority, where it may.
class Others {
 public:
  static constexpr uint32_t kMembers = 20;
  static constexpr int kPushesPerSecond = 200;

  struct Traffic {
    uint32_t push_bytes = 128;
    uint32_t message_bytes = 128;
    bool upgrades = true;
  };

  Others(const NodePorts& ports, const Traffic& traffic);

  // Goes on for so long, and says how it went. `meanwhile` runs every tenth of a second.
  OthersReport Measure(
      uint32_t milliseconds, const std::function<void()>& meanwhile = [] {});

 private:
  struct Pipe {
    Pipe();
    ~Pipe();
    int ends[2];
  };

  Pipe commands_;
  Child child_;
};

// Of a service: makes the connections of these local ports clients' in `room`.
void OwnByPort(uint16_t control, const std::vector<uint16_t>& local_ports, const std::string& room);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_BENCH_PRESSURE_OTHERS_H_
