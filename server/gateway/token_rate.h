#ifndef WSROUTER_GATEWAY_TOKEN_RATE_H_
#define WSROUTER_GATEWAY_TOKEN_RATE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace wsrouter {

// A bucket of `burst` tokens that gets `rate` new ones a second. What is left in a bucket is told
// by one number, the time at which it is full again (the generic cell rate algorithm of ITU-T
// I.371), so an owner of many keeps 8 octets for each: zero is a full bucket.
class TokenRate {
 public:
  // `rate` 0: nothing is ever refused. `burst` 0 is taken for 1.
  TokenRate(uint32_t rate, uint32_t burst)
      : interval_(rate == 0 ? 0 : 1'000'000'000 / rate),
        slack_(interval_ * (std::max<int64_t>(burst, 1) - 1)) {}

  bool on() const { return interval_ > 0; }
  int64_t interval() const { return interval_; }  // between two tokens, in nanoseconds
  int64_t slack() const { return slack_; }

  // False when the bucket has fewer left, and then takes none. `tokens` is 1 or more. What a full
  // bucket got in the last `credit` is not lost.
  [[nodiscard]] bool Take(int64_t& full_at, absl::Duration uptime, int64_t tokens = 1,
                          absl::Duration credit = absl::ZeroDuration()) const {
    if (!on()) return true;
    const int64_t now = absl::ToInt64Nanoseconds(uptime);
    const int64_t from = std::max(full_at, now - absl::ToInt64Nanoseconds(credit));
    if (from - now + interval_ * (tokens - 1) > slack_) return false;
    full_at = from + interval_ * tokens;
    return true;
  }

 private:
  int64_t interval_;
  int64_t slack_;
};

// A rate that changes while others take by it. Any thread.
class SharedRate {
 public:
  void Set(uint32_t rate, uint32_t burst) {
    packed_.store((uint64_t{rate} << 32) | burst, std::memory_order_relaxed);
  }
  TokenRate Get() const {
    const uint64_t packed = packed_.load(std::memory_order_relaxed);
    return {static_cast<uint32_t>(packed >> 32), static_cast<uint32_t>(packed)};
  }

 private:
  std::atomic<uint64_t> packed_{0};
};

// What an owner of a bucket whose tokens nobody took for a while, because nothing was read of it,
// is owed: the tokens of that while, for what came meanwhile and is read all at once. It lapses in
// as long a time as the pause took. Whatever the pauses, nobody gets more than the burst and the
// rate.
class PauseCredit {
 public:
  void Pause(absl::Duration uptime) {
    credit_ = Left(uptime);
    since_ = uptime;
  }
  // Behind Pause.
  void Resume(absl::Duration uptime) {
    credit_ = std::min(credit_ + (uptime - since_), kCreditMax);
    since_ = uptime;
  }
  // Of the last Resume; not in a pause.
  absl::Duration Left(absl::Duration uptime) const {
    return std::max(credit_ - (uptime - since_), absl::ZeroDuration());
  }

 private:
  static constexpr absl::Duration kCreditMax = absl::Minutes(1);

  absl::Duration credit_ = absl::ZeroDuration();
  absl::Duration since_ = absl::ZeroDuration();
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_TOKEN_RATE_H_
