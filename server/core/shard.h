#ifndef WSROUTER_CORE_SHARD_H_
#define WSROUTER_CORE_SHARD_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "base/clock.h"
#include "core/awaited_ack.h"
#include "core/backend.h"
#include "core/broker.h"
#include "core/client_protocol.h"
#include "core/close_code.h"
#include "core/connection.h"
#include "core/counters.h"
#include "core/directory.h"
#include "core/event.h"
#include "core/interest.h"
#include "core/limits.h"
#include "core/loss.h"
#include "core/presence_desk.h"
#include "core/receipt.h"
#include "core/registry.h"
#include "core/rooms.h"
#include "core/session_book.h"
#include "core/shard_parts.h"
#include "core/transport.h"

namespace wsrouter {

// The rules: what happens when a connection opens, speaks, is addressed by an envelope, or ends.
// Knows nothing of sockets, Redis or gRPC.
//
// One thread runs it; everything else reaches it through that thread's mailbox. It answers every
// envelope's ReceiptPart once, at the latest when the directory and the broker have answered it.
class Shard {
 public:
  using Parts = ShardParts;

  // An envelope as it comes out of the mailbox, with the duty to answer it.
  struct Letter {
    std::shared_ptr<const Envelope> envelope;
    ReceiptPart part;
    absl::Duration posted = {};  // uptime when it was put into the mailbox
  };
  // A push of this turn, and how many outboxes it went into.
  struct Delivered {
    absl::Duration posted;
    uint64_t connections;
  };

  explicit Shard(Parts parts);
  ~Shard();

  // Counts from now on. What was allowed before stays.
  void SetLimits(const Limits& limits) { limits_ = limits; }

  // Subscribes to what every shard hears. Before the first connection.
  void Start();
  // Tells the clients that understand it that they will be closed within that time.
  void AnnounceDrain(absl::Duration within);
  // Closes the oldest connections with 1012 until at most `keep` are left.
  void Drain(size_t keep);
  // Closes what is left likewise, and leaves the broker.
  void Stop();
  // Until EndTurn, which forgets them.
  std::span<const Delivered> delivered() const { return delivered_; }
  size_t connections() const { return registry_.connections().size() - book_.parked.size(); }
  uint64_t outbox_bytes() const { return outbox_bytes_; }  // in all outboxes

  // The time of this loop turn: what follows happens at it, until the next call.
  void Turn(Instant now) { now_ = now; }

  // From the transport. OnOpen gives the connection its id. Not one of them is called for a
  // connection after OnClose or after `closing` was seen true.
  void OnOpen(Connection& connection);
  // The id that it will have, before OnOpen.
  ConnectionId Reserve(Connection& connection);
  // OnOpen for a client of whom it is known who it is. It is in none of its rooms and nobody sees
  // it under its name before all of that is in force: then Admitted follows, or else Close.
  void OnOpen(Connection& connection, const Own& own);
  // Likewise for one that comes back with `token`: its old connection is forgotten, wherever that
  // is. From here on its session is safe, even if its socket ends before it is admitted.
  void OnOpen(Connection& connection, const SessionRecord& session, std::string_view token);
  void OnMessage(Connection& connection, Opcode opcode, std::string payload);
  void OnDeadline(Connection& connection);
  void OnClose(Connection& connection, CloseCause cause, CloseWith close);

  // The transport handed `octets` of the connection's outbox to its socket, or to the library that
  // keeps what the socket does not take; they count as sent.
  void OnSent(Connection& connection, size_t octets);
  // The socket has ended and what its outbox still held is lost. The last call for a connection,
  // also for one that never opened.
  void OnGone(Connection& connection);
  // What its outbox holds is not to be sent.
  void Discard(Connection& connection);

  // Queues a frame with which the transport itself answers the connection (Pong, Close, echo),
  // behind what waits. False when the outbox is full, or would have no room for `behind` any more.
  [[nodiscard]] bool Reply(Connection& connection, FramePtr frame, const Frame* behind = nullptr);

  // Reply with what a service wants the client to get before anything else.
  [[nodiscard]] bool Greet(Connection& connection, FramePtr frame);

  // Ends the connection as a slow consumer, which `cause` says. What is begun is sent, then a
  // Close.
  void EndSlow(Connection& connection, SlowCause cause);

  // Ends the connection from this side, now: it leaves its rooms and is forgotten.
  void Close(Connection& connection, CloseCause cause, CloseCode code, std::string_view reason);

  // From the mailbox, in the order in which they came.
  void OnEnvelopes(std::span<Letter> letters);

