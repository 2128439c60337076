#include "gateway/pressure.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// Of version 1, where there is no limit.
constexpr uint64_t kUnlimited = uint64_t{1} << 60;

uint64_t ReadLimit(const std::string& file) {
  std::ifstream stream(file);
  std::string text;
  uint64_t limit = 0;
  if (!(stream >> text) || !absl::SimpleAtoi(text, &limit)) return 0;  // "max" is no number
  return limit < kUnlimited ? limit : 0;
}

}  // namespace

std::optional<absl::Duration> Pressure::TakeUpgrade(absl::Duration uptime) {
  const TokenRate upgrades = upgrades_.Get();
  int64_t seen = full_at_.load(std::memory_order_relaxed);
  while (true) {
    int64_t full_at = seen;
    if (!upgrades.Take(full_at, uptime)) break;
    if (full_at_.compare_exchange_weak(seen, full_at, std::memory_order_relaxed)) {
      return std::nullopt;
    }
  }
  const int64_t now = absl::ToInt64Nanoseconds(uptime);
  const int64_t first = now + absl::ToInt64Nanoseconds(kRetryMin);
  const int64_t last = now + absl::ToInt64Nanoseconds(kRetryMax);
  int64_t place = next_place_.load(std::memory_order_relaxed);
  int64_t next = 0;
  do {
    // A full queue begins anew: its end would be a time at which all of them come.
    next = place >= last ? first : std::max(place, first) + upgrades.interval();
  } while (!next_place_.compare_exchange_weak(place, next, std::memory_order_relaxed));
  return absl::Nanoseconds(next - now);
}

uint64_t ResidentMemory() {
  std::ifstream stream("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  if (!(stream >> total >> resident)) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t MemoryOfControlGroup() {
  // Inside a container the group's own files are at the root; outside, /proc says where they are.
  std::string group;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.starts_with("0::/")) group = line.substr(3);
  }
  for (const std::string& file :
       {fmt::format("/sys/fs/cgroup{}/memory.max", group), std::string("/sys/fs/cgroup/memory.max"),
        std::string("/sys/fs/cgroup/memory/memory.limit_in_bytes")}) {
    if (const uint64_t limit = ReadLimit(file); limit > 0) return limit;
  }
  return 0;
}

}  // namespace wsrouter
