// Clients that come back: a connection that broke off is kept for a while without its socket, and
// the one on which its client returns, here or at another node, takes its place.
#include <algorithm>
#include <utility>

#include "core/client_protocol.h"
#include "core/error.h"
#include "core/pending_rooms.h"
#include "core/shard_recovery.h"

namespace wsrouter {
namespace {

// Whether an end like this is one that the client did not mean, nor anybody against it.
bool MayComeBack(CloseCause cause, const CloseWith& close) {
  constexpr uint16_t kNoCode = 1005;  // what a Close without a code is said to have
  switch (cause) {
    case CloseCause::kConnectionLost:
    case CloseCause::kIdle:
    case CloseCause::kSlowConsumer:
    case CloseCause::kNodeStopping:
      return true;
    case CloseCause::kClientClosed:
      return close.code != static_cast<uint16_t>(CloseCode::kNormal) &&
             close.code != static_cast<uint16_t>(CloseCode::kGoingAway) && close.code != kNoCode;
    default:
      return false;
  }
}

}  // namespace

void Shard::OnOpen(Connection& connection, const SessionRecord& session, std::string_view token) {
  const uint64_t counter = Reserve(connection).counter;
  book_.quiet.insert_or_assign(
      counter, SessionBook::Return{.previous = session.connection, .own = session.own});
  OnOpen(connection, session.own);
  if (book_.Has(counter)) book_.Spare(counter, token, now_.uptime + limits_.resume_window);
}

void Shard::OnResumed(Connection& connection) {
  const auto resumed = book_.quiet.extract(connection.counter);
  if (resumed.empty()) return;
  counters_.Add(Counter::kSessionsResumed);
  const auto& [previous, own] = resumed.mapped();
  Emit(connection,
       event::Resumed{.previous = previous,
                      .labels = connection.labels == nullptr ? Labels{} : *connection.labels});
  book_.arrivals[connection.counter].taken = own;
  Dismiss(previous,
          {.close = {static_cast<uint16_t>(CloseCode::kSuperseded), "the client has come back"},
           .handed_over = true},
          connection.counter);
}

void Shard::Dismiss(const ConnectionId& other, const Disconnect& why, uint64_t by) {
  broker_.Publish({.to = other, .action = why},
                  [this, post = post_, other, why, by](Receipt receipt) {
                    const bool told = receipt.dropped_mailbox_full == 0;
                    if (told && !why.handed_over) return;
                    post([this, other, why, by, told, receipt = std::move(receipt)] {
                      if (told) return OnHandedOver(by, receipt);
                      dismissed_.emplace_back(other, why, by);
                    });
                  });
}

Receipt Shard::OnHandOver(const Topic& to, const CloseWith& close) {
  Receipt receipt;
  for (Connection* connection : Addressed(to)) {
    ++receipt.matched;
    receipt.connections.push_back(Description(*connection));
    HandOver(*connection, close);
  }
  // It has ended since its session was taken, by a service perhaps: then the client is not to go on
  // elsewhere. A node that stops has ended it itself, and means it to.
  if (receipt.matched == 0 && !book_.stopping()) receipt.status = ConnectionGone();
  return receipt;
}

void Shard::OnHandedOver(uint64_t counter, const Receipt& receipt) {
  const auto arrival = book_.arrivals.extract(counter);
  Connection* connection = registry_.Find(counter);
  if (arrival.empty() || connection == nullptr || connection->client == nullptr) return;
  if (ReasonOf(receipt.status) == ReasonOf(ConnectionGone())) {
    return Close(*connection, CloseCause::kDisconnected, CloseCode::kTryAgainLater,
                 "the session has ended meanwhile");
  }
  if (receipt.connections.empty()) return;  // its node has gone
  // What services did to the old connection behind the Take of its session.
  const ConnectionDescription& left = receipt.connections.front();
  const auto& [taken, touched] = arrival.mapped();
  const auto pending = std::make_shared<PendingRooms>(ReceiptPart());
  const auto differ = [&](const std::vector<RoomName>& some, const std::vector<RoomName>& others,
                          auto change) {
    for (const RoomName& room : some) {
      if (std::ranges::count(others, room) == 0 && !touched.contains(room)) change(room);
    }
  };
  differ(left.rooms, taken.rooms,
         [&](const RoomName& room) { JoinRoom(*connection, room, pending); });
  differ(taken.rooms, left.rooms,
         [&](const RoomName& room) { LeaveRoom(*connection, room, pending); });
  if (left.labels != taken.labels) connection->labels = std::make_unique<const Labels>(left.labels);
  if (left.expires_at != taken.expires_at) {
    connection->expires_at = left.expires_at.value_or(absl::InfiniteFuture());
    SetDeadline(*connection);
  }
  book_.Changed(counter);
}

bool Shard::MayPark(const Connection& connection, CloseCause cause, const CloseWith& close) const {
  // Of one that comes back the old connection may be forgotten already: it stays in its place.
  const bool comes_back = connection.own_pending && book_.quiet.contains(connection.counter);
  return book_.Has(connection.counter) && (connection.client != nullptr || comes_back) &&
         !connection.parked && !book_.stopping() && limits_.parked_max > 0 &&
         MayComeBack(cause, close);
}

void Shard::Park(Connection& connection, CloseCause cause, CloseWith close) {
  while (book_.parked.size() >= limits_.parked_max) {
    counters_.Add(Counter::kParkedEvicted);
    EndParked(*registry_.Find(book_.parked.begin()->first));
  }
  book_.parked.emplace(connection.counter,
                       SessionBook::Parked{.cause = cause, .close = std::move(close)});
  connection.closing = true;
  connection.parked = true;
  presence_.TurnOff(connection);
  if (std::exchange(connection.slow, false)) losses_.erase(connection.counter);
  connection.deadline = now_.uptime + limits_.resume_window;
  counters_.Add(Counter::kConnectionsClosed);
  if (connection.held) recovery_->Forget(connection);
  if (backend_ != nullptr) CancelJoin(connection);
}

void Shard::EndParked(Connection& connection) {
  const SessionBook::Parked how = book_.parked.at(connection.counter);
  OnClose(connection, how.cause, how.close);
  transport_.Close(connection, how.close);
}

void Shard::HandOver(Connection& connection, const CloseWith& close) {
  OnResumed(connection);  // should it have come back itself, and not have been admitted yet
  book_.quiet.try_emplace(connection.counter);
  Close(connection, CloseCause::kSuperseded, static_cast<CloseCode>(close.code), close.reason);
}

void Shard::PutSessions() {
  book_.PutChanged([this](uint64_t counter) -> std::optional<SessionRecord> {
    const Connection* connection = registry_.Find(counter);
    if (connection == nullptr || connection->client == nullptr) return std::nullopt;
    SessionRecord record = {.connection = IdOf(*connection),
                            .path = connection->handshake->path,
                            .own = {.client = connection->client->id,
                                    .on_duplicate = connection->on_duplicate,
                                    .rooms = RoomsOf(*connection)}};
    if (connection->labels != nullptr) record.own.labels = *connection->labels;
    if (connection->may_join != nullptr) record.own.may_join = *connection->may_join;
    if (connection->expires_at != absl::InfiniteFuture()) {
      record.own.expires_at = connection->expires_at;
    }
    return record;
  });
}

}  // namespace wsrouter
