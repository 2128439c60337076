#ifndef WSROUTER_CORE_RECEIPT_H_
#define WSROUTER_CORE_RECEIPT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/envelope.h"
#include "core/ids.h"
#include "core/keep.h"

namespace wsrouter {

// What became of one room in a Join, Leave or Own.
struct RoomChange {
  enum class Result : uint8_t { kJoined, kAlreadyMember, kLeft, kNotAMember, kRefused };
  RoomName room;
  Result result = Result::kRefused;
  absl::Status refusal;      // why, where refused
  uint64_t members = 0;      // distinct clients after the change
  uint64_t connections = 0;  // joined connections after the change
};

struct ConnectionDescription {
  ConnectionId id;
  ClientId client;  // empty while nobody owns it
  std::string peer;
  std::string path;
  std::string subprotocol;
  absl::Time connected_at;
  std::optional<absl::Time> expires_at;
  std::vector<RoomName> rooms;
  Labels labels;
  uint64_t outbox_bytes = 0;
  bool parked = false;  // it has no socket any more, and its client may come back
};

// What became of an envelope: of one subscriber's part, or of the whole when parts are added.
struct Receipt {
  absl::Status status;   // the first refusal, OK otherwise
  bool partial = false;  // a node could not be asked, or did not tell in time
  uint32_t nodes = 0;    // nodes that were handed the envelope
  uint64_t matched = 0;  // connections (for a channel: subscribers) that were addressed
  uint64_t queued = 0;   // of those, put into an outbox
  uint64_t dropped_slow_consumer = 0;
  uint64_t dropped_mailbox_full = 0;  // shards that could not take the envelope
  Kept kept = {};                     // of a push to a room; the publisher's broker says it
  std::vector<RoomChange> rooms;
  std::vector<ConnectionId> displaced;
  std::vector<ConnectionDescription> connections;

  void Add(Receipt&& part);
};

// Adds up the parts of an envelope's receipt and hands over the whole exactly once, on the thread
// that finishes the last part.
class ReceiptSum {
 public:
  using Done = absl::AnyInvocable<void(Receipt) &&>;

  ReceiptSum(uint32_t nodes, Done done) : done_(std::move(done)) { sum_.nodes = nodes; }
  ~ReceiptSum() { std::move(done_)(std::move(sum_)); }  // the last part's reference is gone
  ReceiptSum(const ReceiptSum&) = delete;

  void Add(Receipt&& part) {
    absl::MutexLock lock(&mutex_);
    sum_.Add(std::move(part));
  }

 private:
  absl::Mutex mutex_;
  Receipt sum_ ABSL_GUARDED_BY(mutex_);
  Done done_;
};

// One subscriber's duty to say what became of its part: exactly once. A part that is dropped
// unfinished (its mailbox was full) says just that, so no caller waits for ever.
class ReceiptPart {
 public:
  ReceiptPart() = default;
  explicit ReceiptPart(std::shared_ptr<ReceiptSum> sum) : sum_(std::move(sum)) {}
  ReceiptPart(ReceiptPart&&) noexcept = default;
  ReceiptPart& operator=(ReceiptPart other) noexcept {
    sum_.swap(other.sum_);
    return *this;
  }
  ~ReceiptPart() {
    if (sum_ != nullptr) sum_->Add(Receipt{.dropped_mailbox_full = 1});
  }

  void Finish(Receipt&& receipt) {
    if (sum_ != nullptr) sum_->Add(std::move(receipt));
    sum_.reset();
  }

 private:
  std::shared_ptr<ReceiptSum> sum_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_RECEIPT_H_
