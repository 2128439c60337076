#include "control/timed_thread.h"

namespace wsrouter {

TimedThread::TimedThread(const Clock& clock, size_t tasks_max)
    : clock_(clock), tasks_max_(tasks_max), thread_([this] { Run(); }) {}

bool TimedThread::Add(Task&& task, size_t tasks_max) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return true;
  if (tasks_.size() >= tasks_max) return false;
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) changed_.Signal();
  return true;
}

TimedThread::Timer TimedThread::After(absl::Duration delay, Task task) {
  const Timer timer = {clock_.Now().uptime + delay, ++last_timer_};
  timers_.emplace(timer, std::move(task));
  return timer;
}

void TimedThread::End() {
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    changed_.Signal();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  timers_.clear();
  std::vector<Task> dropped;
  absl::MutexLock lock(&mutex_);
  dropped.swap(tasks_);
}

absl::Duration TimedThread::RunTimers() {
  while (!timers_.empty()) {
    const absl::Duration left = timers_.begin()->first.first - clock_.Now().uptime;
    if (left > absl::ZeroDuration()) return left;
    auto due = timers_.extract(timers_.begin());
    std::move(due.mapped())();
  }
  return absl::InfiniteDuration();
}

void TimedThread::Run() {
  std::vector<Task> batch;
  while (true) {
    const absl::Duration patience = RunTimers();
    {
      absl::MutexLock lock(&mutex_);
      if (!ended_ && tasks_.empty()) changed_.WaitWithTimeout(&mutex_, patience);
      if (ended_) return;
      batch.swap(tasks_);
    }
    for (Task& task : batch) std::move(task)();
    batch.clear();
  }
}

}  // namespace wsrouter
