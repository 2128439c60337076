#ifndef WSROUTER_GATEWAY_PRESSURE_H_
#define WSROUTER_GATEWAY_PRESSURE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gateway/address_limit.h"
#include "gateway/token_rate.h"

namespace wsrouter {

class Pressure;

struct EndHalfOpen {
  AddressKey address;
  void operator()(Pressure* pressure) const;
};
// One of the sockets whose request is not complete; gives its place back at its end.
using HalfOpenPlace = std::unique_ptr<Pressure, EndHalfOpen>;

// What keeps the node from taking more clients than it can serve, seen by the acceptor and all
// shards: how many requests are under way, how many upgrades came, whether memory runs out. Any
// thread; must outlive all places that were given.
class Pressure {
 public:
  struct Options {
    uint32_t half_open_max = UINT32_MAX;
    uint32_t half_open_per_address = 0;  // 0: no limit; the first value stays
    uint64_t memory_max = 0;             // octets; 0: no limit
    uint32_t upgrades_rate = 0;          // a second; 0: no limit
    uint32_t connects_rate = 0;          // of one address, likewise
    uint32_t connects_burst = 1;
  };

  explicit Pressure(const Options& options) : half_open_by_address_(options.half_open_per_address) {
    SetOptions(options);
  }

  // They count from now on, each by itself.
  void SetOptions(const Options& options) {
    half_open_max_.store(options.half_open_max, std::memory_order_relaxed);
    memory_max_.store(options.memory_max, std::memory_order_relaxed);
    upgrades_.Set(options.upgrades_rate, options.upgrades_rate);
    connects_.Set(options.connects_rate, options.connects_burst);
  }

  // How often one address may connect.
  TokenRate connects() const { return connects_.Get(); }

  bool half_open_full() const {
    return half_open_.load(std::memory_order_relaxed) >=
           half_open_max_.load(std::memory_order_relaxed);
  }
  // Null when the address has as many requests under way as it may: so few hosts that send nothing
  // cannot keep all others in the backlog.
  HalfOpenPlace TakeHalfOpen(const AddressKey& address) {
    if (!half_open_by_address_.Enter(address)) return nullptr;
    half_open_.fetch_add(1, std::memory_order_relaxed);
    return HalfOpenPlace(this, {address});
  }

  bool watches_memory() const { return memory_max_.load(std::memory_order_relaxed) > 0; }
  // What the process has now. Ends at 95 %, so that a node at the limit does not take and refuse by
  // turns.
  void SetMemory(uint64_t resident_bytes) {
    memory_short_.store(WouldBeShort(resident_bytes), std::memory_order_relaxed);
  }
  bool WouldBeShort(uint64_t resident_bytes) const {
    const uint64_t max = memory_max_.load(std::memory_order_relaxed);
    const uint64_t end = max / 20 * 19;
    return max > 0 && resident_bytes > (memory_short() ? end : max);
  }
  bool memory_short() const { return memory_short_.load(std::memory_order_relaxed); }

  // Nothing when the upgrade may go on; otherwise after how long to come again. Each who is refused
  // gets the next free place in a queue that the node sets up in thought only, so that those who
  // obey come back at the rate at which they are taken.
  std::optional<absl::Duration> TakeUpgrade(absl::Duration uptime);

 private:
  friend struct EndHalfOpen;

  static constexpr absl::Duration kRetryMin = absl::Seconds(1);
  static constexpr absl::Duration kRetryMax = absl::Seconds(60);

  std::atomic<uint32_t> half_open_max_{UINT32_MAX};
  std::atomic<uint64_t> memory_max_{0};
  SharedRate upgrades_;
  SharedRate connects_;
  std::atomic<uint32_t> half_open_{0};
  AddressLimit half_open_by_address_;
  std::atomic<bool> memory_short_{false};
  std::atomic<int64_t> full_at_{0};     // of upgrades_
  std::atomic<int64_t> next_place_{0};  // nanoseconds of uptime
};

inline void EndHalfOpen::operator()(Pressure* pressure) const {
  pressure->half_open_.fetch_sub(1, std::memory_order_relaxed);
  pressure->half_open_by_address_.Leave(address);
}

// Resident octets of this process; 0 when the system does not say.
uint64_t ResidentMemory();
// The allocator gives the system what is free, wherever it lies. Whoever allocates meanwhile waits
// for it: some 40 ms with 200 MiB of garbage, 500 ms with 2 GiB.
void GiveMemoryBack();
// What the control group of this process and all that it is in may have, in octets; 0: all there
// is, or unknown. Files as proc(5) and cgroups(7) have them.
uint64_t MemoryOfControlGroup(const std::string& groups_file = "/proc/self/cgroup",
                              const std::string& root = "/sys/fs/cgroup");

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_PRESSURE_H_
