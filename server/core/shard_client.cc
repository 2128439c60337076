// What clients that speak wsrouter.v1.json may do by themselves, and what they are told.
#include <algorithm>
#include <memory>
#include <utility>

#include "base/overloaded.h"
#include "core/client_protocol.h"
#include "core/error.h"
#include "core/pending_rooms.h"
#include "core/rate_limit.h"
#include "core/room_pattern.h"
#include "core/shard.h"

namespace wsrouter {
namespace {

// When something that failed for want of a service, of Redis or of room may be tried again.
constexpr absl::Duration kRetryAfter = absl::Seconds(2);

// Zero: waiting alone would not help.
absl::Duration PatienceFor(const absl::Status& refusal) {
  const absl::Duration told = RetryAfter(refusal);
  if (told > absl::ZeroDuration()) return told;
  const bool passes = absl::IsUnavailable(refusal) || absl::IsResourceExhausted(refusal);
  const std::string reason = ReasonOf(refusal);
  const bool own = reason == "ROOMS_PER_CONNECTION" || reason == "PRESENCE_PER_CONNECTION";
  return passes && !own ? kRetryAfter : absl::ZeroDuration();
}

absl::Status Forbidden() {
  return Refusal(absl::StatusCode::kPermissionDenied, "JOIN_FORBIDDEN",
                 "the client may not join this room");
}

absl::Status Withdrawn() {
  return Refusal(absl::StatusCode::kAborted, "JOIN_WITHDRAWN",
                 "the membership was ended while it came about");
}

absl::Status ReplyTooLarge() {
  return Refusal(absl::StatusCode::kInvalidArgument, "REPLY_TOO_LARGE",
                 "what the service replied is longer as JSON than an outbox may hold");
}

bool MayJoin(const Connection& connection, const RoomName& room) {
  return connection.may_join != nullptr &&
         std::ranges::any_of(*connection.may_join, [&](const std::string& pattern) {
           return MatchesRoom(pattern, room.value);
         });
}

// A service has let it in, or the directory is just being told so.
bool IsLetIn(const Connection& connection, const RoomName& room) {
  return Rooms::Has(connection, room) ||
         std::ranges::count(connection.joins_pending, room, &Connection::PendingJoin::room) > 0;
}

}  // namespace

void Shard::Say(Connection& connection, std::string text) {
  if (!connection.speaks || connection.closing) return;
  const FrameRef frame(Frame::Make(Opcode::kText, text));
  if (const FrameRef gap = PendingGap(connection);
      gap && connection.outbox.Takes(gap->wire().size() + frame->wire().size(), 2,
                                     limits_.slow_consumer_bytes)) {
    QueueGap(connection, gap);
  }
  if (Queue(connection, frame, limits_.slow_consumer_bytes)) return;
  // Without this frame the client would be wrong about where it is. Not at once: whoever calls is
  // in the middle of changing the connection.
  post_([this, counter = connection.counter] {
    if (Connection* slow = registry_.Find(counter); slow != nullptr) CloseSlow({slow});
  });
}

void Shard::SayError(Connection& connection, std::string_view id, const absl::Status& refusal) {
  Say(connection, ErrorText(id, refusal, PatienceFor(refusal)));
}

void Shard::Welcome(Connection& connection, std::string_view client) {
  if (!connection.speaks) return;
  ResumeOffer offer;
  if (!client.empty() && book_.on()) {
    offer = {.token = book_.Begin(connection.counter),
             .resumed = book_.quiet.contains(connection.counter),
             .window = limits_.resume_window};
  }
  Say(connection, WelcomeText(IdOf(connection).ToString(), client, offer));
}

void Shard::AnnounceDrain(absl::Duration within) {
  const std::string text = DrainingText(within);
  for (const auto& [counter, connection] : registry_.connections()) Say(*connection, text);
}

bool Shard::Greet(Connection& connection, FramePtr frame) {
  if (connection.speaks) frame = MsgFrame(IdOf(connection), *frame);
  if (!Reply(connection, std::move(frame))) return false;
  --connection.not_pushes;  // it comes as a push does
  return true;
}

void Shard::OnFrame(Connection& connection, Opcode opcode, std::string_view text) {
  const auto break_off = [&](CloseCode code, std::string_view reason) {
    counters_.Add(Counter::kClosedProtocolError);
    Close(connection, CloseCause::kProtocolError, code, reason);
  };
  if (opcode != Opcode::kText) return break_off(CloseCode::kPolicy, "frames are text");
  auto parsed = ParseClientFrame(text);
  if (const auto* bad = std::get_if<BadClientFrame>(&parsed)) {
    if (bad->breaks_protocol) {
      return break_off(CloseCode::kInvalidPayload, "a frame is no JSON object");
    }
    counters_.Add(Counter::kClientFramesRefused);
    return SayError(connection, bad->id, bad->refusal);
  }
  std::visit(
      Overloaded{
          [&](client_frame::Join& join) { OnClientJoin(connection, std::move(join)); },
          [&](client_frame::Leave& leave) { OnClientLeave(connection, leave); },
          [&](client_frame::Message& message) { OnClientMessage(connection, std::move(message)); },
          [&](client_frame::Ping& ping) {
            Say(connection, PongText(ping.id, connection.pushes()));
          },
          [&](client_frame::Presence& presence) { OnClientPresence(connection, presence); }},
      std::get<ClientRequest>(parsed));
}

void Shard::OnClientMessage(Connection& connection, client_frame::Message message) {
  const uint64_t counter = connection.counter;
  const std::string id = message.id;
  const bool heard = Hear(connection, std::move(message));
  if (id.empty()) return;
  if (!heard) {
    SayError(connection, id,
             Refusal(absl::StatusCode::kUnavailable, "MESSAGE_UNHEARD",
                     "no service takes messages now"));
  } else if (connection.asking) {
    acks_.insert_or_assign(counter, AwaitedAck{.id = id, .failure = {}});
  } else {
    Say(connection, AckText(id));
  }
}

void Shard::Acknowledge(uint64_t counter, const FramePtr& reply) {
  const auto ack = acks_.extract(counter);
  Connection* connection = ack.empty() ? nullptr : registry_.Find(counter);
  const bool away = connection == nullptr || connection->closing;
  if (reply != nullptr && (away || !ack.mapped().failure.ok())) {
    counters_.Add(Counter::kRepliesDropped);
  }
  if (away) return;
  const auto& [id, failure] = ack.mapped();
  if (!failure.ok()) return SayError(*connection, id, failure);
  std::string text = AckText(id, reply.get());
  const size_t octets = text.size() + kFrameHeaderBytesMax;
  if (reply != nullptr && !Outbox().Takes(octets, 1, limits_.slow_consumer_bytes)) {
    counters_.Add(Counter::kRepliesTooLarge);
    return SayError(*connection, id, ReplyTooLarge());
  }
  Say(*connection, std::move(text));
}

void Shard::OnClientLeave(Connection& connection, const client_frame::Leave& leave) {
  if (connection.client == nullptr) return SayError(connection, leave.id, ConnectionNotOwned());
  const bool joining = std::ranges::any_of(
      connection.joins_pending,
      [&](const Connection::PendingJoin& join) { return join.room == leave.room; });
  // The directory has no such row: its time is for those who have.
  if (!joining && !Rooms::Has(connection, leave.room)) {
    return Say(connection, LeftText(leave.id, leave.room));
  }
  transport_.Pause(connection);
  const auto done = [this, post = post_, counter = connection.counter](const Receipt&) {
    post([this, counter] {
      if (Connection* left = registry_.Find(counter)) transport_.Resume(*left);
    });
  };
  auto pending = std::make_shared<PendingRooms>(ReceiptPart(std::make_shared<ReceiptSum>(1, done)));
  pending->by_client = true;
  pending->frame_id = leave.id;
  LeaveRoom(connection, leave.room, pending);
}

void Shard::OnClientJoin(Connection& connection, client_frame::Join join) {
  if (connection.client == nullptr) return SayError(connection, join.id, ConnectionNotOwned());
  if (IsLetIn(connection, join.room) || MayJoin(connection, join.room)) {
    return StartJoin(connection, join);
  }
  if (backend_ == nullptr || !backend_->ChecksJoins(connection.handshake->path)) {
    return RefuseJoin(connection, join, Forbidden());
  }
  transport_.PauseAndWatch(connection);
  connection.asking = true;
  // A Leave or Release meanwhile withdraws it, like every join that has not come about.
  const uint64_t ticket = ++last_ticket_;
  connection.joins_pending.push_back({.ticket = ticket, .room = join.room, .adds = true});
  JoinQuestion question = {.connection = IdOf(connection),
                           .client = connection.client->id,
                           .handshake = connection.handshake,
                           .room = join.room,
                           .rooms = RoomsOf(connection)};
  joins_asked_[connection.counter] = backend_->JoinCheck(
      std::move(question),
      [this, post = post_, counter = connection.counter, ticket, join](absl::Status verdict) {
        post([this, counter, ticket, join, verdict = std::move(verdict)] {
          OnJoinChecked(counter, ticket, join, verdict);
        });
      });
}

void Shard::CancelJoin(Connection& connection) {
  const auto asked = joins_asked_.extract(connection.counter);
  if (asked.empty()) return;
  connection.asking = false;
  backend_->Cancel(asked.mapped());
}

void Shard::OnJoinChecked(uint64_t counter, uint64_t ticket, const client_frame::Join& join,
                          const absl::Status& verdict) {
  joins_asked_.erase(counter);
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr) return;
  connection->asking = false;
  const bool wanted =
      std::erase_if(connection->joins_pending, [&](const Connection::PendingJoin& pending) {
        return pending.ticket == ticket;
      }) > 0;
  if (wanted && verdict.ok()) return StartJoin(*connection, join);
  const bool owned = connection->client != nullptr;
  RefuseJoin(*connection, join, wanted ? verdict : owned ? Withdrawn() : ConnectionNotOwned());
  transport_.Resume(*connection);
}

