#ifndef WSROUTER_GATEWAY_SHARD_LOOP_H_
#define WSROUTER_GATEWAY_SHARD_LOOP_H_

#include <atomic>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "base/unique_fd.h"
#include "core/backend.h"
#include "core/measures.h"
#include "core/shard.h"
#include "gateway/address_limit.h"
#include "gateway/backlog.h"
#include "gateway/batch.h"
#include "gateway/loop_lag.h"
#include "gateway/options.h"
#include "gateway/outbox_budget.h"
#include "gateway/pressure.h"
#include "gateway/session.h"
#include "gateway/socket_loop.h"
#include "gateway/timer_wheel.h"
#include "gateway/token_rate.h"
#include "gateway/write_queue.h"

namespace wsrouter {

// An accepted socket on its way to a shard.
struct NewSocket {
  UniqueFd fd;
  PeerAddress peer;
  HalfOpenPlace half_open;
  bool surplus = false;  // more than the node may have: to be told so
};

// One shard's thread: its event loop, its sockets, and the Shard whose rules it runs.
//
// In a turn of the loop, first sockets are read and the mailbox is emptied, which only fills
// outboxes; then outboxes are written, joined into as few system calls as it takes, as many as a
// turn may cost (gateway/write_queue.h), the rest in turns that follow at once; then the sockets
// that are to be cut are cut, and who asked is answered. libwebsockets may end any session between
// two of its callbacks; within one, a Session& is good.
class ShardLoop final : public Transport, public Subscriber, private SocketLoop::Handler {
 public:
  struct Parts {
    NodeIdentity node;
    uint16_t index;
    std::shared_ptr<const GatewayOptions> options;
    Limits limits;
    AddressLimit& addresses;
    Pressure& pressure;
    OutboxBudget& budget;
    Broker& broker;
    Directory& directory;
    EventSink& events;
    Backend* backend = nullptr;  // null: no service decides about clients
    Counters& counters;
    Gauges& gauges;
    MeasureBlock& measures;
    const Clock& clock;
    Sessions* sessions = nullptr;  // null: no client can come back
    History* history = nullptr;    // null: no room keeps one
    std::shared_ptr<Presence> presence = nullptr;
  };

  explicit ShardLoop(const Parts& parts);
  ~ShardLoop() override;

  // Starts the thread; returns when it runs, or why it cannot.
  absl::Status Start();

  // Any thread. False when the shard takes no more: the caller keeps the socket.
  [[nodiscard]] bool Offer(NewSocket& socket);
  // Those that are on their way, too: a burst is accepted faster than a shard takes it up.
  uint32_t sockets() const { return sockets_.load(std::memory_order_relaxed); }
  absl::Duration last_turn() const {
    return absl::Nanoseconds(last_turn_.load(std::memory_order_relaxed));
  }

  // How many messages wait in the mailbox. Any thread.
  size_t waiting() const { return mailbox_->size(); }

  // Handshakes from now on show this certificate. Any thread.
  void SetCertificate(std::shared_ptr<const Certificate> certificate);

  // From now on these count, in place of what it was made with. Any thread.
  void Reload(std::shared_ptr<const GatewayOptions> options, const Limits& limits);

  // From now on upgrades are refused, and the connections are closed with 1012, spread evenly over
  // `window`. Any thread.
  void Drain(absl::Duration window);
  void Undrain();

  // Closes every connection with 1012, spread evenly over `window` so that they do not all come
  // back to another node at once; the loop ends with the last one. Any thread, once.
  void BeginStop(absl::Duration window);
  // Ends the window. Any thread.
  void Hurry();
  // Waits for that until `deadline` (uptime), then cuts what is left.
  void FinishStop(absl::Duration deadline);

  // Subscriber. A full mailbox refuses the envelope.
  void Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) override;

 private:
  using Task = absl::AnyInvocable<void() &&>;
  using Message = std::variant<NewSocket, Shard::Letter, Task>;

  // Transport
  void WantWrite(Connection& connection) override;
  void Close(Connection& connection, CloseWith close) override;
  void Rearm(Connection& connection) override;
  void Admitted(Connection& connection) override;
  void Pause(Connection& connection) override;
  void PauseAndWatch(Connection& connection) override;
  void Resume(Connection& connection) override;

  // SocketLoop::Handler
  void OnTurnBegin() override;
  void OnTurnEnd() override;
  void OnWake() override;
  void OnTick() override;
  void OnReceive(Session& session, std::string_view octets) override;
  void OnWritable(Session& session) override;
  void OnEnded(Session& session) override;

  void Run(absl::Notification& started, absl::Status& status);
  void HandOverLetters();
  void Open(NewSocket socket);
  // Its socket has ended, and it is kept.
  void Keep(Session& session);
  void Forget(Session& session);
  // No list of the turn has it any more.
  void Unlist(Session& session);
  void Doom(Session& session);

  // shard_loop_write.cc
  void WriteOut(Session& session);
  void EndOutput(Session& session);
  void MeasureTurn();

  // shard_loop_stop.cc
  void BeginWindow(absl::Duration window);
  void EndWindow();
  void ContinueWindow();
  // Over which time those should come back that are closed faster than a window would.
  absl::Duration RestartSpread() const;

