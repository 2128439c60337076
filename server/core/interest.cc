#include "core/interest.h"

#include <utility>

namespace wsrouter {

void Interest::Hold(const Topic& topic) {
  const std::string key = KeyOf(topic);
  Entry& entry = entries_[key];
  ++entry.holds;
  Subscribe(topic, key, entry);
}

void Interest::Await(const Topic& topic, Live live) {
  const std::string key = KeyOf(topic);
  Entry& entry = entries_.find(key)->second;
  if (entry.live) {
    std::move(live)(absl::OkStatus());
    return;
  }
  entry.waiting.push_back(std::move(live));
  Subscribe(topic, key, entry);
}

void Interest::Subscribe(const Topic& topic, const std::string& key, Entry& entry) {
  if (entry.live || entry.generation != 0) return;
  const uint64_t generation = entry.generation = ++generations_;
  broker_.Subscribe(shard_, topic, [this, post = post_, key, generation](absl::Status status) {
    post([this, key, generation, status] { OnSubscribed(key, generation, status); });
  });
}

void Interest::Release(const Topic& topic) {
  auto found = entries_.find(KeyOf(topic));
  if (--found->second.holds > 0) return;
  std::vector<Live> waiting = std::move(found->second.waiting);
  entries_.erase(found);
  broker_.Unsubscribe(shard_, topic);
  for (Live& live : waiting) std::move(live)(absl::CancelledError("no longer wanted"));
}

void Interest::OnSubscribed(const std::string& key, uint64_t generation,
                            const absl::Status& status) {
  auto found = entries_.find(key);
  if (found == entries_.end() || found->second.generation != generation) return;
  found->second.live = status.ok();
  if (!status.ok()) found->second.generation = 0;  // the next to hold or wait asks again
  std::vector<Live> waiting = std::exchange(found->second.waiting, {});
  for (Live& live : waiting) std::move(live)(status);
}

}  // namespace wsrouter