  // Answers the pushes of this turn, and shows what was counted to other threads. Once a turn, when
  // the outboxes have been written: those who wait for frames come before those who wait for
  // answers.
  void EndTurn();

  ConnectionId IdOf(const Connection& connection) const;

 private:
  struct PendingRooms;
  struct Reasserting;
  struct ReassertedSlice;
  struct Push;
  class Recovery;

  // The connections that `topic` addresses here. Valid until a membership changes.
  std::vector<Connection*> Addressed(const Topic& topic) const;
  template <typename Visit>
  void ForEachAddressed(const Topic& topic, Visit visit) const;

  void Begin(Connection& connection);
  bool Hear(Connection& connection, client_frame::Message message);  // false: nobody was there
  // Queues a frame that is no push. False when it does not fit.
  bool Queue(Connection& connection, const FrameRef& frame, size_t bytes_max);

  // shard_delivery.cc
  // How many of `letters`, from the first on, push to the same topic.
  static size_t PushesToOneTopic(std::span<const Letter> letters);
  void OnDeliver(std::span<Letter> letters);
  bool IsIn(const Exceptions& except, const Connection& connection) const;
  // Tells a member that is left out where the room's history is.
  void LeaveOut(Connection& connection, const Topic& to, Push& push);
  void OnOther(Letter& letter);
  Receipt OnDisconnect(const Topic& to, const Disconnect& disconnect);
  Receipt OnDescribe(const Topic& to, const Describe& describe) const;
  Receipt OnDescribeMembers(const Topic& to, const Describe& describe) const;
  void OnAnnouncePending(const AnnouncePending& announce);
  ConnectionDescription Description(const Connection& connection) const;

  // shard_slow.cc
  SlowConsumerPolicy PolicyOf(const Topic& to, const Deliver& deliver) const;
  // Whether it took the place of a frame with its key.
  bool Conflate(Connection& connection, Push& push, const FrameRef& frame);
  // Send, where the outbox is full or was so since it was last empty.
  bool SendToSlow(Connection& connection, Push& push, const FrameRef& frame,
                  std::vector<Connection*>& too_slow);
  // Drops what gives way until so much fits. False when it does not.
  bool MakeRoom(Connection& connection, size_t octets, size_t frames);
  Loss& Lose(Connection& connection);  // a frame
  // Tells of what was lost behind all that waits; null where nothing was.
  FrameRef PendingGap(const Connection& connection) const;
  void QueueGap(Connection& connection, const FrameRef& gap);
  void Recover(Connection& connection);  // its outbox is empty again
  void CloseSlow(const std::vector<Connection*>& too_slow);

  // shard_membership.cc
  void OnOwn(const Topic& to, const Own& own, ReceiptPart part);
  void OnBound(uint64_t counter, Own own, bool renewal,
               absl::StatusOr<std::vector<ConnectionId>> displaced, ReceiptPart part);
  Receipt OnRelease(const Topic& to, const Release& release);
  void OnJoin(const Topic& to, const Join& join, ReceiptPart part);
  void OnLeave(const Topic& to, const Leave& leave, ReceiptPart part);
  void JoinRoom(Connection& connection, const RoomName& room,
                const std::shared_ptr<PendingRooms>& pending);
  void OnJoined(uint64_t counter, uint64_t ticket, const RoomName& room,
                const absl::StatusOr<JoinedRoom>& joined,
                const std::shared_ptr<PendingRooms>& pending);
  void AwaitLive(uint64_t counter, const RoomName& room, RoomChange::Result result, RoomSize size,
                 const std::shared_ptr<PendingRooms>& pending);  // shard_recovery.cc
  void OnRoomDead(uint64_t counter, const RoomName& room);  // the broker cannot subscribe to it
  void LeaveRoom(Connection& connection, const RoomName& room,
                 const std::shared_ptr<PendingRooms>& pending);
  // Ends a membership here; the directory is the caller's. False when it was not a member.
  bool EndMembership(Connection& connection, const RoomName& room);
  // Ends ownership and every membership; the connection stays.
  void Disown(Connection& connection, const Ending& ending);

  // shard_backend.cc
  void OnAdmitted(uint64_t counter, const Receipt& receipt);
  void Ask(Connection& connection, client_frame::Message message);
  void TellEnd(const ClientId& client, const Connection& connection,
               const event::Disconnected& detail);
  // Whether the effect ends its own connection: that must not wait for a place in the mailbox.
  bool CloseSender(uint64_t counter, const Envelope& effect);
  void Apply(uint64_t counter, const std::shared_ptr<MessageAnswer>& answer, size_t next);
  void OnApplied(uint64_t counter, const absl::Status& failure);

