#include "engine/topic_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wsrouter {

size_t TopicTable::Deliver(std::string_view key, const std::shared_ptr<const Envelope>& envelope,
                           const std::shared_ptr<ReceiptSum>& sum) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return 0;
  for (Subscriber* subscriber : found->second.subscribers) {
    subscriber->Take(envelope, ReceiptPart(sum));
  }
  return found->second.subscribers.size();
}

bool TopicTable::Add(Subscriber& subscriber, std::string_view key, bool needs_channel, Live live) {
  {
    absl::MutexLock lock(&mutex_);
    const auto [found, first] = entries_.try_emplace(std::string(key));
    Entry& entry = found->second;
    if (first) {
      entry.needs_channel = needs_channel;
      entry.generation = ++generations_;
    }
    if (std::ranges::find(entry.subscribers, &subscriber) == entry.subscribers.end()) {
      entry.subscribers.push_back(&subscriber);
    }
    if (needs_channel && !entry.live) {
      entry.waiting.push_back(std::move(live));
      return !entry.asked;
    }
  }
  std::move(live)(absl::OkStatus());
  return false;
}

bool TopicTable::Remove(Subscriber& subscriber, std::string_view key) {
  std::vector<Live> waiting;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return false;
    std::erase(found->second.subscribers, &subscriber);
    if (!found->second.subscribers.empty()) return false;
    waiting = std::move(found->second.waiting);
    entries_.erase(found);
  }
  for (Live& live : waiting) std::move(live)(absl::CancelledError("no longer wanted"));
  return true;
}

std::optional<TopicTable::Ask> TopicTable::BeginAsk(std::string_view key) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.needs_channel || found->second.asked) {
    return std::nullopt;
  }
  found->second.asked = true;
  return Ask{.key = std::string(key), .generation = found->second.generation};
}

std::vector<TopicTable::Ask> TopicTable::BeginAskAll() {
  std::vector<Ask> asks;
  absl::MutexLock lock(&mutex_);
  for (auto& [key, entry] : entries_) {
    if (!entry.needs_channel || entry.asked) continue;
    entry.asked = true;
    asks.push_back({.key = key, .generation = entry.generation});
  }
  return asks;
}

void TopicTable::EndAsk(const Ask& ask, const absl::Status& status) {
  std::vector<Live> waiting;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(ask.key);
    if (found == entries_.end() || found->second.generation != ask.generation) return;
    found->second.live = status.ok();
    found->second.asked = status.ok();
    found->second.cut_off = found->second.cut_off && !status.ok();
    waiting = std::exchange(found->second.waiting, {});
  }
  for (Live& live : waiting) std::move(live)(status);
}

bool TopicTable::MayGiveUp(std::string_view key) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() || !found->second.asked;
}

bool TopicTable::IsLive(std::string_view key) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.live;
}

bool TopicTable::IsCutOff(std::string_view key) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.cut_off;
}

void TopicTable::LoseChannels(const absl::Status& why) {
  std::vector<Live> waiting;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [key, entry] : entries_) {
      if (!entry.needs_channel) continue;
      entry.cut_off = entry.cut_off || entry.live;
      entry.live = entry.asked = false;
      entry.generation = ++generations_;
      std::ranges::move(std::exchange(entry.waiting, {}), std::back_inserter(waiting));
    }
  }
  for (Live& live : waiting) std::move(live)(why);
}

void TopicTable::Refuse(std::string_view key, const absl::Status& why) {
  std::vector<Live> waiting;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    waiting = std::exchange(found->second.waiting, {});
  }
  for (Live& live : waiting) std::move(live)(why);
}

}  // namespace wsrouter
