#ifndef WSROUTER_GATEWAY_LOOP_LAG_H_
#define WSROUTER_GATEWAY_LOOP_LAG_H_

#include <algorithm>

#include "absl/time/time.h"

namespace wsrouter {

// How late a loop comes to its ticks, smoothed over some four of them: what everybody on the loop
// waits for everybody else. Owned by the loop's thread.
class LoopLag {
 public:
  // `max` zero: never too much.
  LoopLag(absl::Duration max, absl::Duration tick, absl::Duration uptime)
      : max_(max), tick_(tick), last_(uptime) {}

  void SetMax(absl::Duration max) { max_ = max; }

  void Tick(absl::Duration uptime) {
    const absl::Duration late = std::max(absl::ZeroDuration(), uptime - last_ - tick_);
    last_ = uptime;
    smoothed_ += (late - smoothed_) / 4;
    // Ends at half, so that a loop at the limit does not take and refuse by turns.
    too_late_ = max_ > absl::ZeroDuration() && smoothed_ > (too_late_ ? max_ / 2 : max_);
  }

  bool too_late() const { return too_late_; }
  absl::Duration smoothed() const { return smoothed_; }

 private:
  absl::Duration max_;
  const absl::Duration tick_;
  absl::Duration last_;
  absl::Duration smoothed_;
  bool too_late_ = false;
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_LOOP_LAG_H_
