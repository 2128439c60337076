#ifndef WSROUTER_TESTS_SUPPORT_SHARD_HOST_H_
#define WSROUTER_TESTS_SUPPORT_SHARD_HOST_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "core/shard.h"
#include "core/stats.h"

namespace wsrouter {

// A node's shard without its gateway: a thread that runs a Shard behind a mailbox, and sockets
// that take everything and remember it. Any thread may call it.
class ShardHost final : public Subscriber, public Transport {
 public:
  struct Parts {
    NodeIdentity node;
    uint16_t index = 0;
    Limits limits = {};
    Broker& broker;
    Directory& directory;
    EventSink& events;
    Stats& stats;
    size_t mailbox_messages_max = 65536;
  };

  explicit ShardHost(const Parts& parts);
  ~ShardHost() override;
  ShardHost(const ShardHost&) = delete;

  // A client connects, says something, or goes. Each returns when it has happened.
  ConnectionId Open(Handshake handshake = {.path = "/ws", .peer = "192.0.2.1:1000"});
  void Say(const ConnectionId& id, Opcode opcode, std::string payload);
  void Hang(const ConnectionId& id);

  // What the client got so far, and how the node closed it.
  std::vector<std::string> Got(const ConnectionId& id);
  std::optional<CloseWith> Closed(const ConnectionId& id);

  // A socket that is stalled takes nothing, so its outbox fills.
  void Stall(const ConnectionId& id);

  // Waits until something waits in the mailbox of a shard that is held.
  void AwaitMail();

  // Runs `task` on the shard's thread and returns when it has run.
  void Run(const std::function<void()>& task);

  // Keeps the shard's thread from its mailbox until the guard is gone.
  class Hold {
   public:
    explicit Hold(ShardHost& host);
    ~Hold();
    Hold(const Hold&) = delete;

   private:
    struct State {
      absl::Mutex mutex;
      bool held ABSL_GUARDED_BY(mutex) = false;
      bool released ABSL_GUARDED_BY(mutex) = false;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
  };

  // Subscriber
  void Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) override;
  // Transport, on the shard's thread
  void WantWrite(Connection& connection) override;
  void Close(Connection& connection, CloseWith close) override;
  void Rearm(Connection&) override {}
  void Admitted(Connection&) override {}
  void Pause(Connection&) override {}
  void PauseAndWatch(Connection&) override {}
  void Resume(Connection&) override {}

 private:
  struct Socket : Connection {
    bool stalled = false;
    std::vector<std::string> got;
    std::optional<CloseWith> closed;
  };
  struct Mail {
    std::shared_ptr<const Envelope> envelope;
    ReceiptPart part;
  };
  using Message = std::variant<Mail, absl::AnyInvocable<void() &&>>;

  void Loop();
  void Turn();
  Socket& Find(const ConnectionId& id);

  const SystemClock clock_;
  Mailbox<Message> mailbox_;
  std::deque<Socket> sockets_;  // by counter, from 1
  std::vector<Socket*> want_write_;
  Shard shard_;
  absl::Mutex mutex_;
  bool awake_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ = false;  // the shard's thread only
  std::thread thread_;     // the last member: it uses the others
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SHARD_HOST_H_