void Shard::RefuseJoin(Connection& connection, const client_frame::Join& join,
                       const absl::Status& refusal) {
  counters_.Add(Counter::kClientJoinsDenied);
  SayError(connection, join.id, refusal);
}

void Shard::StartJoin(Connection& connection, const client_frame::Join& join) {
  transport_.Pause(connection);  // the next frame finds it joined
  const auto done = [this, post = post_, counter = connection.counter,
                     id = join.id](const Receipt& receipt) {
    absl::Status refusal;
    for (const RoomChange& change : receipt.rooms) {
      refusal.Update(change.result == RoomChange::Result::kNotAMember ? Withdrawn()
                                                                      : change.refusal);
    }
    post([this, counter, id, refusal = std::move(refusal)] {
      OnClientJoined(counter, id, refusal);
    });
  };
  auto pending = std::make_shared<PendingRooms>(ReceiptPart(std::make_shared<ReceiptSum>(1, done)));
  pending->by_client = true;
  pending->frame_id = join.id;
  pending->since = join.since;
  JoinRoom(connection, join.room, pending);
}

void Shard::OnClientJoined(uint64_t counter, const std::string& id, const absl::Status& refusal) {
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr) return;
  if (!refusal.ok()) SayError(*connection, id, refusal);
  transport_.Resume(*connection);
}

RoomChange::Result Shard::TellJoined(uint64_t counter, const RoomName& room,
                                     RoomChange::Result result, const PendingRooms& pending) {
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr || !connection->speaks) return result;
  const bool news = pending.by_client || result == RoomChange::Result::kJoined;
  if (Rooms::Has(*connection, room)) {
    if (news) Say(*connection, JoinedText(pending.frame_id, room));
    // No room with history: nobody has what it has missed.
    if (pending.since.has_value()) Say(*connection, GapText(room.value, 0));
    return result;
  }
  return pending.by_client ? RoomChange::Result::kNotAMember : result;
}

void Shard::TellLeft(Connection& connection, const RoomName& room, std::string_view id) {
  Emit(connection, event::Left{.room = room});
  if (connection.speaks) Say(connection, LeftText(id, room));
}

}  // namespace wsrouter
