#ifndef WSROUTER_ENGINE_REDIS_MASTER_H_
#define WSROUTER_ENGINE_REDIS_MASTER_H_

#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/redis_connection.h"
#include "engine/redis_value.h"

namespace wsrouter {

// Asks one server, once, where the master is: a Redis Sentinel (SENTINEL get-master-addr-by-name)
// or a server of a Redis Cluster (CLUSTER SLOTS). Whether that is right is seen at the master
// itself, which says ROLE, or MOVED.
//
// The loop's thread. Not to be destroyed inside of `found`.
class MasterQuestion final : private RedisConnection::Owner {
 public:
  using Found = absl::AnyInvocable<void(absl::StatusOr<RedisAddress>)>;

  // `address` has the servers to ask, and what is needed to log in there and at the master.
  // `found` is called at most once, and not at all when the server is silent: that is the
  // caller's clock to judge.
  MasterQuestion(const RedisAddress& address, Found found)
      : address_(address), found_(std::move(found)), connection_(*this) {}

  // Asks the `number`-th server, counted around.
  absl::Status Ask(struct ev_loop* loop, size_t number, absl::Duration silence);

 private:
  void OnReply(RedisConnection& connection, const redisReply& reply) override;
  void OnLost(const absl::Status& why) override;

  void Send(const std::vector<std::string>& words);
  void LogIn(const std::string& username, const std::string& password);
  absl::StatusOr<RedisAddress> Read() const;
  void Tell(absl::StatusOr<RedisAddress> found);

  const RedisAddress address_;
  Found found_;
  bool told_ = false;
  RedisEndpoint asked_;
  size_t due_ = 0;  // answers that have not come
  std::vector<RedisValue> answers_;
  RedisConnection connection_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_MASTER_H_
