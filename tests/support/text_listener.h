#ifndef WSROUTER_TESTS_SUPPORT_TEXT_LISTENER_H_
#define WSROUTER_TESTS_SUPPORT_TEXT_LISTENER_H_

#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/broker.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"

namespace wsrouter {

// Takes whatever comes, remembers its payload, empty where it has none, and says so in its part.
class TextListener final : public Subscriber {
 public:
  void Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) override {
    std::this_thread::yield();  // so that others come between, where they can
    {
      absl::MutexLock lock(&mutex_);
      const auto* deliver = std::get_if<Deliver>(&envelope->action);
      taken_.emplace_back(deliver == nullptr ? "" : deliver->frame->payload());
      changed_.SignalAll();
    }
    part.Finish({.matched = 1, .queued = 1});
  }
  std::vector<std::string> taken() const {
    absl::MutexLock lock(&mutex_);
    return taken_;
  }
  // Waits until `count` envelopes have come.
  std::vector<std::string> Wait(size_t count) const {
    absl::MutexLock lock(&mutex_);
    while (taken_.size() < count) {
      if (!changed_.WaitWithTimeout(&mutex_, kAnswerDeadline)) continue;
      EXPECT_GE(taken_.size(), count) << "the others did not come";
      break;
    }
    return taken_;
  }

 private:
  mutable absl::Mutex mutex_;
  mutable absl::CondVar changed_;
  std::vector<std::string> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_TEXT_LISTENER_H_
