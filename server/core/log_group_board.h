#ifndef WSROUTER_CORE_LOG_GROUP_BOARD_H_
#define WSROUTER_CORE_LOG_GROUP_BOARD_H_

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/log_group.h"

namespace wsrouter {

// How the consumer groups of the event log stand, for scrapes, however often these come: who reads
// gets what was written last, and the log is asked at the writer's pace, and only while somebody
// reads. Any thread.
class LogGroupBoard {
 public:
  // Turns of the writer that a read is good for.
  static constexpr int kTurnsARead = 60;

  std::vector<LogGroup> Read() const {
    absl::MutexLock lock(&mutex_);
    turns_ = kTurnsARead;
    return groups_;
  }

  // For the writer, now and then: whether it shall ask the log. When nobody reads any more what is
  // written here goes, so that nobody reads what is old.
  bool TakeTurn() {
    absl::MutexLock lock(&mutex_);
    if (turns_ == 0) {
      groups_.clear();
      return false;
    }
    --turns_;
    return true;
  }
  // Nothing where the log could not be asked.
  void Write(std::vector<LogGroup> groups) {
    absl::MutexLock lock(&mutex_);
    groups_ = std::move(groups);
  }

 private:
  mutable absl::Mutex mutex_;
  mutable int turns_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<LogGroup> groups_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_LOG_GROUP_BOARD_H_
