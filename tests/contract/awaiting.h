#ifndef WSROUTER_TESTS_CONTRACT_AWAITING_H_
#define WSROUTER_TESTS_CONTRACT_AWAITING_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace wsrouter {

// How long an engine may stay silent before a test fails.
constexpr absl::Duration kAnswerDeadline = absl::Seconds(20);

// A place for one answer that comes on whatever thread, and a way to wait for it.
template <typename Value>
class Awaited {
 public:
  // The callback to hand over. Answering twice fails the test.
  auto Take() {
    return [state = state_](Value value) {
      absl::MutexLock lock(&state->mutex);
      EXPECT_FALSE(state->value.has_value()) << "answered twice";
      state->value = std::move(value);
      state->changed.SignalAll();
    };
  }

  Value Wait() {
    absl::MutexLock lock(&state_->mutex);
    while (!state_->value.has_value()) {
      if (!state_->changed.WaitWithTimeout(&state_->mutex, kAnswerDeadline)) continue;
      if (state_->value.has_value()) break;
      ADD_FAILURE() << "no answer";
      return Value{};
    }
    return *state_->value;
  }

 private:
  struct State {
    absl::Mutex mutex;
    absl::CondVar changed;
    std::optional<Value> value;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_CONTRACT_AWAITING_H_
