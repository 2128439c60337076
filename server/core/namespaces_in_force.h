#ifndef WSROUTER_CORE_NAMESPACES_IN_FORCE_H_
#define WSROUTER_CORE_NAMESPACES_IN_FORCE_H_

#include <atomic>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/namespaces.h"

namespace wsrouter {

// The namespaces that count now; a configuration that is read anew replaces them as a whole. Who
// took them before goes on with what he has, to the end of one push. Any thread. Where no room has
// a limit, or a history, finding that out costs the read of one flag.
class NamespacesInForce {
 public:
  explicit NamespacesInForce(Namespaces namespaces) { Set(std::move(namespaces)); }

  void Set(Namespaces namespaces) {
    auto next = std::make_shared<const Namespaces>(std::move(namespaces));
    absl::MutexLock lock(&mutex_);
    any_rate_.store(next->AnyRate(), std::memory_order_release);
    any_history_.store(next->AnyHistory(), std::memory_order_release);
    now_.swap(next);
  }

  std::shared_ptr<const Namespaces> Get() const {
    absl::ReaderMutexLock lock(&mutex_);
    return now_;
  }

  // As Namespaces has them.
  bool AnyRate() const { return any_rate_.load(std::memory_order_acquire); }
  bool AnyHistory() const { return any_history_.load(std::memory_order_acquire); }

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Namespaces> now_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> any_rate_ = false;
  std::atomic<bool> any_history_ = false;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_NAMESPACES_IN_FORCE_H_
