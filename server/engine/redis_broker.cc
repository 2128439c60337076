#include "engine/redis_broker.h"

#include <utility>

#include "base/log.h"
#include "core/error.h"
#include "engine/redis_keys.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

absl::Status Unavailable(std::string_view why) {
  return Refusal(absl::StatusCode::kUnavailable, "BROKER_UNAVAILABLE", why);
}

size_t OctetsOf(const Envelope& envelope) {
  const auto* deliver = std::get_if<Deliver>(&envelope.action);
  return deliver == nullptr ? 0 : deliver->frame->payload().size();
}

bool NeedsChannel(const Topic& topic) {
  return !std::holds_alternative<ThisNode>(topic) && !std::holds_alternative<Inbox>(topic);
}

}  // namespace

// An answer that is owed to a publisher, also when the task that would give it never runs.
class RedisBroker::Owed {
 public:
  explicit Owed(ReceiptDesk::Request request) : request_(std::move(request)) {}
  Owed(Owed&&) = default;
  ~Owed() {
    if (request_.done) std::move(request_.done)({.status = Unavailable("the node is stopping")});
  }
  ReceiptDesk::Request Take() { return std::exchange(request_, {}); }

 private:
  ReceiptDesk::Request request_;
};

RedisBroker::RedisBroker(const Options& options, RedisLink& link, Counters& counters,
                         const Clock& clock, RedisPublish* on_terms)
    : options_(options),
      topics_prefix_(RedisTopics(options.prefix)),
      inbox_(InboxOf(options.node)),
      link_(link),
      counters_(counters),
      clock_(clock),
      on_terms_(on_terms),
      seal_(options.node, options.keys, options.clock_skew_max) {}

std::string RedisBroker::InboxOf(const NodeIdentity& node) const {
  return fmt::format("{}n:{}", RedisRoot(options_.prefix), RedisNodeText(node));
}

void RedisBroker::Publish(Envelope envelope, ReceiptSum::Done done) {
  const auto* id = std::get_if<ConnectionId>(&envelope.to);
  const bool here = id != nullptr ? id->node == options_.node : !NeedsChannel(envelope.to);
  if (here) return PublishHere(std::move(envelope), false, std::move(done));
  // No node has such a shard, and none would understand the id.
  if (id != nullptr && id->shard >= kShardsMax) return std::move(done)(Receipt{});
  absl::StatusOr<PublishTerms> terms = PublishTerms();
  if (on_terms_ != nullptr) terms = on_terms_->TermsOf(envelope);
  if (!terms.ok()) return std::move(done)({.status = terms.status()});
  const bool up = link_.up();
  // Not ahead of what this thread gave to the link while it was up.
  if (!up && id == nullptr && posted_.load(std::memory_order_acquire) == 0) {
    return PublishCutOff(std::move(envelope), *terms, std::move(done));
  }
  if (!up && id != nullptr) {
    return std::move(done)(
        {.status = Unavailable("Redis is not reachable, so the connection's node is not")});
  }
  const size_t octets = OctetsOf(envelope);
  if (!Admit(octets)) {
    return std::move(done)(
        {.status = Refusal(absl::StatusCode::kUnavailable, "OVERLOADED",
                           "too many pushes wait for Redis or for the answers of other nodes")});
  }
  const uint64_t number = last_number_.fetch_add(1, std::memory_order_relaxed) + 1;
  std::string key = id == nullptr ? KeyOf(envelope.to) : std::string();
  std::string channel = id == nullptr ? ChannelOf(key) : InboxOf(id->node);
  ReceiptDesk::Request request = {
      .to_connection = id != nullptr,
      .local_only = id == nullptr && envelope.receipts == Receipts::kLocal,
      .kept = terms->keeping.has_value(),
      .done = [this, octets, done = std::move(done)](Receipt receipt) mutable {
        Leave(octets);
        std::move(done)(std::move(receipt));
      }};
  std::string body(1, kSealedEnvelope);
  body += EncodeEnvelope(
      {.envelope = std::move(envelope), .request = number, .wants_receipt = !request.local_only});
  posted_.fetch_add(1, std::memory_order_relaxed);
  link_.Post([this, number, channel = std::move(channel), key = std::move(key),
              body = std::move(body), terms = *std::move(terms),
              owed = Owed(std::move(request))]() mutable {
    Send(number, std::move(channel), std::move(key), body, terms, owed.Take());
    posted_.fetch_sub(1, std::memory_order_release);
  });
}

bool RedisBroker::Admit(size_t octets) {
  const size_t others = in_flight_.fetch_add(1, std::memory_order_relaxed);
  const size_t their_octets = in_flight_octets_.fetch_add(octets, std::memory_order_relaxed);
  if (others < kInFlightMax && their_octets < kInFlightOctetsMax) return true;
  Leave(octets);
  return false;
}

