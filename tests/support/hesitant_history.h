#ifndef WSROUTER_TESTS_SUPPORT_HESITANT_HISTORY_H_
#define WSROUTER_TESTS_SUPPORT_HESITANT_HISTORY_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

#include "core/history.h"

namespace wsrouter {

// A history that can be away, give little at once, or keep its answers back, which are of the time
// of the question.
class HesitantHistory final : public History {
 public:
  explicit HesitantHistory(History& history) : history_(history) {}

  void Read(const RoomName& room, const HistoryQuery& query, Done<HistoryPage> done) override {
    ++reads;
    if (away) {
      kept_.push_back([done = std::move(done)]() mutable {
        std::move(done)(HistoryUnavailable("history is away"));
      });
    } else {
      HistoryQuery less = query;
      less.limit = std::min(less.limit, entries_max);
      history_.Read(room, less, [&](absl::StatusOr<HistoryPage> page) {
        kept_.push_back([page = std::move(page), done = std::move(done)]() mutable {
          std::move(done)(std::move(page));
        });
      });
    }
    if (!keeps_back) LetThrough();
  }
  void Trim(const RoomName& room, const HistoryTrim& trim, Done<HistoryTrimmed> done) override {
    history_.Trim(room, trim, std::move(done));
  }

  // Gives the answers that were kept back, or only the oldest.
  void LetThrough() {
    while (!kept_.empty()) LetOneThrough();
  }
  void LetOneThrough() {
    auto answer = std::move(kept_.front());
    kept_.pop_front();
    std::move(answer)();
  }
  size_t kept_back() const { return kept_.size(); }

  bool away = false;
  bool keeps_back = false;
  uint32_t entries_max = UINT32_MAX;
  uint64_t reads = 0;

 private:
  History& history_;
  std::deque<absl::AnyInvocable<void() &&>> kept_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_HESITANT_HISTORY_H_
