#ifndef WSROUTER_CONTROL_CALL_GATE_H_
#define WSROUTER_CONTROL_CALL_GATE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace wsrouter {

// Decides when a service is called: so many calls at a time, so many more that wait in their order,
// all of them of so many octets, and none while it is of no use. A gate knows calls by numbers and
// starts nothing itself.
//
// No use: after `failures_max` failures one behind the other, or when at least half of the calls of
// a `rate_window` failed (and they were `rate_calls_min` or more), it refuses all calls for a
// pause. Then one call is let through as a probe. Its success ends the trouble, its failure brings
// a pause twice as long.
//
// One thread; `now` is uptime and never goes back.
class CallGate {
 public:
  struct Options {
    uint32_t concurrency_max = 1000;
    uint32_t queue_max = 10'000;
    // Of the calls that wait or are under way: what a service that does not keep up costs the node,
    // however large its clients' messages are (they are copied once more while they are sent).
    size_t octets_max = size_t{64} << 20;
    uint32_t failures_max = 5;
    uint32_t rate_calls_min = 20;
    absl::Duration rate_window = absl::Seconds(10);
    absl::Duration pause_min = absl::Milliseconds(500);
    absl::Duration pause_max = absl::Seconds(10);
  };
  enum class Verdict : uint8_t {
    kStart,  // now
    kWait,   // for Next to say more
    kFull,   // as many wait as may
    kHeavy,  // it would be more octets than may be
    kLate,   // its deadline passed while it waited
    kPaused,
  };
  enum class Outcome : uint8_t {
    kSuccess,
    kFailure,    // of the service as a whole: it is away, or does not answer
    kWithdrawn,  // says nothing about the service
  };
  struct Turn {
    uint64_t call = 0;
    Verdict verdict = Verdict::kStart;  // kStart, kLate or kPaused
  };

  explicit CallGate(const Options& options) : options_(options) {}

  // A call of so many octets wants to start, and waits until `deadline` where it must. One that is
  // larger than all that may be is let in alone.
  Verdict Enter(uint64_t call, size_t octets, absl::Duration deadline, absl::Duration now);
  // A call that was started has ended; Next may have more.
  void Leave(uint64_t call, Outcome outcome, absl::Duration now);
  // Waits no longer. False when it did not.
  bool Withdraw(uint64_t call);
  // The next call that waits and may start or has to be refused. To be asked again until it says
  // nothing, after each Leave.
  std::optional<Turn> Next(absl::Duration now);

  size_t running() const { return running_.size(); }
  size_t waiting() const { return waiting_.size(); }
  // Calls are refused, or one is let through to see.
  bool paused() const { return paused_; }
  size_t octets() const { return octets_; }
  // Whether a call that comes now is refused, whatever the numbers are.
  bool Refuses(absl::Duration now) const;
  // How long calls are still refused.
  absl::Duration PauseLeft(absl::Duration now) const;

 private:
  struct Waiting {
    absl::Duration deadline;
    size_t octets = 0;
  };

  // A place is free, and the pause, if there is one, lets a probe through.
  bool MayStart(absl::Duration now) const;
  void Start(uint64_t call, size_t octets);
  void Count(bool failure, absl::Duration now);
  void Pause(absl::Duration now);

  const Options options_;
  size_t octets_ = 0;                              // of those that wait or run
  absl::flat_hash_map<uint64_t, size_t> running_;  // their octets
  std::deque<uint64_t> queue_;                     // with some that wait no longer
  absl::flat_hash_map<uint64_t, Waiting> waiting_;

  bool paused_ = false;
  std::optional<uint64_t> probe_;
  absl::Duration pause_;  // the last one
  absl::Duration pause_end_;
  uint32_t failures_in_row_ = 0;
  absl::Duration window_end_;
  uint32_t window_calls_ = 0;
  uint32_t window_failures_ = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CALL_GATE_H_
