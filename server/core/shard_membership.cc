// Who owns a connection and which rooms it is in: the directory is asked first, since it alone
// sees the cluster's capacity, then the shard's own tables and its interest follow.
#include <algorithm>
#include <utility>

#include "core/client_protocol.h"
#include "core/error.h"
#include "core/pending_rooms.h"
#include "core/shard.h"
#include "core/shard_recovery.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

CloseWith Superseded() {
  return {static_cast<uint16_t>(CloseCode::kSuperseded),
          "a newer connection of the same client took over"};
}

}  // namespace

void Shard::OnOwn(const Topic& to, const Own& own, ReceiptPart part) {
  std::vector<Connection*> addressed = Addressed(to);
  if (addressed.empty()) {
    part.Finish({.status = ConnectionGone()});
    return;
  }
  Connection& connection = *addressed.front();
  if (connection.own_pending) {
    part.Finish({.status = Refusal(absl::StatusCode::kAborted, "OWN_IN_PROGRESS",
                                   "another Own of the connection is in progress")});
    return;
  }
  if (connection.client != nullptr && connection.client->id != own.client) {
    part.Finish(
        {.status = Refusal(absl::StatusCode::kFailedPrecondition, "CONNECTION_ALREADY_OWNED",
                           "another client owns the connection; release it first")});
    return;
  }
  if (own.expires_at.has_value() && *own.expires_at <= now_.wall) {
    part.Finish({.status = Refusal(absl::StatusCode::kInvalidArgument, "FIELD_INVALID",
                                   "expires_at is in the past")});
    return;
  }
  connection.own_pending = true;
  const bool renewal = connection.client != nullptr;
  auto bound = [this, post = post_, counter = connection.counter, own, renewal,
                part =
                    std::move(part)](absl::StatusOr<std::vector<ConnectionId>> displaced) mutable {
    post([this, counter, own = std::move(own), renewal, displaced = std::move(displaced),
          part = std::move(part)]() mutable {
      OnBound(counter, std::move(own), renewal, std::move(displaced), std::move(part));
    });
  };
  const auto resumed = book_.quiet.find(connection.counter);
  if (resumed == book_.quiet.end()) {
    directory_.Bind(IdOf(connection), own.client, own.on_duplicate, own.labels, std::move(bound));
  } else {
    directory_.Rebind(resumed->second.previous, IdOf(connection), own.client, own.on_duplicate,
                      own.labels, std::move(bound));
  }
}

void Shard::OnBound(uint64_t counter, Own own, bool renewal,
                    absl::StatusOr<std::vector<ConnectionId>> displaced, ReceiptPart part) {
  for (const ConnectionId& other : displaced.value_or(std::vector<ConnectionId>{})) {
    Dismiss(other, {.close = Superseded()});
  }
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr) {
    if (displaced.ok()) {
      directory_.Unbind({.node = node_, .shard = index_, .counter = counter}, own.client, {},
                        {.gone = true});
    }
    part.Finish({.status = displaced.ok() ? ConnectionGone() : displaced.status()});
    return;
  }
  connection->own_pending = false;
  if (!displaced.ok()) {
    const bool capacity = ReasonOf(displaced.status()) == "CAPACITY_CONNECTIONS";
    if (capacity) counters_.Add(Counter::kCapacityExceededOwner);
    part.Finish({.status = displaced.status()});
    return;
  }
  if (renewal && connection->client == nullptr) {  // released since, in the directory, too
    part.Finish({.status = ConnectionNotOwned()});
    return;
  }
  auto pending = std::make_shared<PendingRooms>(std::move(part));
  pending->receipt = {.matched = 1, .displaced = *std::move(displaced)};
  connection->labels = own.labels.empty() ? nullptr : std::make_unique<const Labels>(own.labels);
  connection->may_join = own.may_join.empty()
                             ? nullptr
                             : std::make_unique<const std::vector<std::string>>(own.may_join);
  connection->on_duplicate = own.on_duplicate;
  connection->expires_at = own.expires_at.value_or(absl::InfiniteFuture());
  if (!renewal) {
    registry_.Bind(*connection, own.client);
    interest_.Hold(own.client);
    ++owned_;
    counters_.Add(Counter::kOwns);
  }
  SetDeadline(*connection);
  book_.Changed(counter);
  Emit(*connection, event::Owned{.labels = std::move(own.labels), .expires_at = own.expires_at});
  if (!renewal && !std::exchange(connection->welcomed, false)) {
    Welcome(*connection, own.client.value);
  }
  for (const RoomName& room : own.rooms) JoinRoom(*connection, room, pending);
  // The answer waits until pushes to the client reach this shard.
  interest_.Await(own.client, [this, counter, pending](absl::Status live) {
    if (live.ok()) return;
    Connection* owned = registry_.Find(counter);
    if (owned == nullptr || owned->client == nullptr) {  // it was given up before it was live
      const bool gone = owned == nullptr || owned->closing;
      pending->receipt.status = gone ? ConnectionGone() : ConnectionNotOwned();
      return;
    }
    pending->receipt.status = std::move(live);
    Disown(*owned, {});
    owned->parked ? EndParked(*owned) : SetDeadline(*owned);
  });
}