void RedisBroker::Leave(size_t octets) {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  in_flight_octets_.fetch_sub(octets, std::memory_order_relaxed);
}

void RedisBroker::PublishHere(Envelope envelope, bool partial, ReceiptSum::Done done) {
  const auto* id = std::get_if<ConnectionId>(&envelope.to);
  const std::string key = KeyOf(id == nullptr ? envelope.to : Topic(Inbox{id->shard}));
  const auto shared = std::make_shared<const Envelope>(std::move(envelope));
  // Outside of the table's lock, so that `done` may publish again.
  auto reached = std::make_shared<size_t>(0);
  const auto sum = std::make_shared<ReceiptSum>(
      0, [reached, partial, done = std::move(done)](Receipt receipt) mutable {
        receipt.nodes = *reached > 0 ? 1 : 0;
        receipt.partial = receipt.partial || partial;
        if (partial && *reached == 0) receipt.status = Unavailable("Redis is not reachable");
        std::move(done)(std::move(receipt));
      });
  *reached = topics_.Deliver(key, shared, sum);
}

void RedisBroker::PublishCutOff(Envelope envelope, const PublishTerms& terms,
                                ReceiptSum::Done done) {
  if (terms.keeping.has_value()) {
    return std::move(done)({.status = Unavailable("Redis, which keeps pushes, is not reachable")});
  }
  if (terms.charge.has_value()) {
    absl::Status allowed = on_terms_->rates().SpendHere(*terms.charge, *this);
    if (!allowed.ok()) return std::move(done)({.status = std::move(allowed), .partial = true});
  }
  PublishHere(std::move(envelope), true, std::move(done));
}

void RedisBroker::Send(uint64_t number, std::string channel, std::string key,
                       const std::string& body, const PublishTerms& terms,
                       ReceiptDesk::Request request) {
  if (!link_.up() && !key.empty()) {  // lost on the way here, so no node has got it
    auto wire = DecodeEnvelope(std::string_view(body).substr(1));
    if (wire.ok()) {
      return PublishCutOff(std::move(wire->envelope), terms, std::move(request.done));
    }
  }
  request.local_due = !key.empty() && topics_.IsLive(key);
  request.cut_off = !key.empty() && !request.local_due && topics_.IsCutOff(key);
  const Instant now = clock_.Now();
  desk_.Open(number, std::move(request), now.uptime + options_.receipts);
  std::string message = seal_.Seal(channel, body, now.wall);
  if (terms.any()) {
    return on_terms_->Publish(std::move(channel), std::move(message), terms, *this,
                              [this, number](const absl::StatusOr<RedisPublish::Published>& done) {
                                OnPublished(number, done);
                              });
  }
  link_.Publish(std::move(channel), std::move(message),
                [this, number](const absl::StatusOr<RedisValue>& nodes) {
                  if (!nodes.ok()) return OnPublished(number, nodes.status());
                  OnPublished(number, {{.nodes = static_cast<uint64_t>(nodes->integer())}});
                });
}

void RedisBroker::OnPublished(uint64_t number,
                              const absl::StatusOr<RedisPublish::Published>& published) {
  if (published.ok()) return desk_.OnPublished(number, published->nodes, published->kept);
  const absl::Status& why = published.status();
  if (absl::IsResourceExhausted(why)) return desk_.OnFailed(number, why);
  desk_.OnFailed(number, Unavailable(StdView(why.message())));
}

void RedisBroker::Subscribe(Subscriber& subscriber, const Topic& topic,
                            absl::AnyInvocable<void(absl::Status) &&> done) {
  std::string key = KeyOf(topic);
  if (!topics_.Add(subscriber, key, NeedsChannel(topic), std::move(done))) return;
  if (!link_.up()) return topics_.Refuse(key, Unavailable("Redis is not reachable"));
  link_.Post([this, key = std::move(key)] {
    if (const auto ask = topics_.BeginAsk(key)) Ask(*ask, [](const absl::Status&) {});
  });
}

void RedisBroker::Unsubscribe(Subscriber& subscriber, const Topic& topic) {
  std::string key = KeyOf(topic);
  if (!topics_.Remove(subscriber, key) || !NeedsChannel(topic)) return;
  link_.Post([this, key = std::move(key)] {
    if (topics_.MayGiveUp(key)) link_.Unsubscribe(ChannelOf(key));
  });
}

