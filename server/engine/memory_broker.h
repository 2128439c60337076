#ifndef WSROUTER_ENGINE_MEMORY_BROKER_H_
#define WSROUTER_ENGINE_MEMORY_BROKER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/strings.h"
#include "core/broker.h"
#include "engine/memory_event_log.h"
#include "engine/memory_history.h"
#include "engine/memory_rate_limits.h"

namespace wsrouter {

// A broker for a cluster of one node, without threads of its own: Publish hands the envelope to
// the subscribers' mailboxes on the caller's thread.
//
// One lock orders all topics. It is held while mailboxes are posted to, which is what gives every
// subscriber of a topic the same order, and what lets Unsubscribe promise that no Take follows.
class MemoryBroker final : public Broker {
 public:
  // Without `rates` nothing is limited, without `history` nothing kept, without `log` nothing
  // logged.
  explicit MemoryBroker(NodeIdentity node, MemoryRateLimits* rates = nullptr,
                        MemoryHistory* history = nullptr, MemoryEventLog* log = nullptr)
      : node_(std::move(node)), rates_(rates), history_(history), log_(log) {}

  void Publish(Envelope envelope, ReceiptSum::Done done) override;
  void Subscribe(Subscriber& subscriber, const Topic& topic,
                 absl::AnyInvocable<void(absl::Status) &&> done) override;
  void Unsubscribe(Subscriber& subscriber, const Topic& topic) override;

 private:
  // A push that is more than delivered, in one step.
  void PublishKept(Envelope envelope, const Keeping& keeping,
                   const std::optional<RateCharge>& charge, ReceiptSum::Done done);
  // To the topic's subscribers; gives back the sum of their receipts.
  std::shared_ptr<ReceiptSum> HandOut(const std::string& key, Envelope envelope,
                                      ReceiptSum::Done done) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const NodeIdentity node_;
  MemoryRateLimits* const rates_;
  MemoryHistory* const history_;
  MemoryEventLog* const log_;
  absl::Mutex mutex_;
  StringMap<std::vector<Subscriber*>> subscribers_ ABSL_GUARDED_BY(mutex_);  // by KeyOf(topic)
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_MEMORY_BROKER_H_
