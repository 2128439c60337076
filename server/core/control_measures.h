#ifndef WSROUTER_CORE_CONTROL_MEASURES_H_
#define WSROUTER_CORE_CONTROL_MEASURES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/histogram.h"
#include "core/log_group_board.h"
#include "core/measures.h"

namespace wsrouter {

// How long things took, by what was done and how it ended: a histogram for each pair, of names that
// are fixed when it is made. Any thread adds and reads, without a lock.
class DurationTable {
 public:
  DurationTable(std::vector<std::string> methods, std::span<const std::string_view> outcomes)
      : methods_(std::move(methods)), outcomes_(outcomes) {
    for (size_t i = 0; i < methods_.size() * outcomes_.size(); ++i) {
      histograms_.emplace_back(kDurationBounds);
    }
  }

  std::span<const std::string> methods() const { return methods_; }
  std::span<const std::string_view> outcomes() const { return outcomes_; }
  std::span<const double> bounds() const { return kDurationBounds; }

  void Add(size_t method, size_t outcome, absl::Duration duration) {
    histograms_[method * outcomes_.size() + outcome].Add(absl::ToDoubleSeconds(duration));
  }
  Histogram::Reading Read(size_t method, size_t outcome) const {
    return histograms_[method * outcomes_.size() + outcome].Read();
  }

 private:
  const std::vector<std::string> methods_;
  const std::span<const std::string_view> outcomes_;  // constants
  std::deque<Histogram> histograms_;                  // a deque does not move what it holds
};

// How a unary call of the API ended. Refused: for what the caller asked; failed: for what became of
// the node, the cluster or the deadline.
enum class CallOutcome : size_t { kOk, kRefused, kFailed };
inline constexpr std::array<std::string_view, 3> kCallOutcomeNames = {"ok", "refused", "failed"};

// How an attempt to ask a service ended. Unasked: nobody was there, or too much waited; withdrawn:
// the client was gone.
enum class QuestionOutcome : size_t { kAnswered, kFailed, kLate, kUnasked, kWithdrawn };
inline constexpr std::array<std::string_view, 5> kQuestionOutcomeNames = {
    "answered", "failed", "late", "unasked", "withdrawn"};

// What is measured of the gRPC side: what services call, and what they are asked. Any thread; each
// gauge has one writer at a time.
struct ControlMeasures {
  // The names of the methods of either; calls of others are counted with the last of `calls`.
  ControlMeasures(std::vector<std::string> call_methods, std::vector<std::string> question_methods)
      : calls(std::move(call_methods), kCallOutcomeNames),
        questions(std::move(question_methods), kQuestionOutcomeNames) {}

  DurationTable calls;  // unary ones: how long a stream is open says nothing
  DurationTable questions;

  std::atomic<uint64_t> calls_in_flight{0};  // unary ones
  std::atomic<uint64_t> watchers{0};         // open streams of Events.Watch
  std::atomic<uint64_t> subscribers{0};      // of Events.Subscribe
  std::atomic<uint64_t> push_streams{0};     // of Router.PushStream
  std::atomic<uint64_t> services_attached{0};
  std::atomic<uint64_t> services_paused{0};    // left alone, since they failed too often
  std::atomic<uint64_t> questions_running{0};  // that a service has
  std::atomic<uint64_t> questions_waiting{0};  // for a place, or for another attempt

  LogGroupBoard log_groups;  // written by whoever serves consumers
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_CONTROL_MEASURES_H_
