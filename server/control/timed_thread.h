#ifndef WSROUTER_CONTROL_TIMED_THREAD_H_
#define WSROUTER_CONTROL_TIMED_THREAD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace wsrouter {

// A thread that does what it is handed, one behind the other, and what was put off when it is due.
// What only its tasks touch needs no lock.
class TimedThread {
 public:
  using Task = absl::AnyInvocable<void() &&>;
  // When it is due, and a number that tells it from others that are due then.
  using Timer = std::pair<absl::Duration, uint64_t>;

  TimedThread(const Clock& clock, size_t tasks_max);
  ~TimedThread() { End(); }
  TimedThread(const TimedThread&) = delete;

  // False when as much waits as may: `task` is left as it was. Any thread.
  [[nodiscard]] bool Post(Task&& task) { return Add(std::move(task), tasks_max_); }
  // For what is bounded by what was posted. Any thread.
  void PostAnswer(Task&& task) { (void)Add(std::move(task), SIZE_MAX); }

  // These two on the thread itself. A timer that has run, or was dropped, may be dropped again.
  Timer After(absl::Duration delay, Task task);
  void Drop(const Timer& timer) { timers_.erase(timer); }

  // Does nothing any more behind what it does now; what waits is dropped, and so is what is handed
  // to it later. May be repeated; on another thread.
  void End();

 private:
  bool Add(Task&& task, size_t tasks_max);
  void Run();
  // Runs what is due. Returns how long the thread may sleep.
  absl::Duration RunTimers();

  const Clock& clock_;
  const size_t tasks_max_;
  std::map<Timer, Task> timers_;  // the thread's
  uint64_t last_timer_ = 0;       // the thread's
  absl::Mutex mutex_;
  absl::CondVar changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_TIMED_THREAD_H_
