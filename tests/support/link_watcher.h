#ifndef WSROUTER_TESTS_SUPPORT_LINK_WATCHER_H_
#define WSROUTER_TESTS_SUPPORT_LINK_WATCHER_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engine/redis_link.h"
#include "gtest/gtest.h"

namespace wsrouter {

// Hears a RedisLink and waits for what it says.
class LinkWatcher final : public RedisLink::Handler {
 public:
  static constexpr absl::Duration kDeadline = absl::Seconds(20);

  // The next OnUp runs `task` on the link's thread.
  void AtUp(std::function<void()> task) {
    absl::MutexLock lock(&mutex_);
    at_up_ = std::move(task);
  }

  void OnUp() override {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mutex_);
      ++ups_;
      task = std::exchange(at_up_, nullptr);
      changed_.SignalAll();
    }
    if (task) task();
  }
  void OnDown(const absl::Status& why) override {
    absl::MutexLock lock(&mutex_);
    // No copy, which would share a counter with the link: TSan does not see inside of Abseil.
    downs_.emplace_back(why.code(), why.message());
    changed_.SignalAll();
  }
  void OnMessage(std::string_view channel, std::string_view payload) override {
    absl::MutexLock lock(&mutex_);
    messages_.emplace_back(std::string(channel) + " " + std::string(payload));
    changed_.SignalAll();
  }

  // Until so many came since the beginning.
  void WaitUps(size_t count) {
    absl::MutexLock lock(&mutex_);
    Wait(count, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ups_; });
  }
  absl::Status WaitDowns(size_t count) {
    absl::MutexLock lock(&mutex_);
    Wait(count, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return downs_.size(); });
    return downs_.size() < count ? absl::UnknownError("no OnDown") : downs_[count - 1];
  }
  std::vector<std::string> WaitMessages(size_t count) {
    absl::MutexLock lock(&mutex_);
    Wait(count, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return messages_.size(); });
    return messages_;
  }
  size_t downs() {
    absl::MutexLock lock(&mutex_);
    return downs_.size();
  }

 private:
  template <typename Count>
  void Wait(size_t count, Count current) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (current() < count) {
      if (!changed_.WaitWithTimeout(&mutex_, kDeadline)) continue;
      if (current() >= count) return;
      ADD_FAILURE() << "waited for " << count << ", came " << current();
      return;
    }
  }

  absl::Mutex mutex_;
  absl::CondVar changed_;
  size_t ups_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> at_up_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Status> downs_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> messages_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_LINK_WATCHER_H_
