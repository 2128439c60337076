#include "core/history_reads.h"

#include <algorithm>
#include <utility>

#include "core/client_protocol.h"
#include "fmt/format.h"

namespace wsrouter {

const FrameRef& ReplayPage::FrameOf(size_t entry) {
  if (frames_.empty()) frames_.resize(page_.entries.size());
  FrameRef& frame = frames_[entry];
  if (!frame) {
    const HistoryEntry& kept = page_.entries[entry];
    const Position position = {.offset = kept.offset, .epoch = page_.top.epoch};
    frame = FrameRef(MsgFrame(room_, *kept.frame, position), {.room = room_.value});
  }
  return frame;
}

void HistoryReads::Ask(const RoomName& room, const Position& since, uint32_t limit,
                       const Reader& reader) {
  const std::string key = fmt::format("{}\n{}\n{}", room.value, since.offset, since.epoch);
  std::shared_ptr<Read>& open = open_[key];
  if (open == nullptr || open->readers.size() >= kReadersMax) {
    open = std::make_shared<Read>(
        Read{.key = key, .room = room, .query = {.since = since}, .readers = {}});
    waiting_.push_back(open);
  }
  open->query.limit = std::max(open->query.limit, limit);
  open->readers.push_back(reader);
  BeginSome();
}

void HistoryReads::BeginSome() {
  while (under_way_ < kUnderWayMax && !waiting_.empty()) {
    const std::shared_ptr<Read> read = std::move(waiting_.front());
    waiting_.pop_front();
    const auto open = open_.find(read->key);
    if (open != open_.end() && open->second == read) open_.erase(open);
    ++under_way_;
    history_->Read(read->room, read->query,
                   [this, post = post_, read](absl::StatusOr<HistoryPage> page) {
                     post([this, read, page = std::move(page)]() mutable {
                       --under_way_;
                       OnPage(*read, std::move(page));
                       BeginSome();
                     });
                   });
  }
}

void HistoryReads::OnPage(const Read& read, absl::StatusOr<HistoryPage> page) {
  absl::StatusOr<ReplayPage> replay =
      page.ok() ? absl::StatusOr<ReplayPage>(ReplayPage(read.room, *std::move(page)))
                : page.status();
  for (const Reader& reader : read.readers) done_(read.room, reader, replay);
}

}  // namespace wsrouter
