#include "gateway/pressure.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>

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

// The smallest limit of a group and those that it is in, up to `root`.
uint64_t SmallestLimit(const std::string& root, std::string group, std::string_view file) {
  uint64_t smallest = 0;
  while (true) {
    const uint64_t limit = ReadLimit(fmt::format("{}{}/{}", root, group, file));
    if (limit > 0 && (smallest == 0 || limit < smallest)) smallest = limit;
    if (group.empty()) return smallest;
    const size_t parent = group.rfind('/');
    group.resize(parent == std::string::npos ? 0 : parent);
  }
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

void GiveMemoryBack() { (void)malloc_trim(0); }

uint64_t MemoryOfControlGroup(const std::string& groups_file, const std::string& root) {
  // "<number>:<controllers>:<path>". Inside a container the group's own files are at the root, and
  // the path is one that is not there.
  std::ifstream groups(groups_file);
  std::string unified;
  std::string memory;
  for (std::string line; std::getline(groups, line);) {
    const size_t path = line.find(':', line.find(':') + 1);
    if (path == std::string::npos) continue;
    if (line.starts_with("0::")) unified = line.substr(path + 1);
    if (line.find(":memory:") < path) memory = line.substr(path + 1);
  }
  const uint64_t limit = SmallestLimit(root, unified, "memory.max");
  return limit > 0 ? limit : SmallestLimit(root + "/memory", memory, "memory.limit_in_bytes");
}

}  // namespace wsrouter
