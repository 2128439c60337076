#ifndef WSROUTER_BASE_MAILBOX_H_
#define WSROUTER_BASE_MAILBOX_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace wsrouter {

// The one way into a thread: many producers, one consumer, first in first out, bounded.
//
// `wake` runs on the producer's thread and only for the message that ends an empty mailbox, so a
// burst costs its consumer one wake-up. It must be callable from any thread and must not block; it
// runs under the mailbox's lock, so that it does not run any more when Close has returned.
template <typename Message>
class Mailbox {
 public:
  Mailbox(size_t capacity, absl::AnyInvocable<void() const> wake)
      : capacity_(capacity), wake_(std::move(wake)) {}

  // False when the mailbox is full, or closed: `message` is left as it was and the caller decides
  // what that means.
  [[nodiscard]] bool Post(Message&& message) { return Add(std::move(message), capacity_); }

  // For what must not be refused and is bounded by its sender: answers to what the consumer itself
  // asked, of which there are no more than questions, and the few words of its owner.
  void PostAnswer(Message&& message) { (void)Add(std::move(message), SIZE_MAX); }

  // Swaps everything that waits into `batch`, which must be empty; its memory is reused.
  void Take(std::vector<Message>& batch) {
    absl::MutexLock lock(&mutex_);
    batch.swap(pending_);
  }

  // Drops what waits, and whatever comes from now on.
  void Close() {
    std::vector<Message> dropped;  // ends behind the lock: whoever waits for an answer may post
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    dropped.swap(pending_);
  }

  size_t size() const {
    absl::MutexLock lock(&mutex_);
    return pending_.size();
  }

 private:
  bool Add(Message&& message, size_t capacity) {
    absl::MutexLock lock(&mutex_);
    if (closed_ || pending_.size() >= capacity) return false;
    pending_.push_back(std::move(message));
    if (pending_.size() == 1) wake_();
    return true;
  }

  const size_t capacity_;
  const absl::AnyInvocable<void() const> wake_;
  mutable absl::Mutex mutex_;
  std::vector<Message> pending_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace wsrouter

#endif  // WSROUTER_BASE_MAILBOX_H_