  // shard_client.cc
  // To clients that speak wsrouter.v1.json; nothing to others, and nothing behind a Close.
  void Say(Connection& connection, std::string text);
  void SayError(Connection& connection, std::string_view id, const absl::Status& refusal);
  void Welcome(Connection& connection, std::string_view client);
  void OnFrame(Connection& connection, Opcode opcode, std::string_view text);
  void OnClientMessage(Connection& connection, client_frame::Message message);
  // All that the message of a connection led to has happened. `reply` may be null.
  void Acknowledge(uint64_t counter, const FramePtr& reply);
  void OnClientLeave(Connection& connection, const client_frame::Leave& leave);
  void OnClientJoin(Connection& connection, client_frame::Join join);
  void CancelJoin(Connection& connection);  // who has gone needs no answer
  void OnJoinChecked(uint64_t counter, uint64_t ticket, const client_frame::Join& join,
                     const absl::Status& verdict);
  void RefuseJoin(Connection& connection, const client_frame::Join& join,
                  const absl::Status& refusal);
  void StartJoin(Connection& connection, const client_frame::Join& join);
  void OnClientJoined(uint64_t counter, const std::string& id, const absl::Status& refusal);
  // A join is live. Returns the result as it is now.
  RoomChange::Result TellJoined(uint64_t counter, const RoomName& room, RoomChange::Result result,
                                const PendingRooms& pending);
  void TellLeft(Connection& connection, const RoomName& room, std::string_view id = {});

  // shard_presence.cc
  void OnClientPresence(Connection& connection, const client_frame::Presence& presence);
  bool QueuePresence(Connection& connection, const FrameRef& frame);

  // shard_resume.cc
  void OnResumed(Connection& connection);
  // Told again later should its shard have no room. `by` takes its place, where it hands over.
  void Dismiss(const ConnectionId& other, const Disconnect& why, uint64_t by = 0);
  Receipt OnHandOver(const Topic& to, const CloseWith& close);
  void OnHandedOver(uint64_t counter, const Receipt& receipt);  // what the old one was in the end
  bool MayPark(const Connection& connection, CloseCause cause, const CloseWith& close) const;
  void Park(Connection& connection, CloseCause cause, CloseWith close);
  void EndParked(Connection& connection);
  void HandOver(Connection& connection, const CloseWith& close);
  void PutSessions();

  // shard_reassert.cc
  void OnReassert(ReceiptPart part);
  // Goes on behind the connection `after`, a slice a turn.
  void ReassertSome(uint64_t after, const std::shared_ptr<Reasserting>& walk);
  void OnAsserted(uint64_t counter, const absl::StatusOr<bool>& kept);

  // Whether it was queued.
  bool Send(Connection& connection, Push& push, const FrameRef& frame,
            std::vector<Connection*>& too_slow);
  void Emit(const Connection& connection, Event::Detail detail);
  void EmitAs(const ClientId& client, const Connection& connection, Event::Detail detail);
  void SetDeadline(Connection& connection);

  const NodeIdentity node_;
  const uint16_t index_;
  Limits limits_;
  Broker& broker_;
  Directory& directory_;
  EventSink& events_;
  Backend* const backend_;
  Transport& transport_;
  Subscriber& mailbox_;
  Counters& counters_;
  Gauges& gauges_;
  const PostTask post_;

  Instant now_;
  uint64_t last_counter_ = 0;
  uint64_t last_ticket_ = 0;
  uint64_t owned_ = 0;
  uint64_t members_ = 0;
  uint64_t outbox_bytes_ = 0;
  uint64_t turn_bytes_out_ = 0;
  std::vector<std::pair<ReceiptPart, Receipt>> answers_;
  std::vector<Delivered> delivered_;
  // The ends of connections about whose last message a service has not answered.
  absl::flat_hash_map<uint64_t, absl::AnyInvocable<void() &&>> ends_untold_;
  absl::flat_hash_map<uint64_t, Backend::Ticket> joins_asked_;  // that services are asked about
  absl::flat_hash_map<uint64_t, Loss> losses_;                  // of connections that are `slow`
  absl::flat_hash_map<uint64_t, AwaitedAck> acks_;  // of the message that is asked about
  // Whose shards must be told again, at dismissed_due_.
  std::vector<std::tuple<ConnectionId, Disconnect, uint64_t>> dismissed_;
  absl::Duration dismissed_due_;
  uint64_t drained_to_ = 0;  // the counter before which a drain has left no connection
  SessionBook book_;
  Registry registry_;
  Rooms rooms_;
  Interest interest_;
  const std::unique_ptr<Recovery> recovery_;
  PresenceDesk presence_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_SHARD_H_
