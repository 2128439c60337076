#include "engine/memory_broker.h"

#include <utility>

namespace wsrouter {

void MemoryBroker::Publish(Envelope envelope, ReceiptSum::Done done) {
  if (rates_ != nullptr) {
    absl::Status allowed = rates_->Spend(envelope, *this);
    if (!allowed.ok()) return std::move(done)({.status = std::move(allowed)});
  }
  Topic route = envelope.to;
  if (const auto* id = std::get_if<ConnectionId>(&envelope.to)) {
    if (id->node != node_) {  // of a dead incarnation, or of a node that was never here
      std::move(done)(Receipt{});
      return;
    }
    route = Inbox{id->shard};
  }
  const std::string key = KeyOf(route);
  auto shared = std::make_shared<const Envelope>(std::move(envelope));
  // Outside the lock, so that `done` may publish again.
  std::shared_ptr<ReceiptSum> sum;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = subscribers_.find(key);
    sum = std::make_shared<ReceiptSum>(found == subscribers_.end() ? 0 : 1, std::move(done));
    if (found == subscribers_.end()) return;
    for (Subscriber* subscriber : found->second) subscriber->Take(shared, ReceiptPart(sum));
  }
}

void MemoryBroker::Subscribe(Subscriber& subscriber, const Topic& topic,
                             absl::AnyInvocable<void(absl::Status) &&> done) {
  {
    absl::MutexLock lock(&mutex_);
    subscribers_[KeyOf(topic)].push_back(&subscriber);
  }
  std::move(done)(absl::OkStatus());
}

void MemoryBroker::Unsubscribe(Subscriber& subscriber, const Topic& topic) {
  absl::MutexLock lock(&mutex_);
  const auto found = subscribers_.find(KeyOf(topic));
  if (found == subscribers_.end()) return;
  std::erase(found->second, &subscriber);
  if (found->second.empty()) subscribers_.erase(found);
}

}  // namespace wsrouter
