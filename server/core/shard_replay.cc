// What a page of a room's history leads to for a member that is held there.
#include <algorithm>
#include <utility>

#include "core/client_protocol.h"
#include "core/shard_recovery.h"

namespace wsrouter {

void Shard::Recovery::OnPage(const RoomName& room, const HistoryReads::Reader& reader,
                             absl::StatusOr<ReplayPage>& page) {
  Hold* hold = Find(reader.counter, room.value);
  if (hold == nullptr || hold->turn != reader.turn) return;
  Connection& connection = *shard_.registry_.Find(reader.counter);
  if (page.ok()) {
    OnRead(connection, *hold, *page);
  } else {
    OnUnread(connection, *hold, page.status());
  }
  // Nothing will drain where nothing was queued.
  if (connection.held && connection.outbox.empty()) OnDrained(connection);
}

void Shard::Recovery::OnRead(Connection& connection, Hold& hold, ReplayPage& replay) {
  const HistoryPage& page = replay.page();
  hold.give_up = absl::InfiniteDuration();
  const bool first = static_cast<bool>(hold.answer);
  const bool asked = !first || hold.since.has_value();
  const bool replays = asked && page.recovered;
  if (asked && !replays) shard_.counters_.Add(Counter::kRecoveriesLost);
  if (!first && !replays) {  // it was trimmed meanwhile, or another epoch has begun
    const bool same = hold.at.epoch == page.top.epoch && hold.at.offset < page.top.offset;
    TellGap(connection, hold, same ? page.top.offset - hold.at.offset : 0);
  }
  if (replays) {
    hold.at.epoch = page.top.epoch;
  } else {
    hold.at = page.top;
  }
  if (first) {
    TellJoined(connection, hold,
               JoinedAt{.since = hold.at,
                        .recovered = asked ? std::optional(replays) : std::nullopt,
                        .top = page.top.offset});
  }
  if (replays && !Replay(connection, hold, replay)) return Enter(hold, Hold::State::kDraining);
  if (replays && page.more) return Enter(hold, Hold::State::kDraining);
  CatchUp(connection, hold);
}

void Shard::Recovery::OnUnread(Connection& connection, Hold& hold, const absl::Status& status) {
  shard_.counters_.Add(Counter::kRecoveriesFailed);
  const bool passes = absl::IsUnavailable(status);
  if (hold.answer && (!passes || !hold.since.has_value())) {
    // It is a member all the same, of a room without history as it were.
    hold.owes_gap = hold.owes_gap || hold.since.has_value();
    hold.at = {};
    TellJoined(connection, hold, std::nullopt);
    CatchUp(connection, hold);
  } else if (hold.answer) {
    std::move(hold.answer)(status);
    hold.answer = nullptr;
    Enter(hold, Hold::State::kAwaited, kPatience);
  } else if (passes) {
    hold.give_up = std::min(hold.give_up, shard_.now_.uptime + kPatience);
    Enter(hold, Hold::State::kUnread, kReadAgain);
  } else {
    GiveUp(connection, hold);
  }
}

void Shard::Recovery::TellJoined(Connection& connection, Hold& hold,
                                 const std::optional<JoinedAt>& at) {
  shard_.Say(connection, JoinedText(hold.id, hold.room, at));
  if (std::exchange(hold.owes_gap, false)) TellGap(connection, hold, 0);
  std::move(hold.answer)(absl::OkStatus());
  hold.answer = nullptr;
}

void Shard::Recovery::TellGap(Connection& connection, const Hold& hold, uint64_t count) {
  shard_.Say(connection, GapText(hold.room.value, count));
  shard_.counters_.Add(Counter::kGapsTold);
}

bool Shard::Recovery::IsLeftOut(const HistoryEntry& entry, const Connection& connection,
                                const Hold& hold) const {
  if (entry.except == nullptr) return false;
  return shard_.IsIn(*entry.except, connection) ||
         (hold.previous.has_value() && entry.except->connections.contains(*hold.previous));
}

bool Shard::Recovery::Replay(Connection& connection, Hold& hold, ReplayPage& replay) {
  uint32_t queued = 0;
  for (size_t i = 0; i < replay.page().entries.size(); ++i) {
    const HistoryEntry& entry = replay.page().entries[i];
    const bool left_out = IsLeftOut(entry, connection, hold);
    const Position position = {.offset = entry.offset, .epoch = hold.at.epoch};
    const FrameRef frame =
        left_out ? FrameRef(LeftOutFrame(hold.room, position)) : replay.FrameOf(i);
    if (!Put(connection, frame, left_out)) {
      // So that not much more is read than there is room for.
      if (queued > 0) hold.limit = std::min(kPageEntries, 2 * queued);
      return false;
    }
    ++queued;
    if (!left_out) shard_.counters_.Add(Counter::kPushesReplayed);
    hold.at.offset = entry.offset;
  }
  hold.limit = std::min(kPageEntries, 2 * hold.limit);
  return true;
}

bool Shard::Recovery::Put(Connection& connection, const FrameRef& frame, bool left_out) {
  if (connection.slow) return false;  // it is to be told of that first
  const size_t size = frame->wire().size();
  const size_t bytes_max = shard_.limits_.slow_consumer_bytes;
  // An empty one takes any frame, or a client that gets it as JSON would never get some.
  const auto put = connection.outbox.Add(
      frame, connection.outbox.empty() ? std::max(bytes_max, size + kFrameOverheadBytes)
                                       : std::min(bytes_max, kReplayOctets));
  if (put == Outbox::Push::kFull) return false;
  if (put == Outbox::Push::kFirst) shard_.transport_.WantWrite(connection);
  shard_.outbox_bytes_ += size;
  if (!left_out) shard_.counters_.Add(Counter::kPushes);
  return true;
}

bool Shard::Recovery::ReadsTo(Connection& connection, Hold& hold, const Position& last) {
  if (last.epoch != hold.at.epoch || Covers(hold.at, last)) return false;
  hold.missing = last;
  if (last != hold.missing_then) {
    Ask(hold);
    return true;
  }
  // It was pushed before the page was read, and is not in it.
  TellGap(connection, hold, last.offset - hold.at.offset);
  hold.at = last;
  return false;
}

void Shard::Recovery::CatchUp(Connection& connection, Hold& hold) {
  if (ReadsTo(connection, hold, hold.missing)) return;
  for (size_t i = 0; i < hold.waiting.size(); ++i) {
    const auto& [frame, position, left_out] = hold.waiting[i];
    const bool kept = position.offset > 0;
    if (kept && Covers(hold.at, position)) continue;
    // One before it got lost on its way here.
    if (kept && ReadsTo(connection, hold, {position.offset - 1, position.epoch})) {
      return DropWaiting(hold, 0, i);
    }
    if (!Put(connection, frame, left_out)) {
      DropWaiting(hold, 0, i);
      return Enter(hold, Hold::State::kDraining);
    }
    if (kept) hold.at = position;
  }
  DropWaiting(hold, 0, hold.waiting.size());
  if (hold.lost > 0) TellGap(connection, hold, std::exchange(hold.lost, 0));
  if (hold.at.offset == 0 || Covers(hold.seen, hold.at)) return End(connection, hold);
  Enter(hold, Hold::State::kCaughtUp, kCopiesCome);
}

}  // namespace wsrouter
