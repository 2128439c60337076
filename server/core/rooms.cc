#include "core/rooms.h"

#include <algorithm>

namespace wsrouter {
namespace {

auto MembershipOf(auto& connection, const RoomName& room) {
  return std::ranges::find_if(connection.rooms, [&](const Connection::Membership& membership) {
    return membership.room->name == room;
  });
}

}  // namespace

const Room* Rooms::Find(const RoomName& room) const {
  auto found = rooms_.find(room.value);
  return found == rooms_.end() ? nullptr : found->second.get();
}

bool Rooms::Has(const Connection& connection, const RoomName& room) {
  return MembershipOf(connection, room) != connection.rooms.end();
}

void Rooms::Add(Connection& connection, const RoomName& room) {
  std::unique_ptr<Room>& entry = rooms_[room.value];
  if (entry == nullptr) entry = std::make_unique<Room>(Room{.name = room, .members = {}});
  connection.rooms.push_back({.room = entry.get(), .place = entry->members.size()});
  entry->members.push_back(&connection);
}

bool Rooms::Remove(Connection& connection, const RoomName& room) {
  auto membership = MembershipOf(connection, room);
  if (membership == connection.rooms.end()) return false;
  Detach(connection, static_cast<size_t>(membership - connection.rooms.begin()));
  return true;
}

void Rooms::Detach(Connection& connection, size_t membership) {
  const auto [room, place] = connection.rooms[membership];
  connection.rooms[membership] = connection.rooms.back();
  connection.rooms.pop_back();

  Connection* moved = room->members.back();
  room->members[place] = moved;
  room->members.pop_back();
  if (moved != &connection) MembershipOf(*moved, room->name)->place = place;
  if (room->members.empty()) rooms_.erase(std::string(room->name.value));
}

std::vector<RoomName> RoomsOf(const Connection& connection) {
  std::vector<RoomName> names;
  names.reserve(connection.rooms.size());
  for (const Connection::Membership& membership : connection.rooms) {
    names.push_back(membership.room->name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace wsrouter
