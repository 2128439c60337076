#ifndef WSROUTER_ENGINE_REDIS_QUEUE_H_
#define WSROUTER_ENGINE_REDIS_QUEUE_H_

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/redis_commands.h"
#include "engine/redis_link.h"

namespace wsrouter {

// What other threads gave to the link's thread, in the order given, and whether it takes commands.
// Any thread.
class RedisQueue {
 public:
  using Item = std::variant<RedisLink::Task, RedisCommand>;

  RedisQueue(absl::Duration patience, std::atomic<bool>& up, std::atomic<size_t>& counted)
      : patience_(patience), up_(up), counted_(counted) {}

  // Both: whether the link's thread must be woken. A task is dropped behind Stop.
  [[nodiscard]] bool Push(RedisLink::Task task);
  // A command that the link does not take is answered here.
  [[nodiscard]] bool Push(RedisCommand command, absl::Duration uptime);
  // False: it was stopped before.
  [[nodiscard]] bool Stop();
  bool stopped() const;

  std::vector<Item> Take();
  void SetUp();
  void SetDown(std::string_view why);

 private:
  const absl::Duration patience_;
  mutable absl::Mutex mutex_;
  std::vector<Item> items_ ABSL_GUARDED_BY(mutex_);
  std::string why_ ABSL_GUARDED_BY(mutex_) = "Redis is not reachable: the link has not been up yet";
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool>& up_;  // written with the mutex held
  std::atomic<size_t>& counted_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_QUEUE_H_
