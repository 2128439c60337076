#ifndef WSROUTER_CORE_ROOMS_H_
#define WSROUTER_CORE_ROOMS_H_

#include <memory>
#include <vector>

#include "base/strings.h"
#include "core/connection.h"
#include "core/ids.h"

namespace wsrouter {

// The members of one room on this shard, in no order that anybody may rely on.
struct Room {
  RoomName name;
  std::vector<Connection*> members;
};

// Who is in which room on this shard. A room exists while it has members.
//
// Invariant: room.members[m.place] == &connection for each membership m of each connection, so
// that joining and leaving cost the same in a room of ten and of a hundred thousand.
class Rooms {
 public:
  const Room* Find(const RoomName& room) const;
  static bool Has(const Connection& connection, const RoomName& room);

  // `connection` must not be a member yet.
  void Add(Connection& connection, const RoomName& room);

  // False when it was not a member.
  bool Remove(Connection& connection, const RoomName& room);

  size_t size() const { return rooms_.size(); }

 private:
  void Detach(Connection& connection, size_t membership);

  StringMap<std::unique_ptr<Room>> rooms_;
};

// The names of the rooms of one connection.
std::vector<RoomName> RoomsOf(const Connection& connection);

}  // namespace wsrouter

#endif  // WSROUTER_CORE_ROOMS_H_
