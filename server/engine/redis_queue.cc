#include "engine/redis_queue.h"

#include "fmt/format.h"

namespace wsrouter {

bool RedisQueue::Push(RedisLink::Task task) {
  absl::MutexLock lock(&mutex_);
  if (stopped_) return false;
  items_.push_back(std::move(task));
  return items_.size() == 1;
}

bool RedisQueue::Push(RedisCommand command, absl::Duration uptime) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mutex_);
    if (!up_.load(std::memory_order_relaxed)) {
      refusal = absl::UnavailableError(why_);
    } else if (counted_.fetch_add(1, std::memory_order_relaxed) >= RedisLink::kCommandsMax) {
      counted_.fetch_sub(1, std::memory_order_relaxed);
      refusal = absl::UnavailableError(
          fmt::format("{} commands wait for Redis, no more are taken", RedisLink::kCommandsMax));
    } else {
      command.counted = true;
      command.deadline = uptime + patience_;
      items_.push_back(std::move(command));
      return items_.size() == 1;
    }
  }
  std::move(command.done)(std::move(refusal));
  return false;
}

bool RedisQueue::Stop() {
  absl::MutexLock lock(&mutex_);
  up_.store(false, std::memory_order_release);
  why_ = "Redis is not reachable: the link was stopped";
  return !std::exchange(stopped_, true);
}

bool RedisQueue::stopped() const {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

std::vector<RedisQueue::Item> RedisQueue::Take() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(items_, {});
}

void RedisQueue::SetUp() {
  absl::MutexLock lock(&mutex_);
  if (!stopped_) up_.store(true, std::memory_order_release);
}

void RedisQueue::SetDown(std::string_view why) {
  absl::MutexLock lock(&mutex_);
  up_.store(false, std::memory_order_release);
  if (!stopped_) why_ = why;
}

}  // namespace wsrouter
