#ifndef WSROUTER_CORE_HISTORY_READS_H_
#define WSROUTER_CORE_HISTORY_READS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/strings.h"
#include "core/frame.h"
#include "core/history.h"
#include "core/interest.h"

namespace wsrouter {

// A page of a room's history, and its entries as members that speak wsrouter.v1.json get them.
class ReplayPage {
 public:
  ReplayPage(RoomName room, HistoryPage page) : room_(std::move(room)), page_(std::move(page)) {}

  const HistoryPage& page() const { return page_; }
  // Made for the first who wants it, the same for all.
  const FrameRef& FrameOf(size_t entry);

 private:
  RoomName room_;
  HistoryPage page_;
  std::vector<FrameRef> frames_;
};

// Reads pages of histories for the connections of one shard.
//
// At most kUnderWayMax reads are under way, so that thousands of clients that come back at once
// fill neither the memory nor the line to Redis; the rest waits in the order in which it was asked
// for. Up to kReadersMax of them that want the same page share its read, unless that has begun:
// each gets what was pushed before it asked.
//
// Owned by one shard thread; not synchronised.
class HistoryReads {
 public:
  static constexpr size_t kUnderWayMax = 16;
  static constexpr size_t kReadersMax = 64;

  // Who wants a page: a connection, and whatever tells one question of it from the next.
  struct Reader {
    uint64_t counter;
    uint64_t turn;
  };
  // Called later, once for each reader.
  using Done =
      std::function<void(const RoomName& room, const Reader&, absl::StatusOr<ReplayPage>& page)>;

  // `history` may be null: then nobody asks.
  HistoryReads(History* history, PostTask post, Done done)
      : history_(history), post_(std::move(post)), done_(std::move(done)) {}

  // What the room's history has behind `since`: at most `limit` entries, or what others asked for.
  void Ask(const RoomName& room, const Position& since, uint32_t limit, const Reader& reader);

 private:
  struct Read {
    std::string key;
    RoomName room;
    HistoryQuery query;
    std::vector<Reader> readers;
  };

  void BeginSome();
  void OnPage(const Read& read, absl::StatusOr<HistoryPage> page);

  History* const history_;
  const PostTask post_;
  const Done done_;
  size_t under_way_ = 0;
  std::deque<std::shared_ptr<Read>> waiting_;
  StringMap<std::shared_ptr<Read>> open_;  // of those that wait: whom others may join
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_HISTORY_READS_H_