  // shard_loop_timers.cc
  absl::Duration DueOf(const Session& session) const;
  absl::Duration PingDueOf(const Session& session) const;
  void OnTimer(Session& session);
  void Heartbeat(Session& session);

  // shard_loop_backlog.cc
  void CheckBacklog();
  void EndSlow(Session& session, SlowCause cause);

  // shard_loop_pressure.cc
  // Whether upgrades are refused for want of memory or time.
  bool sheds() const { return pressure_.memory_short() || lag_.too_late(); }
  // After how long to come again whom no rate tells.
  absl::Duration SpreadRetry(const Session& session) const;
  // What a client that is closed with `code` is told of that; zero: nobody knows.
  absl::Duration RetryAfter(const Session& session, uint16_t code) const;
  // Evenly from zero up to below `most`.
  absl::Duration Jitter(const Session& session, absl::Duration most) const;
  // False when it was refused, since the node has too much to do.
  bool MayUpgrade(Session& session);
  // False when it was closed, since it has sent too much.
  bool MaySend(Session& session);
  // While others wait to be accepted, those who are slow with their request make place.
  void EndSlowHeads();
  // Of the last pause, when there is nothing left of it.
  void ForgetPause(Session& session) const;

  // shard_loop_admission.cc
  void StopReading(Session& session, bool watched);
  // It gets an id, and waits.
  void Hold(Session& session, Session::Held held);
  void LookForSession(Session& session, std::string_view token);
  void OnTaken(uint64_t counter, const std::string& token,
               absl::StatusOr<std::optional<SessionRecord>> taken);
  // The ordinary way in.
  void Decide(Session& session, std::unique_ptr<ConnectQuestion> question);
  // The session ends, or is ended, before the answer.
  void Unhold(Session& session);
  void OnDecided(uint64_t counter, ConnectAnswer answer);
  // A service has let in whom it no longer can: it hears that the client has gone.
  void TellTooLate(uint64_t counter, const ConnectAnswer& answer, const Handshake& handshake);
  // False when the client has not offered it.
  bool Select(Session& session, const std::string& subprotocol);
  void Deny(Session& session, const CloseWith& close, absl::Duration retry_after);

  // shard_loop_receive.cc
  void FeedHead(Session& session, std::string_view& octets);
  void OnHead(Session& session);
  void Upgrade(Session& session, const UpgradeAccepted& accepted);
  void Refuse(Session& session, const UpgradeRefused& refused);
  void Answer(Session& session, std::string_view response);
  void FeedFrames(Session& session, std::string_view& octets);
  // Something has come of a client that is watched: its end counts at once, all else waits.
  void LookAhead(Session& session);
  void On(Session& session, FrameDecoder::Message message);
  void On(Session& session, FrameDecoder::Ping ping);
  void On(Session& session, FrameDecoder::Pong pong);
  void On(Session& session, FrameDecoder::Close close);
  void On(Session& session, FrameDecoder::Failure failure);
  void CloseWithFrame(Session& session, uint16_t code, std::string_view reason, bool peer_done,
                      absl::Duration retry_after = absl::ZeroDuration());

  std::shared_ptr<const GatewayOptions> options_;
  AddressLimit& addresses_;
  Pressure& pressure_;
  OutboxBudget& budget_;
  const uint16_t index_;
  TokenRate frames_rate_;
  Backend* const backend_;
  Sessions* const sessions_in_store_;
  Counters& counters_;
  MeasureBlock& measures_;
  const Clock& clock_;
  Instant now_;
  LoopLag lag_;

  const std::shared_ptr<Mailbox<Message>> mailbox_;  // others may keep it longer than this
  std::vector<Message> messages_;  // taken from the mailbox, handled up to next_message_
  size_t next_message_ = 0;
  std::vector<Shard::Letter> letters_;  // those of them that follow each other directly

  Shard shard_;
  Batch batch_;
  TimerWheel timers_;
  Backlog backlog_;
  bool budget_near_ = false;  // when the backlog was last checked
  absl::flat_hash_set<Session*> sessions_;
  std::list<Session*> heads_;  // that have an Opening, those who came first in front
  absl::flat_hash_map<uint64_t, Session*> held_;  // kAsking, by the counter of their ids
  WriteQueue writes_;
  uint64_t turn_writes_ = 0;
  // A push of which all is written when as many of those who are left have had their turn.
  struct Unwritten {
    uint64_t left_to;
    Shard::Delivered push;
  };
  std::deque<Unwritten> unwritten_;
  std::vector<Session*> doomed_;  // to be cut at the end of the turn; null where one has ended
  // The window of a drain or a stop: when it began, how long it is to take, how many connections
  // there were then.
  bool draining_ = false;
  bool stopping_ = false;
  bool drained_ = false;
  bool hurried_ = false;
  absl::Duration window_begin_;
  absl::Duration window_;
  size_t window_connections_ = 0;

  std::atomic<uint32_t> sockets_{0};
  std::atomic<int64_t> last_turn_;
  std::unique_ptr<SocketLoop> loop_;
  std::thread thread_;
  absl::Notification ended_;
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_SHARD_LOOP_H_
