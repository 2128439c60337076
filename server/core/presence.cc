#include "core/presence.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {

absl::Status Presence::Watch(const RoomName& room, uint16_t shard, News news) {
  absl::MutexLock lock(&mutex_);
  if (!rooms_.contains(room.value)) {
    if (rooms_.size() >= limits_.rooms_max) {
      return Refusal(absl::StatusCode::kResourceExhausted, "PRESENCE_CAPACITY",
                     fmt::format("the node tells of {} rooms who is in them, and of no more",
                                 limits_.rooms_max));
    }
    due_.push_front({.at = -absl::InfiniteDuration(), .room = room});
    next_due_.store(INT64_MIN, std::memory_order_relaxed);
  }
  rooms_[room.value].listeners[shard] = {.news = std::move(news)};
  return absl::OkStatus();
}

void Presence::Unwatch(const RoomName& room, uint16_t shard) {
  absl::MutexLock lock(&mutex_);
  const auto found = rooms_.find(room.value);
  if (found != rooms_.end()) found->second.listeners.erase(shard);
}

std::shared_ptr<const PresenceState> Presence::Take(const RoomName& room, uint16_t shard) {
  absl::MutexLock lock(&mutex_);
  const auto found = rooms_.find(room.value);
  if (found == rooms_.end()) return nullptr;
  const auto listener = found->second.listeners.find(shard);
  if (listener == found->second.listeners.end()) return nullptr;
  listener->second.told = false;
  return found->second.state;
}

void Presence::Tick(absl::Duration now) {
  if (absl::ToInt64Nanoseconds(now) < next_due_.load(std::memory_order_relaxed)) return;
  for (RoomName& room : TakeDue(now)) {
    directory_.Clients(room, limits_.named_max,
                       [weak = weak_from_this(), room](const absl::StatusOr<RoomClients>& read) {
                         if (const auto self = weak.lock()) self->OnRead(room, read);
                       });
  }
}

std::vector<RoomName> Presence::TakeDue(absl::Duration now) {
  std::vector<RoomName> due;
  absl::MutexLock lock(&mutex_);
  now_ = std::max(now_, now);
  while (!due_.empty() && due_.front().at <= now_) {
    RoomName room = std::move(due_.front().room);
    due_.pop_front();
    const auto found = rooms_.find(room.value);
    if (found->second.listeners.empty()) {
      rooms_.erase(found);
      continue;
    }
    due_.push_back({.at = now_ + limits_.interval, .room = room});
    if (!std::exchange(found->second.reading, true)) due.push_back(std::move(room));
  }
  next_due_.store(due_.empty() ? INT64_MAX : absl::ToInt64Nanoseconds(due_.front().at),
                  std::memory_order_relaxed);
  return due;
}

void Presence::OnRead(const RoomName& room, const absl::StatusOr<RoomClients>& read) {
  if (!read.ok()) counters_.Add(Counter::kPresenceReadsFailed);
  absl::MutexLock lock(&mutex_);
  const auto found = rooms_.find(room.value);
  if (found == rooms_.end()) return;
  Room& entry = found->second;
  entry.reading = false;
  if (!read.ok()) return;
  PresenceState next = Next(entry, *read);
  if (entry.state != nullptr && *entry.state == next) return;
  entry.state = std::make_shared<const PresenceState>(std::move(next));
  for (auto& [shard, listener] : entry.listeners) {
    if (!std::exchange(listener.told, true)) listener.news();
  }
}

PresenceState Presence::Next(Room& room, const RoomClients& read) const {
  if (read.count > limits_.named_max) {
    room.missed_since.clear();
    return {.named = false, .clients = {}, .count = read.count};
  }
  std::vector<std::string> here;
  here.reserve(read.clients.size());
  for (const ClientId& client : read.clients) here.push_back(client.value);
  std::ranges::sort(here);

  StringMap<absl::Duration> missed;
  std::vector<std::string> gone;  // and still shown; in order, as they were in the state
  if (room.state != nullptr) {
    for (const std::string& client : room.state->clients) {
      if (std::ranges::binary_search(here, client)) continue;
      const auto since = room.missed_since.find(client);
      const absl::Duration first = since == room.missed_since.end() ? now_ : since->second;
      if (now_ - first >= limits_.grace) continue;
      missed.emplace(client, first);
      gone.push_back(client);
    }
  }
  if (gone.size() > limits_.named_max) {
    gone.clear();
    missed.clear();
  }
  room.missed_since = std::move(missed);
  PresenceState next = {.named = true, .clients = {}, .count = here.size() + gone.size()};
  next.clients.reserve(next.count);
  std::ranges::merge(here, gone, std::back_inserter(next.clients));
  return next;
}

}  // namespace wsrouter