Receipt Shard::OnRelease(const Topic& to, const Release& release) {
  Receipt receipt;
  for (Connection* connection : Addressed(to)) {
    if (connection->client == nullptr) continue;
    ++receipt.matched;
    const ClientId client = connection->client->id;
    Disown(*connection, {});
    EmitAs(client, *connection, event::Released{});
    if (release.close.has_value()) {
      Close(*connection, CloseCause::kDisconnected, static_cast<CloseCode>(release.close->code),
            release.close->reason);
    } else if (connection->parked) {
      Close(*connection, CloseCause::kDisconnected, CloseCode::kDisconnected, "released");
    } else {
      SetDeadline(*connection);
      Welcome(*connection, {});
    }
  }
  return receipt;
}

void Shard::Disown(Connection& connection, const Ending& ending) {
  book_.End(connection.counter);
  const ClientId client = connection.client->id;
  const std::vector<RoomName> left = RoomsOf(connection);
  for (const RoomName& room : left) EndMembership(connection, room);
  std::vector<RoomName> rooms = left;
  for (Connection::PendingJoin& join : std::exchange(connection.joins_pending, {})) {
    rooms.push_back(std::move(join.room));
  }
  directory_.Unbind(IdOf(connection), client, rooms, ending);
  for (const RoomName& room : left) TellLeft(connection, room);
  registry_.Unbind(connection);
  interest_.Release(client);
  connection.labels = nullptr;
  connection.may_join = nullptr;
  connection.expires_at = absl::InfiniteFuture();
  --owned_;
  counters_.Add(Counter::kReleases);
}

void Shard::OnJoin(const Topic& to, const Join& join, ReceiptPart part) {
  auto pending = std::make_shared<PendingRooms>(std::move(part));
  for (Connection* connection : Addressed(to)) {
    ++pending->receipt.matched;
    if (connection->client == nullptr) {
      pending->receipt.status = ConnectionNotOwned();
      return;
    }
    for (const RoomName& room : join.rooms) JoinRoom(*connection, room, pending);
  }
}

void Shard::JoinRoom(Connection& connection, const RoomName& room,
                     const std::shared_ptr<PendingRooms>& pending) {
  book_.Touch(connection.counter, room);
  const bool adds = !Rooms::Has(connection, room);
  const auto adding =
      std::ranges::count(connection.joins_pending, true, &Connection::PendingJoin::adds);
  const size_t rooms = connection.rooms.size() + static_cast<size_t>(adding);
  if (adds && rooms >= limits_.rooms_per_connection) {
    pending->Refuse(room, Refusal(absl::StatusCode::kResourceExhausted, "ROOMS_PER_CONNECTION",
                                  fmt::format("a connection may be in at most {} rooms",
                                              limits_.rooms_per_connection)));
    return;
  }
  const uint64_t ticket = ++last_ticket_;
  connection.joins_pending.push_back({.ticket = ticket, .room = room, .adds = adds});
  directory_.Join(
      room, IdOf(connection), connection.client->id,
      [this, post = post_, counter = connection.counter, ticket, room,
       pending](absl::StatusOr<JoinedRoom> joined) mutable {
        post([this, counter, ticket, room = std::move(room), joined = std::move(joined),
              pending = std::move(pending)] { OnJoined(counter, ticket, room, joined, pending); });
      });
}

