#ifndef WSROUTER_CORE_DIRECTORY_H_
#define WSROUTER_CORE_DIRECTORY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/envelope.h"
#include "core/event.h"
#include "core/ids.h"

namespace wsrouter {

struct RoomSize {
  uint64_t members = 0;      // distinct clients
  uint64_t connections = 0;  // joined connections
};
struct JoinedRoom {
  bool already_member = false;
  RoomSize size;
};
struct MemberRow {
  ClientId client;
  std::vector<ConnectionId> connections;
};
struct MembersPage {
  std::vector<MemberRow> members;
  std::string next_cursor;  // empty at the end
};
struct RoomClients {
  uint64_t count = 0;             // distinct clients
  std::vector<ClientId> clients;  // in no order; none where there are more than were wanted
};
struct RoomRow {
  RoomName room;
  RoomSize size;
};
struct RoomsPage {
  std::vector<RoomRow> rooms;
  std::string next_cursor;
};
struct OnlineCount {
  uint64_t clients = 0;
  uint64_t connections = 0;  // owned ones
};
struct NodeRow {
  NodeIdentity node;
  std::string version;
  absl::Time started_at;
  absl::Time heartbeat_at;
  OnlineCount online;
  bool draining = false;  // as of its heartbeat
};

// Why a connection is its client's no more.
struct Ending {
  bool gone = false;                // else it stays: it was released
  std::optional<CloseCause> cause;  // of one that is gone; nullopt: nobody could say
  uint16_t code = 0;
};

// SEAM 2. Remembers, for the whole cluster, who is connected where and who is in which room.
//
// A node writes under its own identity, and nothing written under an older incarnation or for
// another connection can touch what a newer one wrote. Routing never reads the directory: a stale
// answer misinforms a caller, it loses no message.
//
// Capacity is enforced here, exactly, since only here the whole cluster is seen. Calls of one
// thread take effect in the order in which they were made, answered or not: an Unbind undoes a
// Join that has not been answered yet.
//
// Every method may be called from any thread and returns at once; `done` runs exactly once, on a
// thread of the directory's choosing (also inside the call), and must not block.
class Directory {
 public:
  template <typename Answer>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Answer>) &&>;

  virtual ~Directory() = default;

  // Writes that `connection` is `client`'s. The answer lists the client's other connections that
  // this one displaced; their rows are gone, to close them is the caller's. Refuses with
  // CLIENT_ALREADY_OWNED, CAPACITY_CONNECTIONS or CONNECTIONS_PER_CLIENT and then writes nothing.
  // `labels` are for the event log alone.
  virtual void Bind(const ConnectionId& connection, const ClientId& client,
                    OnDuplicate on_duplicate, const Labels& labels,
                    Done<std::vector<ConnectionId>> done) = 0;

  // Bind for a client that comes back: its connection `previous` is forgotten in the same step, as
  // if it had gone before, and is not among the displaced. Its memberships stay until its Unbind.
  virtual void Rebind(const ConnectionId& previous, const ConnectionId& connection,
                      const ClientId& client, OnDuplicate on_duplicate, const Labels& labels,
                      Done<std::vector<ConnectionId>> done) = 0;

  // Forgets the connection's binding and its membership in `rooms`, as far as they are its own.
  virtual void Unbind(const ConnectionId& connection, const ClientId& client,
                      const std::vector<RoomName>& rooms, const Ending& ending) = 0;

  // Refuses with CAPACITY_ROOM_MEMBERS and then writes nothing.
  virtual void Join(const RoomName& room, const ConnectionId& connection, const ClientId& client,
                    Done<JoinedRoom> done) = 0;
  virtual void Leave(const RoomName& room, const ConnectionId& connection, const ClientId& client,
                     Done<RoomSize> done) = 0;

  // Writes again that `connection` is `client`'s, bound with `on_duplicate`, and in `rooms`, where
  // the directory lost it or may have; capacity is not asked again. False when another connection
  // took the client over meanwhile: nothing is written, and to close this one is the caller's.
  virtual void Assert(const ConnectionId& connection, const ClientId& client,
                      OnDuplicate on_duplicate, const Labels& labels,
                      const std::vector<RoomName>& rooms, Done<bool> done) = 0;

  virtual void Client(const ClientId& client, Done<std::vector<ConnectionId>> done) = 0;
  virtual void IsMember(const RoomName& room, const ClientId& client, Done<bool> done) = 0;
  virtual void Size(const RoomName& room, Done<RoomSize> done) = 0;

  // At most `count` rows after `cursor` (a name from an earlier answer; empty to begin). A member
  // that stays while pages are read is listed exactly once, whatever joins or leaves elsewhere.
  virtual void Members(const RoomName& room, std::string_view cursor, uint32_t count,
                       Done<MembersPage> done) = 0;
  // The clients of a room, each once, where there are at most `most`; else only how many. As of one
  // moment, and cheap enough to be asked every second.
  virtual void Clients(const RoomName& room, uint32_t most, Done<RoomClients> done) = 0;
  virtual void Rooms(std::string_view prefix, std::string_view cursor, uint32_t count,
                     Done<RoomsPage> done) = 0;

  virtual void Count(Done<OnlineCount> done) = 0;
  virtual void Nodes(Done<std::vector<NodeRow>> done) = 0;

  // Reaps what dead nodes left behind; the answer is the number of rows.
  virtual void ReapStaleServers(Done<uint64_t> done) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_DIRECTORY_H_