void RedisBroker::Ask(const TopicTable::Ask& ask,
                      absl::AnyInvocable<void(const absl::Status&) &&> asked) {
  link_.Subscribe(ChannelOf(ask.key), [this, ask, asked = std::move(asked)](
                                          const absl::Status& status) mutable {
    topics_.EndAsk(ask, status.ok() ? status : Unavailable(StdView(status.message())));
    std::move(asked)(status);
  });
}

void RedisBroker::OnUp(absl::AnyInvocable<void(absl::Status) &&> done) {
  // Whoever drops the last reference has seen the last answer.
  struct Whole {
    explicit Whole(absl::AnyInvocable<void(absl::Status) &&> when_done)
        : done(std::move(when_done)) {}
    ~Whole() { std::move(done)(status); }
    absl::AnyInvocable<void(absl::Status) &&> done;
    absl::Status status;
  };
  const auto whole = std::make_shared<Whole>(std::move(done));
  const auto note = [whole](const absl::Status& status) {
    if (whole->status.ok()) whole->status = status;
  };
  link_.Subscribe(inbox_, note);
  if (on_terms_ != nullptr) link_.Subscribe(on_terms_->rates().channel(), note);
  for (const TopicTable::Ask& ask : topics_.BeginAskAll()) Ask(ask, note);
}

void RedisBroker::OnDown() {
  const absl::Status why = Unavailable("the link to Redis was lost");
  topics_.LoseChannels(why);
  desk_.GiveUpAll(why);
}

void RedisBroker::OnTick() {
  desk_.GiveUpOverdue(clock_.Now().uptime);
  if (forged_ == 0) return;
  Log(LogLevel::kWarning, "messages_not_believed", {{"count", std::exchange(forged_, 0)}});
}

void RedisBroker::OnMessage(std::string_view channel, std::string_view message) {
  RedisPublish::Head head = RedisPublish::TakeHead(message);
  const auto opened = seal_.Open(channel, message, clock_.Now().wall);
  if (absl::IsOutOfRange(opened.status()) && options_.keys.empty()) {
    return counters_.Add(Counter::kEnvelopesLate);
  }
  if (!opened.ok()) {
    ++forged_;
    return counters_.Add(Counter::kHmacVerifyFailures);
  }
  if (on_terms_ != nullptr) on_terms_->Saw(head);
  const std::string_view body = opened->body;
  if (body.starts_with(kSealedEnvelope)) {
    return OnEnvelope(opened->sender, body.substr(1), std::move(head.position));
  }
  auto receipt = body.starts_with(kSealedReceipt)
                     ? DecodeReceipt(body.substr(1))
                     : absl::InvalidArgumentError("neither an envelope nor a receipt");
  if (!receipt.ok()) return counters_.Add(Counter::kEnvelopesUndecodable);
  desk_.OnReceipt(receipt->request, std::move(receipt->receipt));
}

void RedisBroker::OnEnvelope(const NodeIdentity& sender, std::string_view body, Position position) {
  auto wire = DecodeEnvelope(body);
  if (!wire.ok()) return counters_.Add(Counter::kEnvelopesUndecodable);
  const auto* id = std::get_if<ConnectionId>(&wire->envelope.to);
  const bool ours = id == nullptr ? NeedsChannel(wire->envelope.to) : id->node == options_.node;
  if (!ours) return counters_.Add(Counter::kEnvelopesUndecodable);

  auto* deliver = std::get_if<Deliver>(&wire->envelope.action);
  if (deliver != nullptr) deliver->position = std::move(position);
  const uint64_t number = wire->request;
  const std::string key = KeyOf(id == nullptr ? wire->envelope.to : Topic(Inbox{id->shard}));
  const bool own = sender == options_.node;
  ReceiptSum::Done done = [](Receipt) {};
  if (own) {
    done = [this, number](Receipt receipt) {
      link_.Post([this, number, receipt = std::move(receipt)]() mutable {
        desk_.OnReceipt(number, std::move(receipt));
      });
    };
  } else if (wire->wants_receipt) {
    done = [this, number, sender](Receipt receipt) {
      link_.Post([this, sender, wire = WireReceipt{number, std::move(receipt)}] {
        SendReceipt(sender, wire);
      });
    };
  }
  const auto sum = std::make_shared<ReceiptSum>(1, std::move(done));
  topics_.Deliver(key, std::make_shared<const Envelope>(std::move(wire->envelope)), sum);
}

void RedisBroker::SendReceipt(const NodeIdentity& to, const WireReceipt& receipt) {
  std::string channel = InboxOf(to);
  std::string message =
      seal_.Seal(channel, kSealedReceipt + EncodeReceipt(receipt), clock_.Now().wall);
  link_.Publish(std::move(channel), std::move(message), [](const absl::StatusOr<RedisValue>&) {});
}

}  // namespace wsrouter
