#include "engine/redis_engine.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/synchronization/notification.h"
#include "base/log.h"
#include "engine/redis_keys.h"

namespace wsrouter {
namespace {

// So many heartbeats must find rows missing before they are written again.
constexpr int kDeficitsMax = 3;

RedisDirectory::Options DirectoryOptions(const RedisEngine::Options& options) {
  return {.prefix = options.prefix,
          .self = options.self,
          .limits = options.limits,
          .lease = options.lease,
          .gc_lease = options.gc_interval,
          .log = options.log};
}

RedisAddress AddressOf(const RedisEngine::Options& options) {
  RedisAddress address = options.address;
  address.root = RedisRoot(options.prefix);
  return address;
}

RedisBroker::Options BrokerOptions(const RedisEngine::Options& options) {
  return {.prefix = options.prefix,
          .node = options.self.node,
          .keys = options.keys,
          .clock_skew_max = options.clock_skew_max};
}

}  // namespace

RedisEngine::RedisEngine(const Options& options, const Parts& parts)
    : options_(options),
      parts_(parts),
      link_(AddressOf(options), options.patience),
      directory_(DirectoryOptions(options), link_),
      rates_(options.prefix, options.namespaces, link_, parts.counters, parts.clock),
      history_(options.prefix, options.keys, options.namespaces, options.history, link_,
               parts.counters),
      publish_(options.prefix, rates_, history_, link_, parts.counters),
      log_(options.prefix, options.log, link_, parts.counters),
      sessions_(options.prefix, options.self.node, options.lease + options.limits.resume_window,
                link_),
      broker_(BrokerOptions(options), link_, parts.counters, parts.clock, &publish_) {
  directory_.OnReaped([this](const std::vector<ReapedRow>& rows) { Announce(rows); });
}

RedisEngine::~RedisEngine() { Stop(absl::ZeroDuration()); }

void RedisEngine::Start() {
  parts_.stats.SetClusterUp(false);
  link_.Every(absl::Seconds(1), [this] { OnTick(); });
  link_.Every(options_.heartbeat, [this] { OnHeartbeat(); });
  link_.Every(options_.gc_interval, [this] { OnGc(); });
  link_.Start(*this);
}

void RedisEngine::Stop(absl::Duration patience) {
  if (stopped_.exchange(true)) return;
  const auto resigned = std::make_shared<absl::Notification>();
  if (link_.up() && patience > absl::ZeroDuration()) {
    link_.Post([this, resigned] {
      stopping_ = true;
      directory_.Resign([resigned](const absl::StatusOr<uint64_t>& rows) {
        if (!rows.ok()) {
          Log(LogLevel::kWarning, "rows_not_given_back", {{"why", rows.status().ToString()}});
        }
        resigned->Notify();
      });
    });
    resigned->WaitForNotificationWithTimeout(patience);
  }
  link_.Stop();
}

void RedisEngine::OnUp() {
  Log(LogLevel::kInfo, "redis_up", {{"address", options_.address.ToString()}});
  Join(true);
}

void RedisEngine::OnDown(const absl::Status& why) {
  ++join_;
  joining_ = leased_ = false;
  subscribed_ = false;
  SetJoined(false);
  broker_.OnDown();
  if (stopped_) return;  // our own doing
  Log(LogLevel::kWarning, "redis_down",
      {{"address", options_.address.ToString()}, {"why", why.ToString()}});
}

void RedisEngine::OnRoundTrip(absl::Duration took) {
  if (parts_.measures != nullptr) parts_.measures->Add(Measure::kRedisRoundTrip, took);
}

void RedisEngine::OnMessage(std::string_view channel, std::string_view payload) {
  if (channel == rates_.channel()) return rates_.OnChanged(payload);
  broker_.OnMessage(channel, payload);
}

void RedisEngine::Join(bool subscribe) {
  const uint64_t join = ++join_;
  joining_ = true;
  join_due_ = false;
  deficits_ = 0;
  subscribed_ = subscribed_ && !subscribe;
  directory_.BeginRewrite([this, join](const absl::StatusOr<bool>& begun) {
    if (!Goes(join, "lease", begun.status())) return;
    leased_ = true;
    Subscribe(join);
  });
}

void RedisEngine::Subscribe(uint64_t join) {
  if (subscribed_) return LoadRates(join);
  broker_.OnUp([this, join](const absl::Status& subscribed) {
    if (!Goes(join, "subscribe", subscribed)) return;
    subscribed_ = true;
    LoadRates(join);
  });
}

void RedisEngine::LoadRates(uint64_t join) {
  rates_.Load([this, join](const absl::Status& loaded) {
    if (Goes(join, "rate limits", loaded)) CheckHistory(join);
  });
}

void RedisEngine::CheckHistory(uint64_t join) {
  history_.Check([this, join](const absl::Status& checked) {
    if (Goes(join, "history", checked)) Rewrite(join);
  });
}

void RedisEngine::Rewrite(uint64_t join) {
  // Shards answer on their own threads.
  broker_.Publish({.to = ThisNode{}, .action = Reassert{}}, [this, join](Receipt receipt) {
    absl::Status status = std::move(receipt.status);
    if (status.ok() && receipt.dropped_mailbox_full > 0) {
      status = absl::ResourceExhaustedError("a shard's mailbox is full");
    }
    link_.Post([this, join, status = std::move(status)] {
      if (Goes(join, "rewrite", status)) Sweep(join);
    });
  });
}

void RedisEngine::Sweep(uint64_t join) {
  directory_.FinishRewrite([this, join](const absl::StatusOr<uint64_t>& removed) {
    if (!Goes(join, "sweep", removed.status())) return;
    joining_ = false;
    SetJoined(true);
    Log(LogLevel::kInfo, "cluster_joined", {{"rows_removed", *removed}});
  });
}

bool RedisEngine::Goes(uint64_t join, std::string_view step, const absl::Status& status) {
  if (join != join_) return false;
  if (status.ok()) return true;
  joining_ = false;
  join_due_ = true;
  Log(LogLevel::kWarning, "join_failed", {{"step", step}, {"why", status.ToString()}});
  return false;
}

void RedisEngine::OnTick() {
  broker_.OnTick();
  if (link_.up() && join_due_ && !joining_ && !stopping_) Join(false);
}

void RedisEngine::OnHeartbeat() {
  if (!leased_ || stopping_) return;
  sessions_.Prolong();
  directory_.Heartbeat([this, join = join_](const absl::StatusOr<RedisDirectory::Lease>& lease) {
    if (join == join_ && !stopping_ && lease.ok()) OnLease(*lease);
  });
}

void RedisEngine::OnLease(const RedisDirectory::Lease& lease) {
  if (!lease.held) {
    // Redis was emptied, or this node was silent for so long that others took it for dead.
    Log(LogLevel::kWarning, "lease_lost");
    leased_ = false;
    SetJoined(false);
    return Join(false);
  }
  if (joining_) return;
  // What comes is in the directory first. What goes may be gone there first, so only heartbeats
  // between which nothing went say anything.
  const Stats::Now now = parts_.stats.Read();
  const uint64_t ended =
      parts_.stats.Total(Counter::kReleases) + parts_.stats.Total(Counter::kRoomLeaves);
  const bool quiet = std::exchange(ended_, ended) == ended;
  if (lease.rows >= now.owned + now.members) deficits_ = 0;
  if (lease.rows < now.owned + now.members && quiet) ++deficits_;
  if (deficits_ < kDeficitsMax) return;
  Log(LogLevel::kWarning, "rows_missing",
      {{"directory", lease.rows}, {"here", now.owned + now.members}});
  parts_.counters.Add(Counter::kDirectoryRepairs);
  Join(false);
}

void RedisEngine::OnGc() {
  if (!up() || stopping_) return;
  // Behind an outage leases have ended whose nodes are only on their way back.
  if (parts_.clock.Now().uptime - joined_at_ < options_.lease) return;
  log_.Trim();
  directory_.Collect([](const absl::StatusOr<uint64_t>& rows) {
    if (rows.ok() && *rows > 0) Log(LogLevel::kInfo, "rows_reaped", {{"rows", *rows}});
  });
}

void RedisEngine::Announce(const std::vector<ReapedRow>& rows) {
  const absl::Time at = parts_.clock.Now().wall;
  const auto emit = [&](const ReapedRow& row, Event::Detail detail) {
    if (!parts_.events.Wants(detail.index())) return;
    parts_.events.Emit({.at = at,
                        .connection = row.connection,
                        .client = row.client,
                        .detail = std::move(detail)});
  };
  for (const ReapedRow& row : rows) {
    if (row.room.has_value()) emit(row, event::Left{.room = *row.room});
  }
  for (const ReapedRow& row : rows) {
    if (row.room.has_value()) continue;
    emit(row, event::Disconnected{.cause = CloseCause::kNodeLost,
                                  .close = {.code = 1006, .reason = {}},
                                  .duration = {}});
  }
}

void RedisEngine::SetJoined(bool joined) {
  if (joined && !up()) joined_at_ = parts_.clock.Now().uptime;
  joined_.store(joined, std::memory_order_release);
  if (joined) joined_once_.store(true, std::memory_order_release);
  parts_.stats.SetClusterUp(joined);
}

}  // namespace wsrouter
