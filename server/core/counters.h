#ifndef WSROUTER_CORE_COUNTERS_H_
#define WSROUTER_CORE_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wsrouter {

// What a node counts from its start; never reset. The first sixteen are the operators' guide's
// and keep its names, odd capitals included; `kCounterNames` has the same order.
enum class Counter : size_t {
  kOwns,
  kReleases,
  kSendToClient,
  kSendToClientOwnerMissing,
  kRoomJoins,
  kRoomLeaves,
  kRoomPushes,
  kPushes,        // frames put into an outbox
  kPushesFailed,  // deliveries lost for another cause than the two below
  kPushesDroppedSlowConsumer,
  kPushesToDeadFd,  // deliveries to a connection that was closing
  kCapacityExceededOwner,
  kCapacityExceededRoom,
  kRateLimitDrops,
  kClientRateLimitDrops,
  kHmacVerifyFailures,
  kGuideCount,

  kConnectionsOpened = kGuideCount,
  kConnectionsClosed,
  kUpgradesRefused,
  kAcceptsRefused,  // closed before an upgrade: the node or an address has its share
  kAcceptPauses,    // times that accepting paused for want of descriptors
  kMessagesIn,
  kMessagesUnheard,  // client messages that no watcher and no backend was there for
  kBytesIn,
  kBytesOut,
  kWrites,  // system calls that carried frames
  kClosedProtocolError,
  kClosedNotAuthenticated,
  kClosedExpired,
  kClosedSlowConsumer,
  kClosedIdle,
  kMailboxFull,            // envelopes that found a shard's mailbox full
  kEnvelopesUndecodable,   // from other nodes: of another version, or not for this node
  kEnvelopesLate,          // from other nodes: a second time, or behind what was sent later
  kDirectoryRepairs,       // times that rows of this node were missing there, and written again
  kEventsMissed,           // events that a watcher was too slow for
  kCallsDenied,            // of the control port, for want of a credential or a role
  kBackendFailures,        // questions that a backend did not answer, or not well
  kBackendEndsLost,        // ends of connections that a backend could not be told
  kEffectsFailed,          // that a backend asked for
  kClosedRateLimited,      // for sending too many frames
  kAcceptsRefusedNode,     // of kAcceptsRefused: the node has as many sockets as it may
  kAcceptsRefusedAddress,  // ... an address has
  kAcceptsRefusedRate,     // ... an address comes too often
  kAcceptsRefusedBusy,     // ... a shard takes no more for now
  kHalfOpenPauses,         // times that accepting paused for too many requests under way
  kHalfOpenShed,           // connections that were slow with their request meanwhile, and cut
  kUpgradesShedMemory,     // of kUpgradesRefused: 503, for want of memory
  kUpgradesShedLag,        // ... its shard is late
  kUpgradesShedRate,       // ... too many a second
  kClientJoinsDenied,      // joins that clients asked for themselves and may not have
  kClientFramesRefused,    // frames of wsrouter.v1.json that were not in order
  kPushesDroppedOld,       // frames of kPushes that made room for newer ones
  kPushesConflated,        // ... whose place a newer one with their key took
  kClosedSlowAge,          // of kClosedSlowConsumer: a frame waited too long
  kClosedSlowBudget,       // ... all outboxes together were too large
  kGapsTold,               // times that a client was told of lost frames
  kPushesKept,             // put into the history of their room
  kPushesDuplicate,        // not sent: one with their idempotency key was
  kPushesStale,            // not sent: their room has had a newer version
  kHistoryEvictions,       // times that a room lost history early, for want of memory
  kLogHandedOut,           // entries of the event log that this node handed to consumers
  kLogHandedOutAgain,      // of these: not for the first time
  kLogDead,                // entries that became dead letters
  kLogLost,                // entries that a group was too slow for
  kLogAppendsLost,         // SLOW entries that could not be appended
  kSessionsResumed,        // clients that came back to their sessions
  kSessionsUnknown,        // tokens that no session was there for
  kSessionsUnavailable,    // ... that could not be looked up
  kParkedEvicted,          // connections that ended early, since too many wait for their clients
  kPushesParked,           // frames lost to clients that may come back
  kRepliesDropped,     // of services, to clients that waited for none, have gone or got an error
  kRepliesTooLarge,    // ... longer as JSON than an outbox may hold
  kPushesReplayed,     // of kPushes: from the history of their room
  kPushesHeld,         // not queued when they came, since their client is catching up
  kPushesDroppedHeld,  // of these: lost, since nobody has them for it any more
  kRecoveriesLost,     // times that history no longer had what a client asked for
  kRecoveriesFailed,   // ... that it could not be read
  kRecoveriesLate,     // clients that came back and did not ask for a room's history in time
  kPresenceFrames,     // that tell clients who is in a room
  kPresenceFramesSkipped,  // ... not sent to who had not read the last; the next one says it all
  kPresenceReadsFailed,    // looks at a room that the directory did not answer
  kCount,
};

