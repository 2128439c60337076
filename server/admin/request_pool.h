#ifndef WSROUTER_ADMIN_REQUEST_POOL_H_
#define WSROUTER_ADMIN_REQUEST_POOL_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "httplib.h"

namespace wsrouter {

// The threads that answer admin requests. httplib's own pool queues without bound; here the thread
// that accepts waits while the queue is full, and what is more waits in the kernel's backlog.
class RequestPool final : public httplib::TaskQueue {
 public:
  RequestPool(size_t threads, size_t waiting_max);
  ~RequestPool() override = default;

  void enqueue(std::function<void()> answer) override;
  // Answers what waits, then joins the threads.
  void shutdown() override;

 private:
  void Run();

  const size_t waiting_max_;
  absl::Mutex mutex_;
  absl::CondVar has_space_;
  absl::CondVar has_work_;  // or is closed
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ADMIN_REQUEST_POOL_H_
