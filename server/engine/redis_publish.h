#ifndef WSROUTER_ENGINE_REDIS_PUBLISH_H_
#define WSROUTER_ENGINE_REDIS_PUBLISH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "core/counters.h"
#include "core/keep.h"
#include "engine/redis_history.h"
#include "engine/redis_keys.h"
#include "engine/redis_link.h"
#include "engine/redis_rate_limits.h"

namespace wsrouter {

// On what terms a push is published.
struct PublishTerms {
  std::optional<RateCharge> charge;
  std::optional<Keeping> keeping;

  bool any() const { return charge.has_value() || keeping.has_value(); }
};

// Publishes on terms: Redis decides, keeps and publishes in one step (lua/publish.lua), so a push
// with terms costs one round trip like any other.
class RedisPublish {
 public:
  struct Published {
    uint64_t nodes = 0;  // that heard it
    Kept kept;
  };
  using Done = absl::AnyInvocable<void(absl::StatusOr<Published>) &&>;

  RedisPublish(std::string_view prefix, RedisRateLimits& rates, RedisHistory& history,
               RedisLink& link, Counters& counters)
      : root_(RedisRoot(prefix)),
        rates_(rates),
        history_(history),
        link_(link),
        counters_(counters) {}

  // Any thread. HISTORY_OFF where the push must not be published at all.
  absl::StatusOr<PublishTerms> TermsOf(const Envelope& envelope) const;
  RedisRateLimits& rates() { return rates_; }

  // The answer is RateStatus where the charge cannot be paid, or the link's failure. The link's
  // thread.
  void Publish(std::string channel, std::string message, const PublishTerms& terms, Broker& broker,
               Done done);

  // What the script puts in front of a kept message: where in its room's history it is, and how
  // many are kept. It is outside of the seal.
  struct Head {
    Position position;  // without an offset: there is none
    uint64_t kept = 0;
  };
  static Head TakeHead(std::string_view& message);
  // Of a message whose seal is right. The link's thread.
  void Saw(const Head& head) { history_.Saw(head.kept); }

 private:
  void AddHistory(const Keeping& keeping, std::vector<std::string>& words) const;
  Published Read(const RedisValue& answer);

  const std::string root_;
  RedisRateLimits& rates_;
  RedisHistory& history_;
  RedisLink& link_;
  Counters& counters_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_PUBLISH_H_