void Shard::OnJoined(uint64_t counter, uint64_t ticket, const RoomName& room,
                     const absl::StatusOr<JoinedRoom>& joined,
                     const std::shared_ptr<PendingRooms>& pending) {
  Connection* connection = registry_.Find(counter);
  const auto ours = [&](const Connection::PendingJoin& join) { return join.ticket == ticket; };
  const bool wanted = connection != nullptr && std::erase_if(connection->joins_pending, ours) > 0;
  if (!joined.ok()) {
    const bool capacity = ReasonOf(joined.status()) == "CAPACITY_ROOM_MEMBERS";
    if (capacity) counters_.Add(Counter::kCapacityExceededRoom);
    pending->Refuse(room, joined.status());
    return;
  }
  if (!wanted) {  // whoever withdrew it has told the directory, too
    if (connection == nullptr || connection->client == nullptr) {
      pending->Refuse(room, connection == nullptr ? ConnectionGone() : ConnectionNotOwned());
    } else {
      pending->Settle(room, RoomChange::Result::kNotAMember, absl::OkStatus(), joined->size);
    }
    return;
  }
  auto result = RoomChange::Result::kAlreadyMember;
  if (!Rooms::Has(*connection, room)) {
    result = RoomChange::Result::kJoined;
    rooms_.Add(*connection, room);
    interest_.Hold(room);
    ++members_;
    counters_.Add(Counter::kRoomJoins);
    book_.Changed(counter);
    if (book_.quiet.contains(counter)) recovery_->Await(*connection, room);
    Emit(*connection, event::Joined{.room = room});
  }
  recovery_->Begin(*connection, room, result, *pending);
  AwaitLive(counter, room, result, joined->size, pending);
}

void Shard::OnRoomDead(uint64_t counter, const RoomName& room) {
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr || !EndMembership(*connection, room)) return;
  directory_.Leave(room, IdOf(*connection), connection->client->id,
                   [](absl::StatusOr<RoomSize>) {});
  TellLeft(*connection, room);
}

bool Shard::EndMembership(Connection& connection, const RoomName& room) {
  presence_.TurnOff(connection, room);
  if (!rooms_.Remove(connection, room)) return false;
  if (connection.held) recovery_->Forget(connection, room);
  --members_;
  book_.Changed(connection.counter);
  counters_.Add(Counter::kRoomLeaves);
  interest_.Release(room);
  return true;
}

void Shard::OnLeave(const Topic& to, const Leave& leave, ReceiptPart part) {
  auto pending = std::make_shared<PendingRooms>(std::move(part));
  for (Connection* connection : Addressed(to)) {
    ++pending->receipt.matched;
    for (const RoomName& room : leave.rooms) LeaveRoom(*connection, room, pending);
  }
}

void Shard::LeaveRoom(Connection& connection, const RoomName& room,
                      const std::shared_ptr<PendingRooms>& pending) {
  if (connection.client == nullptr) {
    pending->Settle(room, RoomChange::Result::kNotAMember, absl::OkStatus(), {});
    return;
  }
  book_.Touch(connection.counter, room);
  std::erase_if(connection.joins_pending,
                [&](const Connection::PendingJoin& join) { return join.room == room; });
  const auto result =
      EndMembership(connection, room) ? RoomChange::Result::kLeft : RoomChange::Result::kNotAMember;
  directory_.Leave(room, IdOf(connection), connection.client->id,
                   [post = post_, room, result, pending](absl::StatusOr<RoomSize> size) mutable {
                     post([room = std::move(room), result, size = std::move(size),
                           pending = std::move(pending)] {
                       pending->Settle(room, result, size.status(), size.value_or(RoomSize{}));
                     });
                   });
  if (result == RoomChange::Result::kLeft) {
    TellLeft(connection, room, pending->frame_id);
  } else if (pending->by_client) {
    Say(connection, LeftText(pending->frame_id, room));
  }
}

}  // namespace wsrouter
