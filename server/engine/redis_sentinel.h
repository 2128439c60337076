#ifndef WSROUTER_ENGINE_REDIS_SENTINEL_H_
#define WSROUTER_ENGINE_REDIS_SENTINEL_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/redis_connection.h"

namespace wsrouter {

// Asks one Redis Sentinel, once, where the master is (SENTINEL get-master-addr-by-name). Whether
// that is right is seen at the master itself, which says ROLE.
//
// The loop's thread. Not to be destroyed inside of `found`.
class MasterQuestion final : private RedisConnection::Owner {
 public:
  using Found = absl::AnyInvocable<void(absl::StatusOr<RedisAddress>)>;

  // `address` has the name of the master, and what is needed to log in there. `found` is called at
  // most once, and not at all when the sentinel is silent: that is the caller's clock to judge.
  MasterQuestion(const RedisAddress& address, Found found)
      : address_(address), found_(std::move(found)), connection_(*this) {}

  // Asks the `number`-th sentinel, counted around.
  absl::Status Ask(struct ev_loop* loop, size_t number, absl::Duration silence);

 private:
  void OnReply(RedisConnection& connection, const redisReply& reply) override;
  void OnPushed(const redisReply&) override {}
  void OnLost(const absl::Status& why) override;
  void Tell(absl::StatusOr<RedisAddress> found);

  const RedisAddress address_;
  Found found_;
  bool told_ = false;
  RedisConnection connection_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_SENTINEL_H_
