#ifndef WSROUTER_CLIENT_CPP_MISSED_H_
#define WSROUTER_CLIENT_CPP_MISSED_H_

#include <algorithm>
#include <cstdint>

namespace wsrouter::client {

// Finds out how much of one stream was lost, from what the node says (Missed) and from the gaps in
// its numbers. A loss of which both tell is counted once, whichever comes first.
class MissedCount {
 public:
  // Something with a number came. How many are newly known to be lost before it.
  [[nodiscard]] uint64_t OnNumber(uint64_t sequence) {
    const uint64_t gap = Advance(sequence);
    const uint64_t unknown = gap > told_ ? gap - told_ : 0;
    told_ = 0;
    return unknown;
  }

  // The node told of a loss, with a number of its own or 0. How many are newly known to be lost.
  [[nodiscard]] uint64_t OnMissed(uint64_t events, uint64_t sequence) {
    const uint64_t gap = sequence == 0 ? 0 : Advance(sequence);
    // What no number has shown yet will show in the next one.
    told_ = events > gap ? events - gap : 0;
    return std::max(events, gap);
  }

 private:
  uint64_t Advance(uint64_t sequence) {
    const uint64_t gap = sequence > last_ ? sequence - last_ - 1 : 0;
    last_ = std::max(last_, sequence);
    return gap;
  }

  uint64_t last_ = 0;
  uint64_t told_ = 0;  // lost as the node said, and not yet seen as a gap
};

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_CPP_MISSED_H_
