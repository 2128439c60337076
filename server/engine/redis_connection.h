#ifndef WSROUTER_ENGINE_REDIS_CONNECTION_H_
#define WSROUTER_ENGINE_REDIS_CONNECTION_H_

#include <ev.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "engine/redis_address.h"
#include "engine/redis_tls.h"

struct redisReader;
struct redisReply;

namespace wsrouter {

// One connection to a Redis on an event loop. hiredis connects, formats and parses; its own
// asynchronous interface stays out, since it cannot tell what sharded subscriptions push.
//
// Everything happens on the loop's thread, and the owner destroys a connection outside of its own
// calls from here.
class RedisConnection {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // Whatever Redis says, in its order: answers to Send and what it pushes to a subscriber.
    virtual void OnReply(RedisConnection& connection, const redisReply& reply) = 0;
    // The connection has failed; nothing comes from it any more.
    virtual void OnLost(const absl::Status& why) = 0;
  };

  // A reply that is longer is nobody's that we asked.
  static constexpr size_t kReplyMax = 64 << 20;

  explicit RedisConnection(Owner& owner);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;

  // Begins to connect, what is sent meanwhile waits. Resolving a name blocks the thread, which is
  // the link's own and has nothing to do without a connection; no shard ever waits for it. The
  // kernel gives the connection up when sent octets stay unacknowledged for `silence`.
  absl::Status Open(struct ev_loop* loop, const RedisAddress& address, absl::Duration silence);

  // Leaves with the next Flush.
  void Send(const std::vector<std::string>& words);
  // What the socket does not take now follows by itself.
  void Flush();

 private:
  struct FreeReader {
    void operator()(redisReader* reader) const;
  };

  void OnReady(int events);
  ssize_t Read(std::span<char> octets);
  ssize_t Write(std::string_view octets);
  // Why Read or Write failed.
  absl::Status Error() const;
  void WantWrite(bool wanted);
  void ReadAll();
  void Tell();
  void Lost(const absl::Status& why);
  void Close();

  Owner& owner_;
  struct ev_loop* loop_ = nullptr;
  UniqueFd socket_;
  std::optional<RedisTls> tls_;
  std::unique_ptr<redisReader, FreeReader> reader_;
  std::string out_;  // from written_ on, not written yet
  size_t written_ = 0;
  ev_io ready_{};  // to be read, and to be written while the socket does not take more
  bool wants_write_ = false;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_CONNECTION_H_
