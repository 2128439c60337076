#ifndef WSROUTER_ENGINE_REDIS_RATE_LIMITS_H_
#define WSROUTER_ENGINE_REDIS_RATE_LIMITS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/broker.h"
#include "core/counters.h"
#include "core/rate_limits.h"
#include "core/rate_log.h"
#include "engine/redis_link.h"

namespace wsrouter {

// The limits of a cluster, counted in Redis by its clock. A push that is under a limit is published
// by the script that charges it (RedisPublish).
// The script's logs are RateLog's, with the same proof; a clock of Redis that was set back leaves
// the logs behind that are ahead of it by more than their window.
//
// Limits that were set are a hash in Redis, of which each node has a copy. A change is told on a
// channel, and each node reads that field again: answers of one connection come in the order in
// which Redis gave them, so the last one read is the newest. A node that joins reads the whole
// hash, behind the subscription.
//
// Where Redis lost it (it has another mark than this node saw), the node first sets again what it
// knows, as far as nobody else has set anything there, and does not join before all of it is. What
// it knows it keeps until then. The first node that comes does so for all, and the others read
// what it set: a change that was made just before the loss, and that this one had not heard of, is
// undone. So is a reset of a limit while limits are being set again.
class RedisRateLimits final : public RateLimits {
 public:
  RedisRateLimits(std::string_view prefix, Namespaces namespaces, RedisLink& link,
                  Counters& counters, const Clock& clock);

  void Set(const RateSubject& subject, std::optional<RateLimit> limit, Done done) override;
  RateLimitsPage Get(std::string_view cursor, uint32_t count) const override {
    return rules_.Page(cursor, count);
  }

  // From the engine. Any thread.
  void SetNamespaces(const Namespaces& namespaces) { rules_.SetNamespaces(namespaces); }

  // From the broker. Any thread.
  std::optional<RateCharge> ChargeOf(const Envelope& envelope) const {
    return rules_.ChargeOf(envelope);
  }
  // While Redis is away: within what this node has let through meanwhile.
  absl::Status SpendHere(const RateCharge& charge, Broker& broker);

  // From the engine, on the link's thread.
  const std::string& channel() const { return channel_; }
  void OnChanged(std::string_view key);  // empty: any may be another
  void Load(Done done);

 private:
  // What HMGET read of a subject and of the mark.
  void Note(std::string_view key, const RedisValue& read);
  using Rows = std::vector<std::pair<std::string, RateLimit>>;
  // Sets them again, from the end on, and reads what there is then.
  void Restore(Rows rows, Done done);
  void ReadAll(Done done);
  void Read(const RedisValue& hash);

  const std::string root_;
  const std::string hash_;
  const std::string channel_;
  RateRules rules_;
  RedisLink& link_;
  Counters& counters_;
  std::string mark_;   // of the hash that was read; empty: nothing was ever set. The link's thread
  SharedRateLog log_;  // of outages
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_RATE_LIMITS_H_
