#ifndef WSROUTER_ENGINE_REDIS_DIRECTORY_H_
#define WSROUTER_ENGINE_REDIS_DIRECTORY_H_

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/directory.h"
#include "core/event_log.h"
#include "core/limits.h"
#include "engine/redis_link.h"

namespace wsrouter {

// Who a dead node's connection was, and where: what a collector took out of the directory.
struct ReapedRow {
  ConnectionId connection;
  ClientId client;
  std::optional<RoomName> room;  // a membership; else the binding itself
};

// The directory of a cluster in Redis: every step is one script, every row is named by its full
// connection id (node, incarnation, shard, counter), so that no delete can touch what another
// connection wrote. A row stands in its node's index before it stands anywhere else and leaves it
// last, so what a dead node left behind is found without a scan. Time is Redis' clock.
//
// While the link is down every method answers UNAVAILABLE (reason DIRECTORY_UNAVAILABLE) at once.
// A Bind or Join whose answer did not come in time is undone by a command behind it.
class RedisDirectory final : public Directory {
 public:
  struct Options {
    std::string prefix;  // all keys begin with "{prefix}:": one hash slot
    NodeRow self;        // heartbeat and counts are Redis' to say
    Limits limits;
    absl::Duration lease = absl::Seconds(10);
    absl::Duration gc_lease = absl::Seconds(5);
    EventLogOptions log = {};
  };
  RedisDirectory(Options options, RedisLink& link);

  // Directory
  void Bind(const ConnectionId& connection, const ClientId& client, OnDuplicate on_duplicate,
            const Labels& labels, Done<std::vector<ConnectionId>> done) override;
  void Rebind(const ConnectionId& previous, const ConnectionId& connection, const ClientId& client,
              OnDuplicate on_duplicate, const Labels& labels,
              Done<std::vector<ConnectionId>> done) override;
  void Unbind(const ConnectionId& connection, const ClientId& client,
              const std::vector<RoomName>& rooms, const Ending& ending) override;
  void Join(const RoomName& room, const ConnectionId& connection, const ClientId& client,
            Done<JoinedRoom> done) override;
  void Leave(const RoomName& room, const ConnectionId& connection, const ClientId& client,
             Done<RoomSize> done) override;
  void Assert(const ConnectionId& connection, const ClientId& client, OnDuplicate on_duplicate,
              const Labels& labels, const std::vector<RoomName>& rooms, Done<bool> done) override;
  void Client(const ClientId& client, Done<std::vector<ConnectionId>> done) override;
  void IsMember(const RoomName& room, const ClientId& client, Done<bool> done) override;
  void Size(const RoomName& room, Done<RoomSize> done) override;
  void Members(const RoomName& room, std::string_view cursor, uint32_t count,
               Done<MembersPage> done) override;
  void Clients(const RoomName& room, uint32_t most, Done<RoomClients> done) override;
  void Rooms(std::string_view prefix, std::string_view cursor, uint32_t count,
             Done<RoomsPage> done) override;
  void Count(Done<OnlineCount> done) override;
  void Nodes(Done<std::vector<NodeRow>> done) override;
  void ReapStaleServers(Done<uint64_t> done) override;

  // The node's own life in the cluster; the engine calls these.

  struct Lease {
    bool held = false;  // if not, everything must be written again: Redis lost it, or others reaped
    uint64_t rows = 0;  // of this node
  };
  // Prolongs the lease.
  void Heartbeat(Done<Lease> done);
  // What heartbeats say from now on. Any thread.
  void SetDraining(bool draining) { draining_ = draining; }
  // Takes the lease, and marks all rows of this node as left over: what is not written again until
  // FinishRewrite goes.
  void BeginRewrite(Done<bool> done);
  // Removes the marked rows that were not written again; the answer is their number.
  void FinishRewrite(Done<uint64_t> done);
  // Gives every row and the lease back.
  void Resign(Done<uint64_t> done);
  // Like ReapStaleServers, but only if no other node collects: who holds the GC lease does.
  void Collect(Done<uint64_t> done);

  // Hears of every row that this node's collecting took from dead nodes, once across the cluster.
  // Before the first call; runs on the link's thread.
  void OnReaped(std::function<void(const std::vector<ReapedRow>&)> handler) {
    on_reaped_ = std::move(handler);
  }

 private:
  // `previous` is empty where there is none.
  void BindInPlaceOf(std::string previous, const ConnectionId& connection, const ClientId& client,
                     OnDuplicate on_duplicate, const Labels& labels,
                     Done<std::vector<ConnectionId>> done);
  void Run(const RedisScript& script, std::vector<std::string> arguments, RedisLink::Done done);
  // One script after the other until nothing is left; the rows so far go along.
  void Sweep(std::string which, uint64_t removed, Done<uint64_t> done);
  void Reap(absl::Duration gc_lease, uint64_t reaped, Done<uint64_t> done);
  uint64_t Report(const RedisValue& answer);

  const Options options_;
  const std::string root_;
  const std::string self_;  // this node, as Redis knows it
  RedisLink& link_;
  std::atomic<uint64_t> rewrites_{0};
  std::atomic<bool> draining_{false};  // begun
  std::atomic<uint64_t> binds_{0};     // numbers them, so that a late one can be undone alone
  std::function<void(const std::vector<ReapedRow>&)> on_reaped_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_DIRECTORY_H_
