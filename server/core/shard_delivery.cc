// Whom an envelope addresses, and how a frame gets into their outboxes: the path of every push.
#include <utility>

#include "base/overloaded.h"
#include "core/shard.h"
#include "core/shard_push.h"
#include "core/shard_recovery.h"

namespace wsrouter {
namespace {

// What an unowned connection may be sent: only what names it (SendToConnection).
bool ReachesUnowned(const Topic& topic) { return std::holds_alternative<ConnectionId>(topic); }

}  // namespace

template <typename Visit>
void Shard::ForEachAddressed(const Topic& topic, Visit visit) const {
  const auto each = [&](const std::vector<Connection*>& connections) {
    for (size_t i = 0; i < connections.size(); ++i) {
      // The members of a room lie all over the heap: the one after the next is fetched meanwhile.
      if (i + 2 < connections.size()) __builtin_prefetch(&connections[i + 2]->outbox);
      visit(*connections[i]);
    }
  };
  const auto all = [&] {
    for (const auto& [counter, connection] : registry_.connections()) visit(*connection);
  };
  std::visit(Overloaded{[&](const ConnectionId& id) {
                          Connection* found = registry_.Find(id.counter);
                          if (found != nullptr && IdOf(*found) == id) visit(*found);
                        },
                        [&](const ClientId& client) {
                          const Client* found = registry_.Find(client);
                          if (found != nullptr) each(found->connections);
                        },
                        [&](const RoomName& room) {
                          const Room* found = rooms_.Find(room);
                          if (found != nullptr) each(found->members);
                        },
                        [&](const Everyone&) { all(); }, [&](const ThisNode&) { all(); },
                        [](const Inbox&) {}, [](const ChannelName&) {}},
             topic);
}

std::vector<Connection*> Shard::Addressed(const Topic& topic) const {
  std::vector<Connection*> addressed;
  ForEachAddressed(topic, [&](Connection& connection) { addressed.push_back(&connection); });
  return addressed;
}

size_t Shard::PushesToOneTopic(std::span<const Letter> letters) {
  size_t pushes = 0;
  for (const Letter& letter : letters) {
    if (!std::holds_alternative<Deliver>(letter.envelope->action)) break;
    if (letter.envelope->to != letters.front().envelope->to) break;
    ++pushes;
  }
  return pushes;
}

bool Shard::IsIn(const Exceptions& except, const Connection& connection) const {
  return (connection.client != nullptr && except.clients.contains(connection.client->id)) ||
         (!except.connections.empty() && except.connections.contains(IdOf(connection)));
}

void Shard::OnDeliver(std::span<Letter> letters) {
  const Topic& to = letters.front().envelope->to;
  std::vector<Push> pushes;
  pushes.reserve(letters.size());
  for (const Letter& letter : letters) {
    const auto& deliver = std::get<Deliver>(letter.envelope->action);
    pushes.emplace_back(to, deliver, PolicyOf(to, deliver));
  }
  std::vector<Connection*> too_slow;
  bool anybody = false;
  // All pushes for one connection before the next one, while it is in the cache.
  ForEachAddressed(to, [&](Connection& connection) {
    anybody = true;
    if (connection.client == nullptr && !ReachesUnowned(to)) return;
    for (Push& push : pushes) {
      if (push.except != nullptr && IsIn(*push.except, connection)) {
        if (connection.speaks && push.position.offset > 0) LeaveOut(connection, to, push);
        continue;
      }
      if (!connection.speaks) {
        Send(connection, push, push.frame, too_slow);
        continue;
      }
      if (connection.held && recovery_->Keep(connection, to, push)) {
        ++push.receipt.matched;
        continue;
      }
      if (Send(connection, push, push.MsgTo(to), too_slow)) ++push.msgs_queued;
    }
  });
  if (!anybody && std::holds_alternative<ConnectionId>(to)) {
    counters_.Add(Counter::kPushesToDeadFd, letters.size());
  }
  CloseSlow(too_slow);
  for (size_t i = 0; i < letters.size(); ++i) {
    Receipt& receipt = pushes[i].receipt;
    const uint64_t msgs = pushes[i].msgs_queued;
    outbox_bytes_ += (receipt.queued - msgs) * pushes[i].frame->wire().size();
    if (msgs > 0) outbox_bytes_ += msgs * pushes[i].msg->wire().size();
    counters_.Add(Counter::kPushes, receipt.queued);
    counters_.Add(Counter::kPushesDroppedSlowConsumer, receipt.dropped_slow_consumer);
    delivered_.push_back({letters[i].posted, receipt.queued});
    answers_.emplace_back(std::move(letters[i].part), std::move(receipt));
  }
}

void Shard::LeaveOut(Connection& connection, const Topic& to, Push& push) {
  if (connection.closing || (connection.held && recovery_->KeepLeftOut(connection, to, push))) {
    return;
  }
  if (connection.slow) return;  // it is to be told of a loss that it looks like
  const FrameRef& frame = push.LeftOutTo(to);
  const auto added = connection.outbox.Add(frame, limits_.slow_consumer_bytes);
  if (added == Outbox::Push::kFull) return;
  if (added == Outbox::Push::kFirst) transport_.WantWrite(connection);
  outbox_bytes_ += frame->wire().size();
}

inline bool Shard::Send(Connection& connection, Push& push, const FrameRef& frame,
                        std::vector<Connection*>& too_slow) {
  ++push.receipt.matched;
  if (connection.parked) {
    counters_.Add(Counter::kPushesParked);
    return false;
  }
  if (!push.key.empty() && Conflate(connection, push, frame)) return true;
  if (!connection.slow) {
    switch (connection.outbox.Add(frame, limits_.slow_consumer_bytes)) {
      case Outbox::Push::kFirst:
        transport_.WantWrite(connection);
        [[fallthrough]];
      case Outbox::Push::kQueued:
        ++push.receipt.queued;
        return true;
      case Outbox::Push::kFull:
        break;
    }
  }
  return SendToSlow(connection, push, frame, too_slow);
}

}  // namespace wsrouter
