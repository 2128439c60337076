#ifndef WSROUTER_GATEWAY_TIMER_WHEEL_H_
#define WSROUTER_GATEWAY_TIMER_WHEEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace wsrouter {

// One timer of a connection; inherit from it. Not in a wheel until set.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  friend class TimerWheel;
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  int64_t tick_ = 0;
};

// Many timers that are mostly set again before they fire: setting, setting again and cancelling
// cost the same for ten and for a hundred thousand (Varghese and Lauck, "Hashed and Hierarchical
// Timing Wheels", scheme 6). A timer fires at most one tick late and never early; one further
// away than a turn of the wheel is looked at once a turn.
//
// Owned by one thread; not synchronised.
class TimerWheel {
 public:
  static constexpr absl::Duration kTick = absl::Milliseconds(100);

  explicit TimerWheel(absl::Duration uptime) : now_tick_(uptime / kTick), slots_(kSlots) {
    for (Timer& slot : slots_) slot.next_ = slot.previous_ = &slot;
  }

  // Fires at `due` or up to a tick later; at the next Advance where that is past. Replaces an
  // earlier setting; an infinite `due` only cancels that.
  void Set(Timer& timer, absl::Duration due) {
    Cancel(timer);
    if (due == absl::InfiniteDuration()) return;
    timer.tick_ = std::max(now_tick_, due / kTick) + 1;
    Timer& slot = slots_[static_cast<size_t>(timer.tick_) % kSlots];
    timer.previous_ = slot.previous_;
    timer.next_ = &slot;
    timer.previous_->next_ = timer.next_->previous_ = &timer;
  }

  void Cancel(Timer& timer) {
    if (timer.next_ == nullptr) return;
    timer.previous_->next_ = timer.next_;
    timer.next_->previous_ = timer.previous_;
    timer.next_ = timer.previous_ = nullptr;
  }

  // Calls fire(Timer&) for each timer that is due; it may set and cancel any timer.
  template <typename Fire>
  void Advance(absl::Duration uptime, Fire fire) {
    const int64_t until = uptime / kTick;
    // Longer asleep than a turn of the wheel: one turn still visits every slot.
    now_tick_ = std::max(now_tick_, until - static_cast<int64_t>(kSlots));
    while (now_tick_ < until) {
      ++now_tick_;
      FireSlot(slots_[static_cast<size_t>(now_tick_) % kSlots], fire);
    }
  }

 private:
  static constexpr size_t kSlots = 1024;

  template <typename Fire>
  void FireSlot(Timer& slot, Fire& fire) {
    // The due ones move to a list of their own first, since `fire` may set timers into this slot.
    Timer due;
    due.next_ = due.previous_ = &due;
    for (Timer* timer = slot.next_; timer != &slot;) {
      Timer* next = timer->next_;
      if (timer->tick_ <= now_tick_) {
        Cancel(*timer);
        timer->previous_ = due.previous_;
        timer->next_ = &due;
        timer->previous_->next_ = timer->next_->previous_ = timer;
      }
      timer = next;
    }
    while (due.next_ != &due) {
      Timer& timer = *due.next_;
      Cancel(timer);
      fire(timer);
    }
  }

  int64_t now_tick_;
  std::vector<Timer> slots_;  // each the head of a ring
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_TIMER_WHEEL_H_
