#include "engine/memory_directory.h"

#include <algorithm>
#include <utility>

#include "core/close_code.h"
#include "engine/refusals.h"

namespace wsrouter {

void MemoryDirectory::Bind(const ConnectionId& connection, const ClientId& client,
                           OnDuplicate on_duplicate, const Labels& labels,
                           Done<std::vector<ConnectionId>> done) {
  absl::StatusOr<std::vector<ConnectionId>> displaced;
  {
    absl::MutexLock lock(&mutex_);
    displaced = BindLocked(connection, client, on_duplicate, labels, nullptr);
  }
  std::move(done)(std::move(displaced));
}

void MemoryDirectory::Rebind(const ConnectionId& previous, const ConnectionId& connection,
                             const ClientId& client, OnDuplicate on_duplicate, const Labels& labels,
                             Done<std::vector<ConnectionId>> done) {
  absl::StatusOr<std::vector<ConnectionId>> displaced;
  {
    absl::MutexLock lock(&mutex_);
    displaced = BindLocked(connection, client, on_duplicate, labels, &previous);
  }
  std::move(done)(std::move(displaced));
}

absl::StatusOr<std::vector<ConnectionId>> MemoryDirectory::BindLocked(
    const ConnectionId& connection, const ClientId& client, OnDuplicate on_duplicate,
    const Labels& labels, const ConnectionId* previous) {
  const auto found = clients_.find(client.value);
  std::vector<ConnectionId> others;
  bool ours = false;
  bool replaces_previous = false;
  if (found != clients_.end()) {
    others = found->second;
    ours = std::erase(others, connection) > 0;
    replaces_previous = previous != nullptr && std::erase(others, *previous) > 0;
  }
  const uint64_t owned = owned_ - (replaces_previous ? 1 : 0);
  if (on_duplicate == OnDuplicate::kReject && !others.empty()) {
    return ClientAlreadyOwned(others.size());
  }
  const bool replace = on_duplicate == OnDuplicate::kReplace;
  if (!ours && !(replace && !others.empty()) && owned >= limits_.owner_capacity) {
    return ConnectionsExhausted(owned);
  }
  if (!ours && !replace && others.size() >= limits_.connections_per_client) {
    return ClientExhausted(limits_.connections_per_client);
  }
  std::vector<ConnectionId>& rows = clients_[client.value];
  owned_ -= rows.size();
  rows = replace ? std::vector<ConnectionId>{} : others;
  rows.push_back(connection);
  owned_ += rows.size();
  const Ending superseded = {.gone = true,
                             .cause = CloseCause::kSuperseded,
                             .code = static_cast<uint16_t>(CloseCode::kSuperseded)};
  if (!ours) {
    LogBegin(connection, client, labels, previous != nullptr,
             replaces_previous ? previous : nullptr);
  } else if (replaces_previous) {
    Log(LogKind::kDisconnected, *previous, client, {}, superseded);
  }
  for (size_t i = 0; replace && i < others.size(); ++i) {
    Log(LogKind::kDisconnected, others[i], client, {}, superseded);
  }
  return replace ? others : std::vector<ConnectionId>{};
}

void MemoryDirectory::Log(LogKind kind, const ConnectionId& connection, const ClientId& client,
                          const RoomName& room, const Ending& ending) {
  if (log_ == nullptr) return;
  LogEntry entry;
  entry.kind = kind;
  entry.client = client;
  entry.connection = connection;
  entry.room = room;
  entry.ending = ending;
  log_->Add(std::move(entry));
}

void MemoryDirectory::LogBegin(const ConnectionId& connection, const ClientId& client,
                               const Labels& labels, bool resumes, const ConnectionId* ended) {
  if (log_ == nullptr) return;
  LogEntry entry;
  entry.kind = resumes ? LogKind::kResumed : LogKind::kConnected;
  entry.client = client;
  entry.connection = connection;
  entry.labels = labels;
  if (ended != nullptr) entry.previous = *ended;
  log_->Add(std::move(entry));
}

void MemoryDirectory::Unbind(const ConnectionId& connection, const ClientId& client,
                             const std::vector<RoomName>& rooms, const Ending& ending) {
  absl::MutexLock lock(&mutex_);
  for (const RoomName& room : rooms) LeaveLocked(room, connection, client);
  const auto found = clients_.find(client.value);
  if (found == clients_.end()) return;
  if (std::erase(found->second, connection) > 0) {
    --owned_;
    Log(ending.gone ? LogKind::kDisconnected : LogKind::kReleased, connection, client, {}, ending);
  }
  if (found->second.empty()) clients_.erase(found);
}

void MemoryDirectory::Join(const RoomName& room, const ConnectionId& connection,
                           const ClientId& client, Done<JoinedRoom> done) {
  absl::StatusOr<JoinedRoom> joined;
  {
    absl::MutexLock lock(&mutex_);
    joined = JoinLocked(room, connection, client);
  }
  std::move(done)(std::move(joined));
}

absl::StatusOr<JoinedRoom> MemoryDirectory::JoinLocked(const RoomName& room,
                                                       const ConnectionId& connection,
                                                       const ClientId& client) {
  const auto found = rooms_.find(room.value);
  if (found != rooms_.end()) {
    const auto member = found->second.members.find(client.value);
    if (member != found->second.members.end() &&
        std::ranges::find(member->second, connection) != member->second.end()) {
      return JoinedRoom{.already_member = true, .size = SizeOf(found->second)};
    }
  }
  if (room_members_ >= limits_.room_members_capacity) {
    return RoomMembersExhausted(room_members_);
  }
  Room& entry = rooms_[room.value];
  entry.members[client.value].push_back(connection);
  ++entry.connections;
  ++room_members_;
  Log(LogKind::kJoined, connection, client, room);
  if (entry.connections == 1) Log(LogKind::kOccupied, connection, client, room);
  return JoinedRoom{.already_member = false, .size = SizeOf(entry)};
}

void MemoryDirectory::Leave(const RoomName& room, const ConnectionId& connection,
                            const ClientId& client, Done<RoomSize> done) {
  RoomSize size;
  {
    absl::MutexLock lock(&mutex_);
    size = LeaveLocked(room, connection, client);
  }
  std::move(done)(size);
}

RoomSize MemoryDirectory::LeaveLocked(const RoomName& room, const ConnectionId& connection,
                                      const ClientId& client) {
  const auto found = rooms_.find(room.value);
  if (found == rooms_.end()) return {};
  Room& entry = found->second;
  const auto member = entry.members.find(client.value);
  if (member == entry.members.end()) return SizeOf(entry);
  const size_t erased = std::erase(member->second, connection);
  entry.connections -= erased;
  room_members_ -= erased;
  if (member->second.empty()) entry.members.erase(member);
  const RoomSize size = SizeOf(entry);
  if (erased > 0) Log(LogKind::kLeft, connection, client, room);
  if (entry.members.empty()) {
    Log(LogKind::kVacated, connection, client, room);
    rooms_.erase(found);
  }
  return size;
}

void MemoryDirectory::Assert(const ConnectionId&, const ClientId&, OnDuplicate, const Labels&,
                             const std::vector<RoomName>&, Done<bool> done) {
  std::move(done)(true);  // it never loses what it was told
}

void MemoryDirectory::Client(const ClientId& client, Done<std::vector<ConnectionId>> done) {
  std::vector<ConnectionId> connections;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = clients_.find(client.value);
    if (found != clients_.end()) connections = found->second;
  }
  std::move(done)(std::move(connections));
}

