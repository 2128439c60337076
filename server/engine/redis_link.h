#ifndef WSROUTER_ENGINE_REDIS_LINK_H_
#define WSROUTER_ENGINE_REDIS_LINK_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/redis_address.h"
#include "engine/redis_value.h"

namespace wsrouter {

// How patient the link is.
struct RedisPatience {
  absl::Duration connect = absl::Seconds(2);  // TCP, AUTH and SELECT together
  absl::Duration command = absl::Seconds(1);  // from the call to the answer
  absl::Duration silence = absl::Seconds(4);  // no octet although asked every second: it is dead
  absl::Duration backoff_min = absl::Milliseconds(50);
  absl::Duration backoff_max = absl::Seconds(2);
};

// A Lua script that runs inside Redis as one step.
struct RedisScript {
  std::string_view text;
  std::string sha1;  // hexadecimal, of `text`
};

// A node's link to one Redis: a thread with an event loop, a connection for commands and another
// for subscriptions. The link is up while both are: authenticated, and a canary published on the
// one has come back on the other within `silence`, whatever TCP says. When either fails both are
// closed, every command that waits is answered UNAVAILABLE, and the link tries again with jittered
// backoff, for ever. An error that says that this Redis is no master closes the link as well.
//
// Commands take effect in the order in which they were given, also with those of other threads; a
// script that Redis turns out not to have runs later than commands given behind it. A command whose
// time is over is answered UNAVAILABLE, but may still have taken effect.
//
// Errors of Redis are PERMISSION_DENIED (NOAUTH, WRONGPASS, NOPERM), UNAVAILABLE where they pass by
// themselves (LOADING, OOM, READONLY and their like), else INTERNAL, with the text of Redis.
//
// The canary's channel is "<root>canary:<random>"; an ACL must allow it.
//
// In a Redis Cluster all names begin with the address' `root`, so one master serves all of them and
// the link is to that one. Subscriptions are sharded there, if it knows such (Redis 7 on): other
// servers hear nothing of them.
class RedisLink {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<RedisValue>) &&>;
  using Task = absl::AnyInvocable<void() &&>;

  // Told on the link's thread. Nothing is subscribed when OnUp is called, again after each outage.
  // OnDown comes once for each OnUp, Stop included, when nothing waits for an answer any more; and
  // while the link is down, whenever trying fails for another reason than the one told last.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnUp() = 0;
    virtual void OnDown(const absl::Status& why) = 0;
    virtual void OnMessage(std::string_view channel, std::string_view payload) = 0;
    // How long a PUBLISH took that went out now and then, by its answer.
    virtual void OnRoundTrip(absl::Duration /*took*/) {}
  };

  RedisLink(RedisAddress address, RedisPatience patience);
  ~RedisLink();  // Stop
  RedisLink(const RedisLink&) = delete;

  void Start(Handler& handler);
  // Answers what waits, ends the thread. When it returns the handler hears no more.
  void Stop();

  // Any thread. `task` runs on the link's thread, in the order given. Behind Stop it is dropped.
  void Post(Task task);
  // Runs `task` on the link's thread about every `period`. Before Start.
  void Every(absl::Duration period, std::function<void()> task);
  // Redis is given `script`, which must outlive the link, whenever the link comes up, before OnUp:
  // then Run finds it there and keeps its place among the commands. Before Start.
  void Load(const RedisScript& script);

  // Any thread; `done` runs once, on the link's thread, or inside the call when the link is not up.
  // At most kCommandsMax wait for answers; more are UNAVAILABLE at once.
  static constexpr size_t kCommandsMax = 262'144;
  void Command(std::vector<std::string> words, Done done);
  // Answered with the number of those who heard it, all that have subscribed.
  void Publish(std::string channel, std::string message, Done done);
  // `script` must outlive the link. Loads it where Redis does not have it (NOSCRIPT).
  void Run(const RedisScript& script, std::vector<std::string> keys,
           std::vector<std::string> arguments, Done done);
  // Likewise, for a script that publishes: it gets the command to do so by as its last argument.
  void RunPublish(const RedisScript& script, std::vector<std::string> keys,
                  std::vector<std::string> arguments, Done done);

  // The link's thread. Live when `done` says OK, which it does at once if the channel is live. The
  // link forgets all subscriptions when it goes down; `done` is told UNAVAILABLE then if it has not
  // been answered, and CANCELLED if Unsubscribe overtakes it. A channel that Redis' ACL forbids
  // takes the link down. What was published before Redis got to Unsubscribe is still told.
  void Subscribe(std::string channel, absl::AnyInvocable<void(absl::Status) &&> done);
  void Unsubscribe(std::string channel);

  bool up() const { return up_.load(std::memory_order_acquire); }

 private:
  class Loop;  // what lives on the thread; redis_loop.h
  std::atomic<bool> up_{false};
  std::unique_ptr<Loop> loop_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_LINK_H_
