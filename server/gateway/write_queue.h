#ifndef WSROUTER_GATEWAY_WRITE_QUEUE_H_
#define WSROUTER_GATEWAY_WRITE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "gateway/session.h"

namespace wsrouter {

// Who of a loop has something to write, and who comes next; a turn of the loop writes so much and
// no more, so that sockets and the mailbox have their turn again soon.
//
// Half of a turn is for those who were added in it, the other half for those who are left from
// turns before, first come first served; what one half does not need the other has. So a room of a
// hundred thousand, or one that is sent megabytes, holds up who waits for a few octets for about
// one turn, and is never held up for good itself.
//
// A session is in it once. Owned by one shard thread; not synchronised.
class WriteQueue {
 public:
  // What a turn may cost, in octets: about a millisecond of sends over loopback.
  static constexpr size_t kTurnCost = size_t{2} << 20;
  static constexpr size_t kWriteCost = 6 * 1024;  // of any write, besides its octets

  // It has something to write; where it waits already it keeps its place.
  void Add(Session& session) {
    if (session.write_place != Session::kNowhere) return;
    session.write_place = static_cast<uint32_t>(fresh_.size());
    fresh_.push_back(&session);
  }
  // Likewise, behind all who wait: it has had its part, or was not to be written before.
  void AddBehind(Session& session) {
    if (session.write_place != Session::kNowhere) return;
    session.write_place = kLeft | (static_cast<uint32_t>(lefts()) & kPlaces);
    left_.push_back(&session);
  }
  void Remove(Session& session) {
    const uint32_t place = session.write_place;
    if (place == Session::kNowhere) return;
    if ((place & kLeft) == 0) {
      fresh_[place] = nullptr;
    } else {
      left_[(place - static_cast<uint32_t>(lefts_served_)) & kPlaces] = nullptr;
    }
    session.write_place = Session::kNowhere;
  }

  // Who is to write a piece now, and is not in the queue any more; null when this turn has none.
  Session* Next() {
    while (cost_ < kTurnCost) {
      const bool fresh = next_fresh_ < fresh_.size();
      if (!fresh && left_.empty()) return nullptr;
      Session* next = fresh && (cost_ < kTurnCost / 2 || left_.empty()) ? NextFresh() : NextLeft();
      if (next == nullptr) continue;
      next->write_place = Session::kNowhere;
      return next;
    }
    return nullptr;
  }
  // What was written of the one that came last.
  void Charge(size_t octets) { cost_ += kWriteCost + octets; }

  // Whether somebody is left for the next turn.
  bool EndTurn() {
    for (; next_fresh_ < fresh_.size(); ++next_fresh_) {
      Session* session = fresh_[next_fresh_];
      if (session == nullptr) continue;
      session->write_place = Session::kNowhere;
      AddBehind(*session);
    }
    fresh_.clear();
    next_fresh_ = 0;
    cost_ = 0;
    return !left_.empty();
  }

  // How many have had their turn of those who were ever left, and how many there were of them.
  uint64_t lefts_served() const { return lefts_served_; }
  uint64_t lefts() const { return lefts_served_ + left_.size(); }

 private:
  // A place in left_ is the number of who has it among all who were ever left, modulo 2^30.
  static constexpr uint32_t kLeft = uint32_t{1} << 30;
  static constexpr uint32_t kPlaces = kLeft - 1;
  static_assert((kLeft | kPlaces) < Session::kNowhere);

  Session* NextFresh() {
    // Sessions lie all over the heap: the one after the next is fetched meanwhile.
    const size_t soon = next_fresh_ + 2;
    if (soon < fresh_.size() && fresh_[soon] != nullptr) __builtin_prefetch(&fresh_[soon]->outbox);
    return fresh_[next_fresh_++];
  }
  Session* NextLeft() {
    if (left_.size() > 2 && left_[2] != nullptr) __builtin_prefetch(&left_[2]->outbox);
    Session* next = left_.front();
    left_.pop_front();
    ++lefts_served_;
    return next;
  }

  std::vector<Session*> fresh_;  // added in this turn; null where one has ended
  size_t next_fresh_ = 0;
  std::deque<Session*> left_;  // likewise
  uint64_t lefts_served_ = 0;
  size_t cost_ = 0;  // of this turn, so far
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_WRITE_QUEUE_H_
