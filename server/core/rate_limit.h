#ifndef WSROUTER_CORE_RATE_LIMIT_H_
#define WSROUTER_CORE_RATE_LIMIT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/ids.h"

namespace wsrouter {

inline constexpr uint32_t kRateMax = 10'000;  // pushes a window: each is remembered by its time
inline constexpr absl::Duration kRateWindowMin = absl::Milliseconds(1);
inline constexpr absl::Duration kRateWindowMax = absl::Hours(1);
inline constexpr size_t kRateOverridesMax = 100'000;  // limits set at run time, in the cluster

// At most `n` pushes in any window of this length, wherever it begins; n zero: no limit.
struct RateLimit {
  uint32_t n = 0;
  absl::Duration window = absl::ZeroDuration();

  bool on() const { return n > 0; }
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// Whether the figures are within the bounds above; `n` zero is, with any window.
bool IsRateLimit(const RateLimit& limit);

// "100/1s", "5000/1m"; "0" is no limit.
absl::StatusOr<RateLimit> ParseRateLimit(std::string_view text);

// What becomes of a client that is over a limit.
enum class OnRateLimit : uint8_t {
  kDrop,        // the push is refused
  kDisconnect,  // likewise, and the sender's connections are closed 4029
};

// What a limit can be set for at run time.
using RateSubject = std::variant<RoomName, ClientId>;

// What one push is charged to.
struct RateCharge {
  struct Part {
    std::string log;  // the name of the log that remembers; no two subjects share one
    RateLimit limit;  // off: nothing is charged
  };
  Part client;
  Part room;
  OnRateLimit on_limit = OnRateLimit::kDrop;
  ClientId sender;  // empty: nobody's push
};

struct RateVerdict {
  enum class Result : uint8_t { kAllowed, kRoom, kClient };
  Result result = Result::kAllowed;
  absl::Duration retry_after = absl::ZeroDuration();  // where refused: when it may be tried again
};

// RESOURCE_EXHAUSTED, RATE_ROOM or RATE_CLIENT, with the time to wait; OK where allowed.
absl::Status RateStatus(const RateVerdict& verdict, const RateCharge& charge);

// How long RateStatus says to wait; zero for all other statuses.
absl::Duration RetryAfter(const absl::Status& status);
absl::Status WithRetryAfter(absl::Status status, absl::Duration retry_after);

}  // namespace wsrouter

#endif  // WSROUTER_CORE_RATE_LIMIT_H_
