#ifndef WSROUTER_CORE_BROKER_H_
#define WSROUTER_CORE_BROKER_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "core/envelope.h"
#include "core/receipt.h"

namespace wsrouter {

// Somebody whom envelopes reach: a shard, or a backend's stream.
class Subscriber {
 public:
  virtual ~Subscriber() = default;

  // Takes the envelope into a mailbox of its own and returns at once; what does not fit is
  // refused by dropping `part`. Called on any thread, under the broker's order: it must not call
  // the broker.
  virtual void Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) = 0;
};

// SEAM 1. Carries envelopes between shards, on this node and on others.
//
// An envelope published to a topic reaches every subscriber, on any node, whose subscription to
// that topic is live. All subscribers of a topic get its envelopes in one order. Delivery is at
// most once: what is published while a node is cut off from the others is lost to it.
//
// Every method may be called from any thread and returns at once. `done` runs exactly once, on a
// thread of the broker's choosing (also inside the call), and must not block.
class Broker {
 public:
  virtual ~Broker() = default;

  // The receipt counts what is known without waiting; a topic that nobody subscribes to gives an
  // empty one. Unavailable when the broker cannot be reached: nothing is kept for later.
  virtual void Publish(Envelope envelope, ReceiptSum::Done done) = 0;

  // Live when `done` says OK: an envelope published after that reaches the subscriber. A
  // subscriber subscribes to a topic once and lives until its Unsubscribe has returned.
  virtual void Subscribe(Subscriber& subscriber, const Topic& topic,
                         absl::AnyInvocable<void(absl::Status) &&> done) = 0;

  // When it returns, no Take of this topic is running or will begin.
  virtual void Unsubscribe(Subscriber& subscriber, const Topic& topic) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_BROKER_H_
