#ifndef WSROUTER_TESTS_SUPPORT_KEPT_LISTENER_H_
#define WSROUTER_TESTS_SUPPORT_KEPT_LISTENER_H_

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/broker.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"

namespace wsrouter {

// Remembers the payloads that come, with their positions.
class KeptListener final : public Subscriber {
 public:
  struct Taken {
    Position position;
    std::string text;
  };

  void Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) override {
    {
      absl::MutexLock lock(&mutex_);
      const auto& deliver = std::get<Deliver>(envelope->action);
      taken_.push_back({deliver.position, std::string(deliver.frame->payload())});
      changed_.SignalAll();
    }
    part.Finish({.matched = 1, .queued = 1});
  }
  // Waits until `count` have come.
  std::vector<Taken> Wait(size_t count) const {
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
  std::vector<Taken> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_KEPT_LISTENER_H_
