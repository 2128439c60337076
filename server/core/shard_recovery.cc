// Who is held in which room, from when on and how long; what is pushed meanwhile.
#include "core/shard_recovery.h"

#include <algorithm>
#include <utility>

#include "core/client_protocol.h"
#include "core/error.h"
#include "core/namespaces.h"
#include "core/pending_rooms.h"
#include "core/shard_push.h"

namespace wsrouter {

Shard::Recovery::Recovery(Shard& shard, History* history)
    : shard_(shard),
      history_(history),
      reads_(history, shard.post_,
             [this](const RoomName& room, const HistoryReads::Reader& reader,
                    absl::StatusOr<ReplayPage>& page) { OnPage(room, reader, page); }) {}

bool Shard::Recovery::KeepsHistory(const RoomName& room) const {
  const Namespaces* namespaces = shard_.limits_.namespaces.get();
  return history_ != nullptr && namespaces != nullptr &&
         namespaces->Of(room.value).options.history.on();
}

Shard::Recovery::Hold* Shard::Recovery::Find(uint64_t counter, std::string_view room) {
  const auto rooms = holds_.find(counter);
  if (rooms == holds_.end()) return nullptr;
  const auto hold = rooms->second.find(room);
  return hold == rooms->second.end() ? nullptr : &hold->second;
}

Shard::Recovery::Hold* Shard::Recovery::HoldIn(const Connection& connection, const Topic& to) {
  const auto* room = std::get_if<RoomName>(&to);
  return room == nullptr ? nullptr : Find(connection.counter, room->value);
}

void Shard::Recovery::Enter(Hold& hold, Hold::State state, absl::Duration within) {
  due_.erase({hold.due, hold.turn});
  hold.state = state;
  hold.turn = ++turns_;
  hold.due = shard_.now_.uptime + within;
  if (within == absl::InfiniteDuration()) return;
  due_.emplace(std::pair(hold.due, hold.turn), std::pair(hold.counter, hold.room));
}

void Shard::Recovery::End(Connection& connection, Hold& hold) {
  DropWaiting(hold, 0, hold.waiting.size());
  due_.erase({hold.due, hold.turn});
  const auto rooms = holds_.find(hold.counter);
  rooms->second.erase(rooms->second.find(std::string(hold.room.value)));
  if (!rooms->second.empty()) return;
  holds_.erase(rooms);
  connection.held = false;
}

void Shard::Recovery::Await(Connection& connection, const RoomName& room) {
  if (connection.closing) return;  // its client has gone again, and asks when it is back
  if (!KeepsHistory(room)) return shard_.Say(connection, GapText(room.value, 0));
  const auto previous = shard_.book_.quiet.find(connection.counter);
  Hold& hold = holds_[connection.counter]
                   .try_emplace(room.value, Hold{.counter = connection.counter, .room = room})
                   .first->second;
  if (previous != shard_.book_.quiet.end()) hold.previous = previous->second.previous;
  Enter(hold, Hold::State::kAwaited, kPatience);
  connection.held = true;
}

void Shard::Recovery::Begin(Connection& connection, const RoomName& room, RoomChange::Result result,
                            const PendingRooms& join) {
  if (!join.by_client || !connection.speaks || !KeepsHistory(room)) return;
  const Hold* before = Find(connection.counter, room.value);
  const bool awaited = before != nullptr && before->state == Hold::State::kAwaited;
  // Who was there gets what comes.
  const bool anew = result == RoomChange::Result::kJoined;
  if (!join.since.has_value() && !anew && !awaited) return;
  Hold& hold = holds_[connection.counter]
                   .try_emplace(room.value, Hold{.counter = connection.counter, .room = room})
                   .first->second;
  hold.since = join.since;
  hold.id = join.frame_id;
  hold.owes_gap = awaited && !join.since.has_value();
  hold.at = join.since.value_or(Position{});
  hold.limit = kPageEntries;
  Enter(hold, Hold::State::kJoining);
  connection.held = true;
}

bool Shard::Recovery::Read(Connection& connection, const RoomName& room, Answer& answer) {
  Hold* hold = Find(connection.counter, room.value);
  if (hold == nullptr || hold->state != Hold::State::kJoining) return false;
  hold->answer = std::move(answer);
  Ask(*hold);
  return true;
}

void Shard::Recovery::Ask(Hold& hold) {
  Enter(hold, Hold::State::kReading);
  hold.missing_then = hold.missing;
  const bool position_alone = hold.answer && !hold.since.has_value();
  reads_.Ask(hold.room, hold.at, position_alone ? 0 : hold.limit, {hold.counter, hold.turn});
}

bool Shard::Recovery::Keep(Connection& connection, const Topic& to, Push& push) {
  Hold* hold = HoldIn(connection, to);
  switch (Judge(connection, hold, push.position)) {
    case Live::kGoesOn:
      return false;
    case Live::kWaits:
      Wait(*hold, {push.MsgTo(to), push.position});
      [[fallthrough]];
    case Live::kCopy:
      shard_.counters_.Add(Counter::kPushesHeld);
      return true;
  }
  return false;
}

bool Shard::Recovery::KeepLeftOut(Connection& connection, const Topic& to, Push& push) {
  Hold* hold = HoldIn(connection, to);
  const Live live = Judge(connection, hold, push.position);
  if (live == Live::kWaits) Wait(*hold, {push.LeftOutTo(to), push.position, true});
  return live != Live::kGoesOn;
}

Shard::Recovery::Live Shard::Recovery::Judge(Connection& connection, Hold* hold,
                                             const Position& position) {
  if (hold == nullptr) return Live::kGoesOn;
  if (hold->state != Hold::State::kCaughtUp) return Live::kWaits;
  if (position.offset == 0) return Live::kGoesOn;
  const bool copy = Covers(hold->at, position);
  if (!copy || position == hold->at) End(connection, *hold);  // no older one follows
  return copy ? Live::kCopy : Live::kGoesOn;
}

void Shard::Recovery::Wait(Hold& hold, Waiting push) {
  if (push.position.offset > 0) hold.seen = push.position;
  waiting_octets_ += push.frame->wire().size();
  hold.waiting.push_back(std::move(push));
  Shed(hold);
}

void Shard::Recovery::Shed(Hold& hold) {
  const auto too_much = [&] {
    return hold.waiting.size() > kWaitingMax || waiting_octets_ > kWaitingOctetsMax;
  };
  if (!too_much()) return;
  const auto kept = std::ranges::stable_partition(
      hold.waiting, [](const Waiting& push) { return push.position.offset == 0; });
  if (!kept.empty()) {
    hold.missing = kept.back().position;
    DropWaiting(hold, hold.waiting.size() - kept.size(), kept.size());
  }
  if (!too_much() || hold.waiting.empty()) return;
  DropWaiting(hold, hold.waiting.size() - 1, 1);
  ++hold.lost;
  shard_.counters_.Add(Counter::kPushesDroppedHeld);
}

void Shard::Recovery::DropWaiting(Hold& hold, size_t first, size_t count) {
  const auto from = hold.waiting.begin() + static_cast<ptrdiff_t>(first);
  const auto to = from + static_cast<ptrdiff_t>(count);
  for (auto push = from; push != to; ++push) waiting_octets_ -= push->frame->wire().size();
  hold.waiting.erase(from, to);
}

void Shard::Recovery::OnDrained(Connection& connection) {
  Hold* next = nullptr;
  for (auto& [room, hold] : holds_.find(connection.counter)->second) {
    if (hold.state != Hold::State::kDraining) continue;
    if (next == nullptr || hold.turn < next->turn) next = &hold;
  }
  if (next != nullptr) Ask(*next);
}

void Shard::Recovery::Forget(Connection& connection, const RoomName& room) {
  Hold* hold = Find(connection.counter, room.value);
  if (hold == nullptr) return;
  Answer answer = std::move(hold->answer);
  End(connection, *hold);
  if (!answer) return;
  std::move(answer)(Refusal(absl::StatusCode::kAborted, "JOIN_WITHDRAWN",
                            "the membership was ended while it came about"));
}

void Shard::Recovery::Forget(Connection& connection) {
  while (connection.held) {
    Forget(connection, RoomName(holds_.find(connection.counter)->second.begin()->second.room));
  }
}

void Shard::Recovery::EndTurn() {
  if (due_posted_ || due_.empty() || due_.begin()->first.first > shard_.now_.uptime) return;
  due_posted_ = true;
  shard_.post_([this] {
    due_posted_ = false;
    OnDue();
  });
}

void Shard::Recovery::OnDue() {
  while (!due_.empty() && due_.begin()->first.first <= shard_.now_.uptime) {
    const auto [counter, room] = due_.begin()->second;
    Hold& hold = *Find(counter, room.value);
    Connection& connection = *shard_.registry_.Find(counter);
    if (hold.state == Hold::State::kCaughtUp) {
      End(connection, hold);
    } else if (hold.state == Hold::State::kUnread && shard_.now_.uptime < hold.give_up) {
      Ask(hold);
    } else {
      if (hold.state == Hold::State::kAwaited) shard_.counters_.Add(Counter::kRecoveriesLate);
      GiveUp(connection, hold);
    }
  }
}

void Shard::Recovery::GiveUp(Connection& connection, Hold& hold) {
  shard_.counters_.Add(Counter::kPushesDroppedHeld, hold.waiting.size());
  TellGap(connection, hold, 0);
  End(connection, hold);
}

// Behind a join that the directory has: the answer waits until pushes to the room reach this shard.
void Shard::AwaitLive(uint64_t counter, const RoomName& room, RoomChange::Result result,
                      RoomSize size, const std::shared_ptr<PendingRooms>& pending) {
  interest_.Await(room, [this, counter, room, result, size, pending](const absl::Status& live) {
    Connection* joined = registry_.Find(counter);
    if (live.ok()) {
      Recovery::Answer told = [room, result, size, pending](const absl::Status& status) {
        if (!status.ok()) return pending->Refuse(room, status);
        pending->Settle(room, result, status, size);
      };
      if (joined != nullptr && joined->held && pending->by_client &&
          recovery_->Read(*joined, room, told)) {
        return;
      }
      return pending->Settle(room, TellJoined(counter, room, result, *pending), live, size);
    }
    if (joined == nullptr || joined->closing) return pending->Refuse(room, ConnectionGone());
    if (!Rooms::Has(*joined, room)) {  // it left before it was live
      return pending->Settle(room, RoomChange::Result::kNotAMember, absl::OkStatus(), {});
    }
    pending->Refuse(room, live);
    OnRoomDead(counter, room);
  });
}

}  // namespace wsrouter
