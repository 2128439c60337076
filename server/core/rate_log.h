#ifndef WSROUTER_CORE_RATE_LOG_H_
#define WSROUTER_CORE_RATE_LOG_H_

#include <deque>
#include <functional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/strings.h"
#include "core/rate_limit.h"

namespace wsrouter {

// Remembers when the last pushes of each room and each sender were allowed, and allows the next.
//
// A log holds the times of the last n that were allowed, oldest first. A push is allowed if the log
// has fewer than n times, or if the n-th from its end is at least a window ago. So of any n + 1
// that were allowed one behind the other, the last is at least a window behind the first, and no
// window [t, t + length), wherever it begins, can hold more than n. The test is exact in the other
// direction, too: a push that is refused would have been the n + 1st of the window that ends with
// it. What is refused is not remembered, and costs the log nothing.
//
// Where a limit changes, what the log has counts on: the first window behind that may hold what the
// old limit allowed. A log goes when its last time is a window ago. A step costs a hash lookup a
// log; memory is a time for each push of the last window. Where there are more than `logs_max`, the
// one that would go first is forgotten, in favour of whose it is and in nobody's disfavour. Not for
// several threads at a time.
class RateLog {
 public:
  static constexpr size_t kLogsMax = 1'000'000;

  explicit RateLog(size_t logs_max = kLogsMax) : logs_max_(logs_max) {}

  // Charges both parts of `charge`, or, where one is used up, none: the sender's is asked first.
  // `now` never goes back.
  RateVerdict Spend(const RateCharge& charge, absl::Duration now);

  size_t size() const { return logs_.size(); }

 private:
  struct Log {
    std::deque<absl::Duration> times;
    absl::Duration window;
  };
  using Due = std::pair<absl::Duration, std::string>;

  // How long until the part has one left; zero or less: it has now.
  absl::Duration Wait(const RateCharge::Part& part, absl::Duration now) const;
  void Remember(const RateCharge::Part& part, absl::Duration now);
  void Forget(absl::Duration now);

  size_t logs_max_;
  StringMap<Log> logs_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;  // one entry a log
};

// A log of a node, by the node's clock. Any thread: one at a time, for the step itself, which is a
// fraction of a microsecond; all who are charged on the node share it.
class SharedRateLog {
 public:
  explicit SharedRateLog(const Clock& clock) : clock_(clock) {}

  RateVerdict Spend(const RateCharge& charge) {
    absl::MutexLock lock(&mutex_);
    // Read under the lock, so that the log's times come in their order.
    return log_.Spend(charge, clock_.Now().uptime);
  }

 private:
  const Clock& clock_;
  absl::Mutex mutex_;
  RateLog log_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_RATE_LOG_H_
