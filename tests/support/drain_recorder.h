#ifndef WSROUTER_TESTS_SUPPORT_DRAIN_RECORDER_H_
#define WSROUTER_TESTS_SUPPORT_DRAIN_RECORDER_H_

#include <atomic>
#include <optional>

#include "core/drainable.h"

namespace wsrouter {

// Remembers what it was asked.
class DrainRecorder final : public Drainable {
 public:
  absl::Status Drain(std::optional<absl::Duration> window) override {
    window_ = window.value_or(absl::InfiniteDuration());
    draining_ = true;
    return absl::OkStatus();
  }
  absl::Status Undrain() override {
    draining_ = false;
    return absl::OkStatus();
  }
  bool draining() const override { return draining_; }

  // Of the last Drain; infinite where it said none.
  absl::Duration window() const { return window_; }

 private:
  std::atomic<bool> draining_{false};
  std::atomic<absl::Duration> window_{absl::ZeroDuration()};
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_DRAIN_RECORDER_H_
