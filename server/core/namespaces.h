#ifndef WSROUTER_CORE_NAMESPACES_H_
#define WSROUTER_CORE_NAMESPACES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/limits.h"
#include "core/rate_limit.h"

namespace wsrouter {

inline constexpr uint32_t kHistorySizeMax = 10'000;
inline constexpr absl::Duration kHistoryTtlMin = absl::Milliseconds(1);
inline constexpr absl::Duration kHistoryTtlMax = absl::Hours(720);

// What a room keeps of its pushes (core/history.h).
struct HistoryOptions {
  uint32_t size = 0;                      // the last so many; 0: none
  absl::Duration ttl = absl::Minutes(5);  // as long as they are not older
  bool always = false;                    // also those that did not ask to be kept
  bool logged = false;                    // the event log names each that is kept

  bool on() const { return size > 0; }
};

// What counts for the rooms whose names begin alike.
struct NamespaceOptions {
  RateLimit room_rate;    // of each room by itself
  RateLimit client_rate;  // of each sender
  OnRateLimit on_limit = OnRateLimit::kDrop;
  SlowConsumerPolicy slow_consumer = SlowConsumerPolicy::kDrop;  // of pushes that do not say
  HistoryOptions history = {};
};

// A namespace: a prefix of room names and what differs there from the defaults.
struct Namespace {
  std::string prefix;  // empty: the defaults
  NamespaceOptions options;
  bool own_client_rate = false;  // senders are counted here apart from elsewhere
};

// Which namespace a room is in: the one with the longest prefix that its name has. Compiled once,
// never changed; any thread.
class Namespaces {
 public:
  static constexpr size_t kLinesMax = 100;

  Namespaces() : Namespaces(NamespaceOptions{}) {}
  explicit Namespaces(const NamespaceOptions& defaults)
      : list_{{.prefix = {}, .options = defaults}} {}

  // Each line "<prefix> <option>=<value> ...", the options room_rate, client_rate (as
  // ParseRateLimit has them), on_limit (drop or disconnect), slow_consumer (drop,
  // drop_old, conflate or disconnect), history_size (0 to kHistorySizeMax),
  // history_ttl (a duration such as 90s), reliable (always, or asked: where the push asks for
  // it) and log_messages (on or off). What a line does not say is as in `defaults`. No two lines
  // may have one prefix.
  static absl::StatusOr<Namespaces> Parse(const std::vector<std::string>& lines,
                                          const NamespaceOptions& defaults);

  const Namespace& Of(std::string_view room) const;
  const Namespace& defaults() const { return list_.back(); }
  // Whether any room or sender has a limit.
  bool AnyRate() const;
  // Whether any room keeps pushes.
  bool AnyHistory() const;

 private:
  std::vector<Namespace> list_;  // longest prefix first; the defaults are the last
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_NAMESPACES_H_
