#ifndef WSROUTER_TESTS_SUPPORT_RECORDER_H_
#define WSROUTER_TESTS_SUPPORT_RECORDER_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace wsrouter::testing {

// What happened on other threads, line by line, and a way to wait for it. Any thread.
class Recorder {
 public:
  void Add(std::string line) {
    {
      std::lock_guard lock(mutex_);
      lines_.push_back(std::move(line));
    }
    changed_.notify_all();
  }

  // All lines when there are at least `count`, or those that came within ten seconds.
  std::vector<std::string> Await(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return lines_.size() >= count; });
    return lines_;
  }

  std::vector<std::string> lines() { return Await(0); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

}  // namespace wsrouter::testing

#endif  // WSROUTER_TESTS_SUPPORT_RECORDER_H_
