// Connections that read too slowly: what they lose, what they and the services are told, and how
// they end.
#include <algorithm>
#include <utility>

#include "core/namespaces.h"
#include "core/shard.h"
#include "core/shard_push.h"

namespace wsrouter {

SlowConsumerPolicy Shard::PolicyOf(const Topic& to, const Deliver& deliver) const {
  if (deliver.slow_consumer.has_value()) return *deliver.slow_consumer;
  const auto* room = std::get_if<RoomName>(&to);
  if (room == nullptr || limits_.namespaces == nullptr) return limits_.slow_consumer_policy;
  return limits_.namespaces->Of(room->value).options.slow_consumer;
}

bool Shard::Conflate(Connection& connection, Push& push, const FrameRef& frame) {
  const auto replaced = connection.outbox.Conflate(frame, limits_.slow_consumer_bytes);
  if (!replaced.has_value()) return false;
  outbox_bytes_ -= *replaced;
  counters_.Add(Counter::kPushesConflated);
  ++push.receipt.queued;
  return true;
}

bool Shard::SendToSlow(Connection& connection, Push& push, const FrameRef& frame,
                       std::vector<Connection*>& too_slow) {
  using enum SlowConsumerPolicy;
  const FrameRef gap = PendingGap(connection);
  const size_t octets = frame->wire().size() + (gap ? gap->wire().size() : 0);
  const size_t frames = gap ? 2 : 1;
  // An empty one takes any push, or clients that get it as JSON, which can be six times as long,
  // would never get some.
  bool fits = connection.outbox.empty() ||
              connection.outbox.Takes(octets, frames, limits_.slow_consumer_bytes);
  if (!fits && (push.slow_consumer == kDropOld || push.slow_consumer == kConflate)) {
    fits = MakeRoom(connection, octets, frames);
  }
  if (!fits) {
    ++push.receipt.dropped_slow_consumer;
    Lose(connection).behind.Add(frame.standing().room);
    if (push.slow_consumer == kDisconnect) too_slow.push_back(&connection);
    return false;
  }
  if (gap) QueueGap(connection, gap);
  // Room was made, but for the gap that may tell of it.
  const size_t bytes_max = std::max(limits_.slow_consumer_bytes, octets) + kControlFramesBytesMax;
  if (connection.outbox.Add(frame, bytes_max) == Outbox::Push::kFirst) {
    transport_.WantWrite(connection);
  }
  ++push.receipt.queued;
  return true;
}

bool Shard::MakeRoom(Connection& connection, size_t octets, size_t frames) {
  const size_t bytes_max = limits_.slow_consumer_bytes;
  if (octets + frames * kFrameOverheadBytes > bytes_max) return false;
  Loss* loss = nullptr;
  while (!connection.outbox.Takes(octets, frames, bytes_max)) {
    const FrameRef dropped = connection.outbox.DropOldest();
    if (!dropped) break;
    if (loss == nullptr) {
      loss = &losses_[connection.counter];
      // What the client was told already is over.
      if (!connection.outbox.IsNext(loss->gap)) loss->before = {};
    }
    outbox_bytes_ -= dropped->wire().size();
    ++connection.not_pushes;
    counters_.Add(Counter::kPushesDroppedOld);
    Lose(connection).before.Add(dropped.standing().room);
  }
  const bool made = connection.outbox.Takes(octets, frames, bytes_max);
  if (loss != nullptr && connection.speaks) {
    const FrameRef gap(Frame::Make(Opcode::kText, GapText(loss->before.room, loss->before.count)));
    const bool again = connection.outbox.IsNext(loss->gap);
    outbox_bytes_ -= connection.outbox.PutNext(gap, loss->gap);
    outbox_bytes_ += gap->wire().size();
    loss->gap = gap;
    if (!again) counters_.Add(Counter::kGapsTold);
  }
  return made;
}

Loss& Shard::Lose(Connection& connection) {
  Loss& loss = losses_[connection.counter];
  ++loss.frames;
  if (!std::exchange(connection.slow, true)) {
    Emit(connection, event::Slow{.outbox_bytes = connection.outbox.bytes(),
                                 .cause = SlowCause::kFull,
                                 .frames_lost = loss.frames});
  }
  return loss;
}

FrameRef Shard::PendingGap(const Connection& connection) const {
  if (!connection.slow || !connection.speaks) return {};
  const auto found = losses_.find(connection.counter);
  if (found == losses_.end() || found->second.behind.count == 0) return {};
  const LostFrames& behind = found->second.behind;
  return FrameRef(Frame::Make(Opcode::kText, GapText(behind.room, behind.count)));
}

void Shard::QueueGap(Connection& connection, const FrameRef& gap) {
  losses_[connection.counter].behind = {};
  (void)Queue(connection, gap, limits_.slow_consumer_bytes + kControlFramesBytesMax);
  counters_.Add(Counter::kGapsTold);
}

void Shard::Recover(Connection& connection) {
  if (connection.closing) return;
  const FrameRef gap = PendingGap(connection);
  const auto loss = losses_.extract(connection.counter);
  connection.slow = false;
  Emit(connection, event::Slow{.outbox_bytes = 0,
                               .cause = SlowCause::kRecovered,
                               .frames_lost = loss.empty() ? 0 : loss.mapped().frames});
  if (!gap) return;
  QueueGap(connection, gap);
  losses_.erase(connection.counter);
}

void Shard::EndSlow(Connection& connection, SlowCause cause) {
  counters_.Add(Counter::kClosedSlowConsumer);
  if (cause == SlowCause::kAge) counters_.Add(Counter::kClosedSlowAge);
  if (cause == SlowCause::kBudget) counters_.Add(Counter::kClosedSlowBudget);
  if (cause != SlowCause::kFull) {  // of which the lost frame has told
    const auto loss = losses_.find(connection.counter);
    Emit(connection, event::Slow{.outbox_bytes = connection.outbox.bytes(),
                                 .cause = cause,
                                 .frames_lost = loss == losses_.end() ? 0 : loss->second.frames});
  }
  const bool raw = connection.handshake->subprotocol.empty();
  outbox_bytes_ -= connection.outbox.bytes();
  counters_.Add(Counter::kPushesFailed, connection.outbox.DropUnsent());
  outbox_bytes_ += connection.outbox.bytes();
  Close(connection, CloseCause::kSlowConsumer,
        raw ? CloseCode::kTryAgainLater : CloseCode::kSlowConsumer, "reads too slowly");
}

void Shard::CloseSlow(const std::vector<Connection*>& too_slow) {
  for (Connection* connection : too_slow) {
    // More than one push may have been too much.
    if (!connection->closing) EndSlow(*connection, SlowCause::kFull);
  }
}

}  // namespace wsrouter
