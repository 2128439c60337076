// Clients that come back: a connection that broke off is kept for a while without its socket, and
// the one on which its client returns, here or at another node, takes its place.
#include <utility>

#include "core/client_protocol.h"
#include "core/shard.h"

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

void Shard::OnOpen(Connection& connection, const SessionRecord& session) {
  book_.quiet.emplace(Reserve(connection).counter, session.connection);
  OnOpen(connection, session.own);
}

void Shard::OnResumed(Connection& connection) {
  const auto resumed = book_.quiet.extract(connection.counter);
  if (resumed.empty()) return;
  counters_.Add(Counter::kSessionsResumed);
  Emit(connection,
       event::Resumed{.previous = resumed.mapped(),
                      .labels = connection.labels == nullptr ? Labels{} : *connection.labels});
  Dismiss(resumed.mapped(),
          {.close = {static_cast<uint16_t>(CloseCode::kSuperseded), "the client has come back"},
           .handed_over = true});
}

void Shard::Dismiss(const ConnectionId& other, const Disconnect& why) {
  broker_.Publish({.to = other, .action = why}, [this, post = post_, other, why](Receipt receipt) {
    if (receipt.dropped_mailbox_full == 0) return;
    post([this, other, why] { dismissed_.emplace_back(other, why); });
  });
}

bool Shard::MayPark(const Connection& connection, CloseCause cause, const CloseWith& close) const {
  return book_.Has(connection.counter) && connection.client != nullptr && !connection.parked &&
         !book_.stopping() && !book_.quiet.contains(connection.counter) && limits_.parked_max > 0 &&
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
  if (std::exchange(connection.slow, false)) losses_.erase(connection.counter);
  connection.deadline = now_.uptime + limits_.resume_window;
  counters_.Add(Counter::kConnectionsClosed);
  if (backend_ != nullptr) CancelJoin(connection);
}

void Shard::EndParked(Connection& connection) {
  const SessionBook::Parked how = book_.parked.at(connection.counter);
  OnClose(connection, how.cause, how.close);
  transport_.Close(connection, how.close);
}

void Shard::HandOver(Connection& connection, const CloseWith& close) {
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
