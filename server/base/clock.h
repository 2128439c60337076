#ifndef WSROUTER_BASE_CLOCK_H_
#define WSROUTER_BASE_CLOCK_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace wsrouter {

// One reading of both kinds of time. `wall` dates things for people and compares with dates that
// came from outside; `uptime` measures every interval, since nobody can set it.
struct Instant {
  absl::Time wall = absl::UnixEpoch();
  absl::Duration uptime = absl::ZeroDuration();
};

// The only source of time in the process; everything else gets an Instant as an argument.
// May be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant Now() const override {
    timespec monotonic{};
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return {.wall = absl::Now(), .uptime = absl::DurationFromTimespec(monotonic)};
  }
};

}  // namespace wsrouter

#endif  // WSROUTER_BASE_CLOCK_H_
