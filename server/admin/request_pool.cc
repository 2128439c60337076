#include "admin/request_pool.h"

#include <utility>

namespace wsrouter {

RequestPool::RequestPool(size_t threads, size_t waiting_max) : waiting_max_(waiting_max) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

void RequestPool::enqueue(std::function<void()> answer) {
  absl::MutexLock lock(&mutex_);
  while (waiting_.size() >= waiting_max_) has_space_.Wait(&mutex_);
  waiting_.push_back(std::move(answer));
  has_work_.Signal();
}

void RequestPool::shutdown() {
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    has_work_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void RequestPool::Run() {
  for (;;) {
    std::function<void()> answer;
    {
      absl::MutexLock lock(&mutex_);
      while (waiting_.empty() && !closed_) has_work_.Wait(&mutex_);
      if (waiting_.empty()) return;
      answer = std::move(waiting_.front());
      waiting_.pop_front();
      has_space_.Signal();
    }
    answer();
  }
}

}  // namespace wsrouter
