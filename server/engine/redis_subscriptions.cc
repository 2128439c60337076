#include "engine/redis_subscriptions.h"

#include <utility>

namespace wsrouter {
namespace {

constexpr size_t kChannelsMax = 1000;  // in one command

}  // namespace

void RedisSubscriptions::Subscribe(std::string channel, Done done) {
  Channel& entry = channels_[channel];
  if (entry.wanted && entry.asked == 0) return std::move(done)(absl::OkStatus());
  entry.dones.push_back(std::move(done));
  if (entry.wanted) return;
  entry.wanted = true;
  ++entry.asked;
  changes_.push_back({.channel = std::move(channel), .subscribe = true});
}

void RedisSubscriptions::Unsubscribe(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || !found->second.wanted) return;
  found->second.wanted = false;
  ++found->second.asked;
  changes_.push_back({.channel = std::string(channel), .subscribe = false});
  for (Done& done : std::exchange(found->second.dones, {})) {
    std::move(done)(absl::CancelledError("unsubscribed before the subscription was live"));
  }
}

void RedisSubscriptions::Flush(RedisConnection& connection, bool sharded) {
  const std::string prefix = sharded ? "S" : "";
  std::vector<std::string> words;
  for (size_t i = 0; i < changes_.size(); ++i) {
    const bool subscribe = changes_[i].subscribe;
    if (words.empty()) words.push_back(prefix + (subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE"));
    words.push_back(std::move(changes_[i].channel));
    const bool last = i + 1 == changes_.size() || changes_[i + 1].subscribe != subscribe;
    if (!last && words.size() <= kChannelsMax) continue;
    connection.Send(words);
    words.clear();
  }
  changes_.clear();
}

void RedisSubscriptions::OnAcknowledged(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || found->second.asked == 0 || --found->second.asked > 0) return;
  std::vector<Done> dones = std::exchange(found->second.dones, {});
  if (!found->second.wanted) channels_.erase(found);
  for (Done& done : dones) std::move(done)(absl::OkStatus());
}

bool RedisSubscriptions::Awaits(std::string_view channel) const {
  const auto found = channels_.find(channel);
  return found != channels_.end() && found->second.asked > 0;
}

bool RedisSubscriptions::Heard(std::string_view channel) const {
  return channels_.contains(channel);
}

void RedisSubscriptions::Clear(std::string_view why) {
  changes_.clear();
  for (auto& [name, channel] : std::exchange(channels_, {})) {
    for (Done& done : channel.dones) std::move(done)(absl::UnavailableError(AbslView(why)));
  }
}

}  // namespace wsrouter
