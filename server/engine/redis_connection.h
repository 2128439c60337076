#ifndef WSROUTER_ENGINE_REDIS_CONNECTION_H_
#define WSROUTER_ENGINE_REDIS_CONNECTION_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/redis_address.h"

struct ev_loop;
struct redisAsyncContext;
struct redisReply;

namespace wsrouter {

// One connection of hiredis on an event loop; hiredis' callbacks stop here. Everything happens on
// the loop's thread, and the owner destroys a connection outside of its own calls from here:
// hiredis does not survive that inside of some of its callbacks.
class RedisConnection {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // The answers to Send, in the order of the calls.
    virtual void OnReply(RedisConnection& connection, const redisReply& reply) = 0;
    // Of a subscriber: an array of kind ("subscribe", "unsubscribe", "message"), channel and more.
    virtual void OnPushed(const redisReply& reply) = 0;
    // The connection has failed; nothing comes from it any more.
    virtual void OnLost(const absl::Status& why) = 0;
  };

  explicit RedisConnection(Owner& owner) : owner_(owner) {}
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;

  // Begins to connect, what is sent meanwhile waits. Resolving a name blocks the thread, which is
  // the link's own and has nothing to do without a connection; no shard ever waits for it. The
  // kernel gives the connection up when sent octets stay unacknowledged for `silence`.
  absl::Status Open(struct ev_loop* loop, const RedisAddress& address, absl::Duration silence);

  void Send(const std::vector<std::string>& words);
  // SUBSCRIBE or UNSUBSCRIBE with its channels; what they lead to is pushed.
  void SendSubscription(const std::vector<std::string>& words);

 private:
  static RedisConnection& Of(const redisAsyncContext* context);
  void Lost();

  Owner& owner_;
  redisAsyncContext* context_ = nullptr;  // until hiredis has freed it
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_CONNECTION_H_
