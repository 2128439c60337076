#ifndef WSROUTER_ENGINE_REDIS_BROKER_H_
#define WSROUTER_ENGINE_REDIS_BROKER_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "core/broker.h"
#include "core/counters.h"
#include "engine/envelope_codec.h"
#include "engine/envelope_seal.h"
#include "engine/receipt_desk.h"
#include "engine/redis_link.h"
#include "engine/redis_publish.h"
#include "engine/topic_table.h"

namespace wsrouter {

// Carries envelopes between nodes over Redis' publish and subscribe.
//
// A node subscribes to the channel of a topic with its first subscriber and gives it up behind the
// last one. A push goes through Redis also to this node's own subscribers: that is what gives all
// members of a room, on all nodes, one order. Connections are reached through the inbox of their
// node, this node's own without Redis.
//
// While the link is down, subscribers of this node are still reached, without Redis; receipts say
// `partial` then, and while the link is up but this node's subscription is not yet made again. What
// only other nodes could answer is UNAVAILABLE, reason BROKER_UNAVAILABLE, or NODE_SILENT where one
// got it and said nothing.
class RedisBroker final : public Broker {
 public:
  struct Options {
    std::string prefix;
    NodeIdentity node;
    std::vector<SealKey> keys;
    absl::Duration clock_skew_max = absl::Seconds(30);
    absl::Duration receipts = absl::Seconds(2);  // how long receipts of other nodes are waited for
  };
  // Publishes that wait for Redis or for other nodes; more are UNAVAILABLE, reason OVERLOADED.
  // Bounds how far the proof of life of the link waits behind them.
  static constexpr size_t kInFlightMax = 32'768;
  static constexpr size_t kInFlightOctetsMax = 256 << 20;

  // Without `on_terms` nothing is limited and nothing kept.
  RedisBroker(const Options& options, RedisLink& link, Counters& counters, const Clock& clock,
              RedisPublish* on_terms = nullptr);

  void Publish(Envelope envelope, ReceiptSum::Done done) override;
  void Subscribe(Subscriber& subscriber, const Topic& topic,
                 absl::AnyInvocable<void(absl::Status) &&> done) override;
  void Unsubscribe(Subscriber& subscriber, const Topic& topic) override;

  // From the engine, on the link's thread.
  // Subscribes this node's inbox and every topic again; `done` when all are live.
  void OnUp(absl::AnyInvocable<void(absl::Status) &&> done);
  // Answers what waits for Redis or for other nodes.
  void OnDown();
  void OnMessage(std::string_view channel, std::string_view message);
  // About once a second: gives up on receipts that are overdue, and logs what was not believed.
  void OnTick();

 private:
  class Owed;

  std::string ChannelOf(std::string_view key) const { return topics_prefix_ + std::string(key); }
  std::string InboxOf(const NodeIdentity& node) const;
  // Counts a publish that waits, if there may be another.
  bool Admit(size_t octets);
  void Leave(size_t octets);
  // To this node's subscribers alone. `partial`: others would have been meant as well.
  void PublishHere(Envelope envelope, bool partial, ReceiptSum::Done done);
  // Likewise while there is no Redis, within what this node lets through by itself; what is to be
  // kept is refused.
  void PublishCutOff(Envelope envelope, const PublishTerms& terms, ReceiptSum::Done done);

  // The link's thread.
  void Send(uint64_t number, std::string channel, std::string key, const std::string& body,
            const PublishTerms& terms, ReceiptDesk::Request request);
  void Ask(const TopicTable::Ask& ask, absl::AnyInvocable<void(const absl::Status&) &&> asked);
  void OnPublished(uint64_t number, const absl::StatusOr<RedisPublish::Published>& published);
  void OnEnvelope(const NodeIdentity& sender, std::string_view body, Position position);
  void SendReceipt(const NodeIdentity& to, const WireReceipt& receipt);

  const Options options_;
  const std::string topics_prefix_;
  const std::string inbox_;
  RedisLink& link_;
  Counters& counters_;
  const Clock& clock_;
  RedisPublish* const on_terms_;
  std::atomic<uint64_t> last_number_{0};
  std::atomic<size_t> in_flight_{0};
  std::atomic<size_t> in_flight_octets_{0};
  std::atomic<size_t> posted_{0};  // publishes on their way to the link's thread
  TopicTable topics_;
  EnvelopeSeal seal_;    // the link's thread
  ReceiptDesk desk_;     // the link's thread
  uint64_t forged_ = 0;  // messages since the last tick; the link's thread
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_BROKER_H_
