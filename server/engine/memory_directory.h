#ifndef WSROUTER_ENGINE_MEMORY_DIRECTORY_H_
#define WSROUTER_ENGINE_MEMORY_DIRECTORY_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/strings.h"
#include "core/directory.h"
#include "core/limits.h"
#include "engine/memory_event_log.h"

namespace wsrouter {

// The directory of a cluster of one node: it dies with the process that wrote it, so there is
// never anything stale in it. Every answer is given inside the call, outside the lock.
class MemoryDirectory final : public Directory {
 public:
  // `self` describes this node; its heartbeat and counts are filled in at each question.
  // `log` hears of every row that comes or goes; null: nobody does.
  MemoryDirectory(NodeRow self, const Limits& limits, const Clock& clock,
                  MemoryEventLog* log = nullptr)
      : self_(std::move(self)), limits_(limits), clock_(clock), log_(log) {}

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

 private:
  // Ordered by name, so that a cursor is the last name of a page.
  template <typename Value>
  using ByName = absl::btree_map<std::string, Value, std::less<>>;
  struct Room {
    ByName<std::vector<ConnectionId>> members;  // by client
    uint64_t connections = 0;                   // Invariant: the sum of the members' sizes.
  };

  absl::StatusOr<std::vector<ConnectionId>> BindLocked(
      const ConnectionId& connection, const ClientId& client, OnDuplicate on_duplicate,
      const Labels& labels, const ConnectionId* previous) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<JoinedRoom> JoinLocked(const RoomName& room, const ConnectionId& connection,
                                        const ClientId& client)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  RoomSize LeaveLocked(const RoomName& room, const ConnectionId& connection, const ClientId& client)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Log(LogKind kind, const ConnectionId& connection, const ClientId& client,
           const RoomName& room = {}, const Ending& ending = {})
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LogBegin(const ConnectionId& connection, const ClientId& client, const Labels& labels,
                bool resumes, const ConnectionId* ended) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  OnlineCount CountLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  static RoomSize SizeOf(const Room& room);

  const NodeRow self_;
  const Limits limits_;
  const Clock& clock_;
  MemoryEventLog* const log_;
  mutable absl::Mutex mutex_;
  StringMap<std::vector<ConnectionId>> clients_ ABSL_GUARDED_BY(mutex_);
  ByName<Room> rooms_ ABSL_GUARDED_BY(mutex_);
  uint64_t owned_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t room_members_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_MEMORY_DIRECTORY_H_