inline constexpr std::array<std::string_view, static_cast<size_t>(Counter::kCount)> kCounterNames =
    {
        "owns_total",
        "releases_total",
        "sendToClient_total",
        "sendToClient_owner_missing",
        "room_joins_total",
        "room_leaves_total",
        "room_pushes_total",
        "pushes_total",
        "pushes_failed_total",
        "pushes_dropped_slow_consumer",
        "pushes_to_dead_fd_total",
        "capacity_exceeded_owner_total",
        "capacity_exceeded_room_total",
        "rate_limit_drops_total",
        "client_rate_limit_drops_total",
        "hmac_verify_failures_total",
        "connections_opened_total",
        "connections_closed_total",
        "upgrades_refused_total",
        "accepts_refused_total",
        "accept_pauses_total",
        "messages_in_total",
        "messages_unheard_total",
        "bytes_in_total",
        "bytes_out_total",
        "writes_total",
        "closed_protocol_error_total",
        "closed_not_authenticated_total",
        "closed_expired_total",
        "closed_slow_consumer_total",
        "closed_idle_total",
        "mailbox_full_total",
        "envelopes_undecodable_total",
        "envelopes_late_total",
        "directory_repairs_total",
        "events_missed_total",
        "calls_denied_total",
        "backend_failures_total",
        "backend_ends_lost_total",
        "effects_failed_total",
        "closed_rate_limited_total",
        "accepts_refused_node_total",
        "accepts_refused_address_total",
        "accepts_refused_rate_total",
        "accepts_refused_busy_total",
        "half_open_pauses_total",
        "half_open_shed_total",
        "upgrades_shed_memory_total",
        "upgrades_shed_lag_total",
        "upgrades_shed_rate_total",
        "client_joins_denied_total",
        "client_frames_refused_total",
        "pushes_dropped_old_total",
        "pushes_conflated_total",
        "closed_slow_age_total",
        "closed_slow_budget_total",
        "gaps_told_total",
        "pushes_kept_total",
        "pushes_duplicate_total",
        "pushes_stale_total",
        "history_evictions_total",
        "event_log_handed_out_total",
        "event_log_handed_out_again_total",
        "event_log_dead_letters_total",
        "event_log_lost_total",
        "event_log_appends_lost_total",
        "sessions_resumed_total",
        "sessions_unknown_total",
        "sessions_unavailable_total",
        "parked_evicted_total",
        "pushes_parked_total",
        "replies_dropped_total",
        "replies_too_large_total",
        "pushes_replayed_total",
        "pushes_held_total",
        "pushes_dropped_held_total",
        "recoveries_lost_total",
        "recoveries_failed_total",
        "recoveries_late_total",
        "presence_frames_total",
        "presence_frames_skipped_total",
        "presence_reads_failed_total",
};

// One block of counters. Any thread adds and reads; each shard has a block of its own, so that
// adding never contends, and a node's figures are the sums over its blocks.
class Counters {
 public:
  void Add(Counter counter, uint64_t n = 1) {
    values_[static_cast<size_t>(counter)].fetch_add(n, std::memory_order_relaxed);
  }
  uint64_t Get(Counter counter) const {
    return values_[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
  }

 private:
  alignas(64) std::array<std::atomic<uint64_t>, static_cast<size_t>(Counter::kCount)> values_{};
};

// What a shard has right now; written by it, read by any thread.
struct Gauges {
  alignas(64) std::atomic<uint64_t> connections{0};
  std::atomic<uint64_t> parked{0};  // connections without a socket, whose clients may come back
  std::atomic<uint64_t> owned{0};
  std::atomic<uint64_t> rooms{0};
  std::atomic<uint64_t> members{0};
  std::atomic<uint64_t> outbox_bytes{0};
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_COUNTERS_H_
