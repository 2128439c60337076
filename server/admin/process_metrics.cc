#include "admin/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "admin/metric_family.h"

namespace wsrouter {
namespace {

using prometheus::MetricFamily;

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void AddMemory(std::vector<MetricFamily>& families) {
  uint64_t virtual_pages = 0;
  uint64_t resident_pages = 0;
  if (!(std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages)) return;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  families.push_back(GaugeFamily("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                                 static_cast<double>(virtual_pages) * page));
  families.push_back(GaugeFamily("process_resident_memory_bytes", "Resident memory size in bytes.",
                                 static_cast<double>(resident_pages) * page));
}

void AddDescriptors(std::vector<MetricFamily>& families) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.push_back(GaugeFamily("process_max_fds", "Maximum number of open file descriptors.",
                                   static_cast<double>(limit.rlim_cur)));
  }
  std::error_code error;
  uint64_t open = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++open;
  }
  if (error || open == 0) return;
  // The one that lists them does not count.
  families.push_back(GaugeFamily("process_open_fds", "Number of open file descriptors.",
                                 static_cast<double>(open - 1)));
}

}  // namespace

void AddProcess(absl::Time started_at, std::vector<MetricFamily>& families) {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    families.push_back(CounterFamily("process_cpu_seconds_total",
                                     "Total user and system CPU time spent in seconds.",
                                     Seconds(usage.ru_utime) + Seconds(usage.ru_stime)));
  }
  AddMemory(families);
  AddDescriptors(families);
  families.push_back(GaugeFamily("process_start_time_seconds",
                                 "Start time of the process since unix epoch in seconds.",
                                 absl::ToDoubleSeconds(started_at - absl::UnixEpoch())));
}

}  // namespace wsrouter
