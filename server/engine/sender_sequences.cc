#include "engine/sender_sequences.h"

#include "fmt/format.h"

namespace wsrouter {

SenderSequences::Sender& SenderSequences::Find(const NodeIdentity& node) {
  const auto found = places_.find(node);
  if (found != places_.end()) {
    senders_.splice(senders_.begin(), senders_, found->second);
    return senders_.front();
  }
  if (senders_.size() >= senders_max_) {
    places_.erase(senders_.back().node);
    senders_.pop_back();
  }
  senders_.push_front({.node = node});
  places_.emplace(node, senders_.begin());
  return senders_.front();
}

absl::Status SenderSequences::Admit(const NodeIdentity& sender, uint64_t sequence) {
  uint64_t& newest = Find(sender).newest;
  if (sequence <= newest) {
    return absl::OutOfRangeError(
        fmt::format("sequence {} comes behind {} of the same sender", sequence, newest));
  }
  newest = sequence;
  return absl::OkStatus();
}

}  // namespace wsrouter
