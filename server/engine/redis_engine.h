#ifndef WSROUTER_ENGINE_REDIS_ENGINE_H_
#define WSROUTER_ENGINE_REDIS_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/counters.h"
#include "core/event.h"
#include "core/measures.h"
#include "core/stats.h"
#include "engine/engine.h"
#include "engine/redis_broker.h"
#include "engine/redis_directory.h"
#include "engine/redis_event_log.h"
#include "engine/redis_history.h"
#include "engine/redis_link.h"
#include "engine/redis_publish.h"
#include "engine/redis_rate_limits.h"
#include "engine/redis_sessions.h"

namespace wsrouter {

// A node's place in a cluster around one Redis: the link, the broker and the directory over it, and
// the node's lease.
//
// Redis is a copy; the truth about a connection is the memory of the shard that holds it. So after
// every outage, and whenever the lease turns out to be gone, the node joins anew: it takes a lease,
// marks all rows it has in the directory as left over, subscribes again, lets its shards write what
// they have, and removes what is still marked. It also does so when several heartbeats have found
// fewer rows in the directory than the shards have: an answer that came too late can leave that
// behind. Nothing else repairs anything.
//
// Everything but the methods of Engine happens on the link's thread.
class RedisEngine final : public Engine, private RedisLink::Handler {
 public:
  struct Options {
    RedisAddress address;
    RedisPatience patience = {};
    std::string prefix;
    std::vector<SealKey> keys;
    absl::Duration clock_skew_max = absl::Seconds(30);
    absl::Duration heartbeat = absl::Seconds(3);
    absl::Duration lease = absl::Seconds(10);
    absl::Duration gc_interval = absl::Seconds(5);
    NodeRow self;
    Limits limits;
    Namespaces namespaces = {};
    HistoryLimits history = {};
    EventLogOptions log = {};
  };
  struct Parts {
    EventSink& events;
    Stats& stats;
    Counters& counters;                // a block of its own
    MeasureBlock* measures = nullptr;  // a block of its own; null: nothing is measured
    const Clock& clock;
  };

  RedisEngine(const Options& options, const Parts& parts);
  ~RedisEngine() override;

  Broker& broker() override { return broker_; }
  Directory& directory() override { return directory_; }
  RateLimits& rates() override { return rates_; }
  History& history() override { return history_; }
  EventLog& log() override { return log_; }
  Sessions& sessions() override { return sessions_; }
  void Start() override;
  bool Joined() const override { return joined_once_.load(std::memory_order_acquire); }
  void Stop(absl::Duration patience) override;

  // Whether the node is a part of the cluster right now. Any thread.
  bool up() const { return joined_.load(std::memory_order_acquire); }

  void SetDraining(bool draining) override { directory_.SetDraining(draining); }
  void SetNamespaces(const Namespaces& namespaces) override {
    rates_.SetNamespaces(namespaces);
    history_.SetNamespaces(namespaces);
  }

 private:
  // RedisLink::Handler
  void OnUp() override;
  void OnDown(const absl::Status& why) override;
  void OnMessage(std::string_view channel, std::string_view payload) override;
  void OnRoundTrip(absl::Duration took) override;

  // The steps of joining, in this order. Each is dropped when another join has begun meanwhile.
  void Join(bool subscribe);
  void Subscribe(uint64_t join);
  void LoadRates(uint64_t join);
  void CheckHistory(uint64_t join);
  void Rewrite(uint64_t join);
  void Sweep(uint64_t join);
  // Goes on where `status` is OK; else this join is over and the next tick begins another.
  bool Goes(uint64_t join, std::string_view step, const absl::Status& status);

  void OnTick();
  void OnHeartbeat();
  void OnLease(const RedisDirectory::Lease& lease);
  void OnGc();
  void Announce(const std::vector<ReapedRow>& rows);
  void SetJoined(bool joined);

  const Options options_;
  const Parts parts_;
  RedisLink link_;
  RedisDirectory directory_;
  RedisRateLimits rates_;
  RedisHistory history_;
  RedisPublish publish_;
  RedisEventLog log_;
  RedisSessions sessions_;
  RedisBroker broker_;

  uint64_t join_ = 0;        // number of the join that counts
  bool joining_ = false;     // its steps are under way
  bool subscribed_ = false;  // all topics are live on this link
  bool leased_ = false;      // since this link came up; a heartbeat has found nothing else
  bool join_due_ = false;    // the last one has failed
  bool stopping_ = false;
  int deficits_ = 0;    // heartbeats that found rows missing, since one did not
  uint64_t ended_ = 0;  // ownerships and memberships that had ended here by the last heartbeat
  absl::Duration joined_at_;  // uptime
  std::atomic<bool> joined_{false};
  std::atomic<bool> joined_once_{false};
  std::atomic<bool> stopped_{false};
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_ENGINE_H_