void MemoryDirectory::IsMember(const RoomName& room, const ClientId& client, Done<bool> done) {
  bool member = false;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = rooms_.find(room.value);
    member = found != rooms_.end() && found->second.members.contains(client.value);
  }
  std::move(done)(member);
}

void MemoryDirectory::Size(const RoomName& room, Done<RoomSize> done) {
  RoomSize size;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = rooms_.find(room.value);
    if (found != rooms_.end()) size = SizeOf(found->second);
  }
  std::move(done)(size);
}

void MemoryDirectory::Members(const RoomName& room, std::string_view cursor, uint32_t count,
                              Done<MembersPage> done) {
  MembersPage page;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = rooms_.find(room.value);
    if (found != rooms_.end()) {
      const auto& members = found->second.members;
      auto member = members.upper_bound(cursor);
      for (; member != members.end() && page.members.size() < count; ++member) {
        page.members.push_back({.client = {member->first}, .connections = member->second});
      }
      if (member != members.end() && !page.members.empty()) {
        page.next_cursor = page.members.back().client.value;
      }
    }
  }
  std::move(done)(std::move(page));
}

void MemoryDirectory::Clients(const RoomName& room, uint32_t most, Done<RoomClients> done) {
  RoomClients clients;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = rooms_.find(room.value);
    if (found != rooms_.end()) clients.count = found->second.members.size();
    if (clients.count > 0 && clients.count <= most) {
      for (const auto& [client, rows] : found->second.members) clients.clients.push_back({client});
    }
  }
  std::move(done)(std::move(clients));
}

void MemoryDirectory::Rooms(std::string_view prefix, std::string_view cursor, uint32_t count,
                            Done<RoomsPage> done) {
  RoomsPage page;
  {
    absl::MutexLock lock(&mutex_);
    auto room = cursor < prefix ? rooms_.lower_bound(prefix) : rooms_.upper_bound(cursor);
    const auto matches = [&] { return room != rooms_.end() && room->first.starts_with(prefix); };
    for (; matches() && page.rooms.size() < count; ++room) {
      page.rooms.push_back({.room = {room->first}, .size = SizeOf(room->second)});
    }
    if (matches() && !page.rooms.empty()) page.next_cursor = page.rooms.back().room.value;
  }
  std::move(done)(std::move(page));
}

void MemoryDirectory::Count(Done<OnlineCount> done) {
  OnlineCount count;
  {
    absl::MutexLock lock(&mutex_);
    count = CountLocked();
  }
  std::move(done)(count);
}

void MemoryDirectory::Nodes(Done<std::vector<NodeRow>> done) {
  NodeRow self = self_;
  self.heartbeat_at = clock_.Now().wall;
  {
    absl::MutexLock lock(&mutex_);
    self.online = CountLocked();
  }
  std::move(done)(std::vector<NodeRow>{std::move(self)});
}

void MemoryDirectory::ReapStaleServers(Done<uint64_t> done) { std::move(done)(0); }

OnlineCount MemoryDirectory::CountLocked() const {
  return {.clients = clients_.size(), .connections = owned_};
}

RoomSize MemoryDirectory::SizeOf(const Room& room) {
  return {.members = room.members.size(), .connections = room.connections};
}

}  // namespace wsrouter
