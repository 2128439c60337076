#ifndef WSROUTER_CLIENT_CONSUMED_ENTRY_H_
#define WSROUTER_CLIENT_CONSUMED_ENTRY_H_

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "wsrouter/v1/events.pb.h"

namespace wsrouter::client {

class LogSettler;

// An entry of the event log in the hands of a service, until Done or Again; one that is destroyed
// before is given back like by Again(kAgainAfter). While it is in its hands it takes one of
// ConsumeRequest::in_hand. May be handed to any thread, and may outlive its stream: then it changes
// nothing, and comes again to whoever consumes.
class ConsumedEntry {
 public:
  static constexpr absl::Duration kAgainAfter = absl::Seconds(1);

  ConsumedEntry(v1::LogDelivery delivery, std::shared_ptr<LogSettler> settler, uint64_t stream);
  ConsumedEntry(ConsumedEntry&& other) noexcept = default;
  ConsumedEntry& operator=(ConsumedEntry&& other) noexcept;
  ~ConsumedEntry();

  const v1::LogEntry& entry() const { return delivery_.entry(); }
  // How often the group has had it, this time included.
  uint32_t deliveries() const { return delivery_.deliveries(); }

  // It is handled, and does not come again.
  void Done();
  // It comes again after this time, at most the group's visibility; too often, and it is a dead
  // letter.
  void Again(absl::Duration after = kAgainAfter);

 private:
  v1::LogDelivery delivery_;
  std::shared_ptr<LogSettler> settler_;  // null: it is settled
  uint64_t stream_ = 0;                  // by which it came
};

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_CONSUMED_ENTRY_H_
