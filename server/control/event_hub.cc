#include "control/event_hub.h"

#include <algorithm>
#include <utility>

namespace wsrouter {
namespace {

template <typename Map>
size_t TextBytes(const Map& map) {
  size_t bytes = 0;
  for (const auto& [key, value] : map) bytes += key.size() + value.size();
  return bytes;
}

// Octets of text and payload that an event holds on to while it waits.
struct BytesOf {
  size_t operator()(const event::Connected& connected) const {
    const Handshake& said = *connected.handshake;
    return said.path.size() + said.query.size() + TextBytes(said.headers) + TextBytes(said.cookies);
  }
  size_t operator()(const event::Owned& owned) const { return TextBytes(owned.labels); }
  size_t operator()(const event::Resumed& resumed) const { return TextBytes(resumed.labels); }
  size_t operator()(const event::Message& message) const {
    size_t bytes = message.payload.size() + message.room.value.size();
    for (const RoomName& room : message.rooms) bytes += room.value.size();
    return bytes;
  }
  size_t operator()(const event::Joined& joined) const { return joined.room.value.size(); }
  size_t operator()(const event::Left& left) const { return left.room.value.size(); }
  size_t operator()(const event::Disconnected& end) const { return end.close.reason.size(); }
  size_t operator()(const event::Released&) const { return 0; }
  size_t operator()(const event::Slow&) const { return 0; }
};

size_t BytesOfEvent(const Event& event) {
  return event.client.value.size() + std::visit(BytesOf{}, event.detail);
}

bool InRooms(const Event::Detail& detail, const absl::flat_hash_set<RoomName>& rooms) {
  if (const auto* joined = std::get_if<event::Joined>(&detail)) return rooms.contains(joined->room);
  if (const auto* left = std::get_if<event::Left>(&detail)) return rooms.contains(left->room);
  const auto* message = std::get_if<event::Message>(&detail);
  return message != nullptr &&
         std::ranges::any_of(message->rooms, [&](const RoomName& r) { return rooms.contains(r); });
}

}  // namespace

bool EventFilter::Passes(const Event& event) const {
  return kinds.test(event.detail.index()) && (clients.empty() || clients.contains(event.client)) &&
         (rooms.empty() || InRooms(event.detail, rooms));
}

std::shared_ptr<EventHub::Watcher> EventHub::Make(EventFilter filter, StreamQueueLimits limits,
                                                  absl::AnyInvocable<void() const> wake) {
  const uint64_t id = last_id_.fetch_add(1, std::memory_order_relaxed) + 1;
  return std::make_shared<Watcher>(id, std::move(filter), limits, std::move(wake));
}

void EventHub::Add(std::shared_ptr<Watcher> watcher) {
  absl::MutexLock lock(&mutex_);
  auto watchers = std::make_shared<Watchers>(*watchers_);
  watchers->push_back(std::move(watcher));
  Replace(std::move(watchers));
}

void EventHub::Remove(uint64_t watcher) {
  absl::MutexLock lock(&mutex_);
  auto watchers = std::make_shared<Watchers>(*watchers_);
  std::erase_if(*watchers, [&](const auto& present) { return present->id() == watcher; });
  Replace(std::move(watchers));
}

void EventHub::Replace(std::shared_ptr<const Watchers> watchers) {
  EventKinds wanted;
  for (const auto& watcher : *watchers) wanted |= watcher->filter_.kinds;
  wanted_.store(wanted.to_ullong(), std::memory_order_relaxed);
  watchers_ = std::move(watchers);
}

std::shared_ptr<const EventHub::Watchers> EventHub::Present() const {
  absl::MutexLock lock(&mutex_);
  return watchers_;
}

std::shared_ptr<EventHub::Watcher> EventHub::Find(uint64_t watcher) const {
  const auto watchers = Present();
  const auto found = std::ranges::find_if(
      *watchers, [&](const auto& present) { return present->id() == watcher; });
  return found == watchers->end() ? nullptr : *found;
}

void EventHub::Emit(Event event) {
  const auto watchers = Present();
  std::shared_ptr<const Event> shared;
  size_t bytes = 0;
  for (const auto& watcher : *watchers) {
    if (!watcher->filter_.Passes(shared == nullptr ? event : *shared)) continue;
    if (shared == nullptr) {
      bytes = BytesOfEvent(event);
      shared = std::make_shared<const Event>(std::move(event));
    }
    OnPut(*watcher, watcher->queue_.Put(shared, bytes));
  }
}

void EventHub::EmitTo(uint64_t watcher, Event event) {
  const auto found = Find(watcher);
  if (found == nullptr) return;
  found->pending_.fetch_add(1, std::memory_order_relaxed);
  // Bounded by the connections of the node.
  OnPut(*found, found->queue_.PutAlways(std::make_shared<const Event>(std::move(event))));
}

void EventHub::EmitReady(uint64_t watcher) {
  const auto found = Find(watcher);
  if (found == nullptr) return;
  const Ready ready = {.pending = found->pending_.load(std::memory_order_relaxed)};
  OnPut(*found, found->queue_.PutAlways(ready));
}

void EventHub::OnPut(const Watcher& watcher, StreamQueue<Item>::Add added) {
  if (added == StreamQueue<Item>::Add::kFirst) watcher.wake_();
  if (added == StreamQueue<Item>::Add::kLost) counters_.Add(Counter::kEventsMissed);
}

}  // namespace wsrouter
