#ifndef WSROUTER_ENGINE_REDIS_LOOP_H_
#define WSROUTER_ENGINE_REDIS_LOOP_H_

#include <ev.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "engine/redis_commands.h"
#include "engine/redis_connection.h"
#include "engine/redis_master.h"
#include "engine/redis_queue.h"
#include "engine/redis_subscriptions.h"

namespace wsrouter {

// The link's thread: an event loop, the two connections, and what keeps them alive.
//
// Whatever finds out that the link is of no use says Fail; both connections are closed at the end
// of that turn of the loop, outside of all callbacks.
class RedisLink::Loop final : public RedisConnection::Owner {
 public:
  Loop(RedisAddress address, RedisPatience patience, std::atomic<bool>& up);
  ~Loop() override;

  // As in RedisLink.
  void Every(absl::Duration period, std::function<void()> task);
  void Load(const RedisScript& script) { scripts_.push_back(&script); }
  void Start(Handler& handler);
  void Stop();
  void Post(Task task);
  void Command(RedisCommand command);
  void Subscribe(std::string channel, RedisSubscriptions::Done done);
  void Unsubscribe(const std::string& channel) { subscriptions_.Unsubscribe(channel); }

 private:
  enum class State { kDown, kConnecting, kUp };
  struct Periodic {
    std::function<void()> task;
    ev_timer timer{};
  };

  // RedisConnection::Owner
  void OnReply(RedisConnection& connection, const redisReply& reply) override;
  void OnLost(const absl::Status& why) override;

  // What the subscriber's connection says: answers to commands, and what is pushed.
  void OnSubscriberReply(const redisReply& reply);
  void OnPushed(const std::vector<std::string_view>& parts);
  void OnAcknowledged(std::string_view channel);
  void OnSubscriptionRefused(std::string_view error);

  void InitWatchers();
  void Main();
  void Drain();
  void OnTurnEnd();

  // From nothing to up.
  void Connect();
  // Both connections, to whom the address names or another server has.
  void OpenBoth(const RedisAddress& address);
  void SetUpConnection(RedisConnection& connection, RedisCommands& commands);
  void SetName(RedisConnection& connection, RedisCommands& commands);
  void SubscribeToCanary();
  void Step(RedisConnection& connection, RedisCommands& commands, std::vector<std::string> words);
  void BeUpIfProved();
  void OnConnectTimeout();

  // From anywhere to nothing.
  void Fail(const absl::Status& why);
  void Close();
  absl::Duration NextBackoff();

  // Proofs of life.
  void SendCanary();
  void OnCanaryTick();
  void OnDeadlineTick();

  void StartTimer(ev_timer& timer, absl::Duration after, absl::Duration period);
  template <void (Loop::*kMethod)()>
  void InitTimer(ev_timer& timer) {
    ev_timer_init(
        &timer,
        [](struct ev_loop*, ev_timer* w, int) { (static_cast<Loop*>(w->data)->*kMethod)(); }, 0, 0);
    timer.data = this;
  }

  const RedisAddress address_;
  const RedisPatience patience_;
  const absl::Duration canary_period_;
  const int canaries_max_;  // so many are due within `silence`
  const SystemClock clock_;
  std::mt19937_64 random_{RandomSeed()};
  const std::string canary_channel_;
  std::atomic<size_t> counted_{0};
  RedisQueue queue_;
  Handler* handler_ = nullptr;
  std::vector<const RedisScript*> scripts_;
  std::deque<Periodic> periodics_;
  std::thread thread_;

  struct ev_loop* const loop_;
  ev_async wake_{};
  ev_prepare turn_end_{};
  ev_timer retry_{};      // until the next attempt
  ev_timer connect_{};    // until this attempt has lasted too long
  ev_timer canary_{};     // a canary is due
  ev_timer deadlines_{};  // commands may be overdue; runs while any wait

  State state_ = State::kDown;
  std::unique_ptr<RedisConnection> command_connection_;
  std::unique_ptr<RedisConnection> subscriber_connection_;
  std::unique_ptr<MasterQuestion> question_;
  bool sharded_ = false;  // how this connection subscribes and publishes
  RedisCommands commands_;
  RedisCommands subscriber_commands_;
  RedisSubscriptions subscriptions_;
  std::optional<absl::Status> failure_;  // why this turn ends with Close
  std::optional<absl::Status> told_;     // the last OnDown, if no OnUp came behind it
  std::optional<absl::Status> refusal_;  // of what this attempt could do without
  bool canary_published_ = false;        // Redis has answered everything up to the first canary
  bool canary_returned_ = false;
  int canaries_missing_ = 0;  // sent since the last one came back
  int silent_ticks_ = 0;      // without a reply although commands waited
  int attempts_ = 0;          // that failed in a row
  absl::Duration up_since_;   // uptime
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_LOOP_H_
