#include "engine/memory_history.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"

namespace wsrouter {
namespace {

// What the containers add, roughly.
constexpr size_t kRoomBytes = 512;
constexpr size_t kEntryBytes = 256;
constexpr size_t kKeyBytes = 160;

// Adds `entry` unless the page is full.
bool AddTo(HistoryPage& page, size_t& octets, const HistoryQuery& query,
           const HistoryEntry& entry) {
  if (page.entries.size() == query.limit) return false;
  octets += entry.frame->payload().size();
  if (!page.entries.empty() && octets > kHistoryPageBytesMax) return false;
  page.entries.push_back(entry);
  return true;
}

}  // namespace

size_t MemoryHistory::WeightOf(const Entry& entry) {
  return kEntryBytes + entry.entry.frame->wire().size() + entry.entry.from.value.size();
}

size_t MemoryHistory::WeightOf(const Key& key) { return kKeyBytes + 2 * key.text.size(); }

void MemoryHistory::DropOldest(Room& room) {
  octets_ -= WeightOf(room.entries.front());
  room.entries.pop_front();
}

void MemoryHistory::DropOldestKey(Room& room) {
  octets_ -= WeightOf(room.keys.front());
  room.sent.erase(room.keys.front().text);
  room.keys.pop_front();
}

void MemoryHistory::DropExpired(Room& room, absl::Duration ttl, absl::Duration now) {
  while (!room.entries.empty() && now - room.entries.front().at >= ttl) DropOldest(room);
}

void MemoryHistory::Forget(const std::string& name) {
  const auto found = rooms_.find(name);
  Room& room = *found->second;
  while (!room.entries.empty()) DropOldest(room);
  while (!room.keys.empty()) DropOldestKey(room);
  octets_ -= kRoomBytes + name.size();
  by_push_.erase(room.place);
  rooms_.erase(found);
}

MemoryHistory::Room* MemoryHistory::Find(const Keeping& keeping, absl::Duration now) {
  const auto found = rooms_.find(keeping.room.value);
  if (found == rooms_.end()) return nullptr;
  Room& room = *found->second;
  if (now - room.pushed_at >= PositionTtl(keeping.options)) {
    Forget(keeping.room.value);
    return nullptr;
  }
  while (!room.keys.empty() && room.keys.front().until <= now) DropOldestKey(room);
  DropExpired(room, keeping.options.ttl, now);
  return &room;
}

MemoryHistory::Room& MemoryHistory::Touch(const std::string& name, absl::Duration now) {
  auto& slot = rooms_[name];
  if (slot == nullptr) {
    slot = std::make_unique<Room>();
    slot->place = by_push_.insert(by_push_.begin(), name);
    octets_ += kRoomBytes + name.size();
  }
  by_push_.splice(by_push_.begin(), by_push_, slot->place);
  slot->pushed_at = now;
  return *slot;
}

void MemoryHistory::MakeRoom(Room& room) {
  while (octets_ > limits_.memory_bytes_max && by_push_.size() > 1) {
    counters_.Add(Counter::kHistoryEvictions);
    Forget(std::string(by_push_.back()));
  }
  if (octets_ <= limits_.memory_bytes_max) return;
  counters_.Add(Counter::kHistoryEvictions);
  // The newest of each stays, or the answer that gives its position would be of no use.
  while (octets_ > limits_.memory_bytes_max && room.entries.size() > 1) DropOldest(room);
  while (octets_ > limits_.memory_bytes_max && room.keys.size() > 1) DropOldestKey(room);
}

std::optional<Kept> MemoryHistory::FindDuplicate(const Keeping& keeping) {
  if (keeping.keep.idempotency_key.empty()) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  const Room* room = Find(keeping, clock_.Now().uptime);
  if (room == nullptr) return std::nullopt;
  const auto sent = room->sent.find(keeping.keep.idempotency_key);
  if (sent == room->sent.end()) return std::nullopt;
  counters_.Add(Counter::kPushesDuplicate);
  return Kept{.fate = Kept::Fate::kDuplicate, .position = sent->second};
}

std::optional<Kept> MemoryHistory::FindNewer(const Keeping& keeping) {
  if (keeping.keep.version == 0) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  const Room* room = Find(keeping, clock_.Now().uptime);
  if (room == nullptr || keeping.keep.version > room->version ||
      keeping.keep.version_epoch != room->version_epoch) {
    return std::nullopt;
  }
  counters_.Add(Counter::kPushesStale);
  return Kept{.fate = Kept::Fate::kStale, .position = room->top};
}

Kept MemoryHistory::Append(const Keeping& keeping, const Envelope& envelope) {
  const Instant now = clock_.Now();
  absl::MutexLock lock(&mutex_);
  Find(keeping, now.uptime);
  Room& room = Touch(keeping.room.value, now.uptime);
  Kept kept;
  if (keeping.options.on()) {
    if (room.top.epoch.empty()) room.top.epoch = fmt::format("{:013x}", epochs_() >> 12);
    ++room.top.offset;
    const auto& deliver = std::get<Deliver>(envelope.action);
    room.entries.push_back({.entry = {.offset = room.top.offset,
                                      .sent_at = now.wall,
                                      .from = envelope.from,
                                      .frame = deliver.frame,
                                      .except = deliver.except},
                            .at = now.uptime});
    octets_ += WeightOf(room.entries.back());
    while (room.entries.size() > keeping.options.size) DropOldest(room);
    kept.position = room.top;
    counters_.Add(Counter::kPushesKept);
  }
  if (keeping.keep.version > 0) {
    room.version = keeping.keep.version;
    room.version_epoch = keeping.keep.version_epoch;
  }
  if (!keeping.keep.idempotency_key.empty()) {
    room.keys.push_back({keeping.keep.idempotency_key, now.uptime + limits_.idempotency_window});
    room.sent[keeping.keep.idempotency_key] = kept.position;
    octets_ += WeightOf(room.keys.back());
  }
  MakeRoom(room);
  return kept;
}

void MemoryHistory::Read(const RoomName& room, const HistoryQuery& query, Done<HistoryPage> done) {
  const absl::StatusOr<HistoryOptions> options = rules_.Of(room);
  if (!options.ok()) return std::move(done)(options.status());
  HistoryPage page;
  {
    absl::MutexLock lock(&mutex_);
    const Room* found = Find({.room = room, .options = *options, .keep = {}}, clock_.Now().uptime);
    if (found != nullptr) page.top = found->top;
    const bool same = query.since.epoch.empty() || query.since.epoch == page.top.epoch;
    const uint64_t since = same ? query.since.offset : 0;
    const std::deque<Entry> none;
    const auto& entries = found != nullptr ? found->entries : none;
    const uint64_t before_first = page.top.offset - entries.size();
    page.recovered = same && (query.reverse || (since >= before_first && since <= page.top.offset));
    size_t octets = 0;
    if (query.reverse) {
      const uint64_t from = since == 0 ? page.top.offset : std::min(since - 1, page.top.offset);
      for (uint64_t at = from; at > before_first; --at) {
        if (!AddTo(page, octets, query, entries[at - before_first - 1].entry)) break;
      }
      page.more = !page.entries.empty() && page.entries.back().offset > before_first + 1;
    } else {
      const uint64_t behind = std::max(std::min(since, page.top.offset), before_first);
      for (uint64_t at = behind + 1; at <= page.top.offset; ++at) {
        if (!AddTo(page, octets, query, entries[at - before_first - 1].entry)) break;
      }
      page.more = !page.entries.empty() && page.entries.back().offset < page.top.offset;
    }
  }
  std::move(done)(std::move(page));
}

void MemoryHistory::Trim(const RoomName& room, const HistoryTrim& trim, Done<HistoryTrimmed> done) {
  const absl::StatusOr<HistoryOptions> options = rules_.Of(room);
  if (!options.ok()) return std::move(done)(options.status());
  HistoryTrimmed trimmed;
  {
    absl::MutexLock lock(&mutex_);
    Room* found = Find({.room = room, .options = *options, .keep = {}}, clock_.Now().uptime);
    const auto goes = [&](const Room& in) {
      if (in.entries.empty()) return false;
      return trim.keep.has_value() ? in.entries.size() > *trim.keep
                                   : in.entries.front().entry.offset <= *trim.up_to_offset;
    };
    if (found != nullptr) {
      for (; goes(*found); ++trimmed.removed) DropOldest(*found);
      trimmed.top = found->top;
    }
  }
  std::move(done)(std::move(trimmed));
}

}  // namespace wsrouter
