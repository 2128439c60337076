#include "engine/replay_windows.h"

#include "fmt/format.h"

namespace wsrouter {

ReplayWindows::Window& ReplayWindows::WindowOf(const NodeIdentity& sender) {
  const auto found = places_.find(sender);
  if (found != places_.end()) {
    windows_.splice(windows_.begin(), windows_, found->second);
    return windows_.front();
  }
  if (windows_.size() >= senders_max_) {
    places_.erase(windows_.back().sender);
    windows_.pop_back();
  }
  windows_.push_front({.sender = sender});
  places_.emplace(sender, windows_.begin());
  return windows_.front();
}

absl::Status ReplayWindows::Admit(const NodeIdentity& sender, uint64_t sequence) {
  Window& window = WindowOf(sender);
  if (sequence > window.newest) {
    if (sequence - window.newest >= kSequences) {
      window.seen.reset();
    } else {  // the numbers in between were not seen, whatever was at their places before
      for (uint64_t between = window.newest + 1; between < sequence; ++between) {
        window.seen.reset(between % kSequences);
      }
    }
    window.newest = sequence;
  } else if (window.newest - sequence >= kSequences) {
    return absl::UnauthenticatedError(
        fmt::format("sequence {} is older than the newest {} messages of its sender, at {}",
                    sequence, kSequences, window.newest));
  } else if (window.seen.test(sequence % kSequences)) {
    return absl::UnauthenticatedError(fmt::format("sequence {} was seen before", sequence));
  }
  window.seen.set(sequence % kSequences);
  return absl::OkStatus();
}

}  // namespace wsrouter
