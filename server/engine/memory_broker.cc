#include "engine/memory_broker.h"

#include <utility>

namespace wsrouter {

void MemoryBroker::Publish(Envelope envelope, ReceiptSum::Done done) {
  std::optional<RateCharge> charge;
  if (rates_ != nullptr) charge = rates_->ChargeOf(envelope);
  if (history_ != nullptr) {
    const auto keeping = history_->rules().Of(envelope);
    if (!keeping.ok()) return std::move(done)({.status = keeping.status()});
    if (keeping->has_value()) {
      return PublishKept(std::move(envelope), **keeping, charge, std::move(done));
    }
  }
  if (charge.has_value()) {
    absl::Status allowed = rates_->Follow(rates_->Spend(*charge), *charge, *this);
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
  // Outside the lock, so that `done` may publish again.
  std::shared_ptr<ReceiptSum> sum;
  {
    absl::MutexLock lock(&mutex_);
    sum = HandOut(key, std::move(envelope), std::move(done));
  }
}

void MemoryBroker::PublishKept(Envelope envelope, const Keeping& keeping,
                               const std::optional<RateCharge>& charge, ReceiptSum::Done done) {
  RateVerdict verdict;
  std::optional<Kept> kept;
  std::shared_ptr<ReceiptSum> sum;  // as above
  {
    absl::MutexLock lock(&mutex_);
    kept = history_->FindDuplicate(keeping);
    if (!kept.has_value()) kept = history_->FindNewer(keeping);
    if (!kept.has_value() && charge.has_value()) verdict = rates_->Spend(*charge);
    if (!kept.has_value() && verdict.result == RateVerdict::Result::kAllowed) {
      const Kept sent = history_->Append(keeping, envelope);
      std::get<Deliver>(envelope.action).position = sent.position;
      if (log_ != nullptr && keeping.options.logged && sent.position.offset > 0) {
        LogEntry entry;
        entry.kind = LogKind::kMessage;
        entry.client = keeping.from;
        entry.room = keeping.room;
        entry.position = sent.position;
        log_->Add(std::move(entry));
      }
      const std::string key = KeyOf(envelope.to);
      sum = HandOut(key, std::move(envelope),
                    [sent, done = std::move(done)](Receipt receipt) mutable {
                      receipt.kept = sent;
                      std::move(done)(std::move(receipt));
                    });
      return;
    }
  }
  if (kept.has_value()) return std::move(done)({.kept = *std::move(kept)});
  std::move(done)({.status = rates_->Follow(verdict, *charge, *this)});
}

std::shared_ptr<ReceiptSum> MemoryBroker::HandOut(const std::string& key, Envelope envelope,
                                                  ReceiptSum::Done done) {
  const auto shared = std::make_shared<const Envelope>(std::move(envelope));
  const auto found = subscribers_.find(key);
  const bool nobody = found == subscribers_.end();
  auto sum = std::make_shared<ReceiptSum>(nobody ? 0 : 1, std::move(done));
  if (nobody) return sum;
  for (Subscriber* subscriber : found->second) subscriber->Take(shared, ReceiptPart(sum));
  return sum;
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
