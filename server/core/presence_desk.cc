#include "core/presence_desk.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "core/client_protocol.h"
#include "core/error.h"
#include "core/rooms.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

using Names = std::vector<std::string>;

FrameRef FrameOf(const RoomName& room, const PresenceNews& news) {
  return FrameRef(Frame::Make(Opcode::kText, PresenceText(room, news)));
}

// What has changed from one state to the next, both with names or both without; null: all of it.
FrameRef ChangeFrame(const RoomName& room, const PresenceState* from, const PresenceState& to) {
  if (from == nullptr || from->named != to.named) return {};
  Names joined;
  Names left;
  std::ranges::set_difference(to.clients, from->clients, std::back_inserter(joined));
  std::ranges::set_difference(from->clients, to.clients, std::back_inserter(left));
  return FrameOf(room, {.joined = joined, .left = left, .count = to.count});
}

// Whether the frame with this number is still in its outbox.
bool Waits(const Outbox& outbox, uint32_t number) {
  return !outbox.empty() && static_cast<int32_t>(outbox.first_number() - number) <= 0;
}

}  // namespace

PresenceDesk::PresenceDesk(std::shared_ptr<Presence> presence, uint16_t shard, PostTask post,
                           Counters& counters, Queue queue)
    : presence_(std::move(presence)),
      shard_(shard),
      post_(std::move(post)),
      counters_(counters),
      queue_(std::move(queue)) {}

bool PresenceDesk::Hears(const Connection& connection, const RoomName& room) const {
  const auto found = rooms_.find(room.value);
  return found != rooms_.end() && found->second.hearers.contains(connection.counter);
}

absl::Status PresenceDesk::TurnOn(Connection& connection, const RoomName& room) {
  if (presence_ == nullptr || !presence_->limits().on) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "PRESENCE_OFF",
                   "this node tells nobody who is in a room");
  }
  const auto heard = std::ranges::count_if(connection.rooms, [&](const auto& membership) {
    return membership.room->name != room && Hears(connection, membership.room->name);
  });
  const uint32_t most = presence_->limits().rooms_per_connection;
  if (static_cast<uint64_t>(heard) >= most) {
    return Refusal(absl::StatusCode::kResourceExhausted, "PRESENCE_PER_CONNECTION",
                   fmt::format("a connection may hear of who is in {} rooms", most));
  }
  if (!rooms_.contains(room.value)) {
    // The shard may be gone when there is news; inside of the task it is not.
    const absl::Status watched = presence_->Watch(
        room, shard_, [this, post = post_, room] { post([this, room] { OnNews(room); }); });
    if (!watched.ok()) return watched;
    rooms_[room.value].told = presence_->Take(room, shard_);
  }
  auto& hearers = rooms_[room.value].hearers;
  const auto [hearer, is_new] = hearers.try_emplace(connection.counter, Hearer{&connection});
  hearer->second.behind = behind_ = true;
  behind_due_ = {};
  return absl::OkStatus();
}

void PresenceDesk::TurnOff(const Connection& connection, const RoomName& room) {
  const auto found = rooms_.find(room.value);
  if (found == rooms_.end() || found->second.hearers.erase(connection.counter) == 0) return;
  if (!found->second.hearers.empty()) return;
  rooms_.erase(found);
  presence_->Unwatch(room, shard_);
}

void PresenceDesk::TurnOff(const Connection& connection) {
  if (rooms_.empty()) return;
  for (const Connection::Membership& membership : connection.rooms) {
    TurnOff(connection, membership.room->name);
  }
}

void PresenceDesk::EndTurn(absl::Duration now) {
  if (presence_ == nullptr) return;
  presence_->Tick(now);
  if (!behind_ || now < behind_due_) return;
  behind_due_ = now + presence_->limits().interval;
  TellBehind();
}

void PresenceDesk::OnNews(const RoomName& name) {
  const auto found = rooms_.find(name.value);
  if (found == rooms_.end()) return;
  Room& room = found->second;
  auto state = presence_->Take(name, shard_);
  if (state == nullptr) return;
  if (room.told != nullptr && *room.told == *state) return;
  const FrameRef change = ChangeFrame(name, room.told.get(), *state);
  room.told = std::move(state);
  room.full = {};
  for (auto& [counter, hearer] : room.hearers) {
    if (hearer.behind || !change) {
      TellFull(name, room, hearer);
    } else {
      Tell(hearer, change);
    }
    if (hearer.behind) counters_.Add(Counter::kPresenceFramesSkipped);
  }
}

void PresenceDesk::TellBehind() {
  behind_ = false;
  for (auto& [name, room] : rooms_) {
    if (room.told == nullptr) continue;  // news will come
    for (auto& [counter, hearer] : room.hearers) {
      if (hearer.behind) TellFull({name}, room, hearer);
    }
  }
}

void PresenceDesk::TellFull(const RoomName& name, Room& room, Hearer& hearer) {
  if (!room.full) {
    room.full = FrameOf(
        name, {.full = true, .joined = room.told->clients, .left = {}, .count = room.told->count});
  }
  Tell(hearer, room.full);
}

void PresenceDesk::Tell(Hearer& hearer, const FrameRef& frame) {
  Connection& connection = *hearer.connection;
  const bool waits = hearer.queued && Waits(connection.outbox, hearer.number);
  const uint32_t number = connection.outbox.next_number();
  if (waits || !queue_(connection, frame)) {
    hearer.behind = behind_ = true;
    return;
  }
  hearer.behind = false;
  hearer.queued = true;
  hearer.number = number;
  counters_.Add(Counter::kPresenceFrames);
}

}  // namespace wsrouter
