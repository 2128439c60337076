#ifndef WSROUTER_ENGINE_REDIS_COMMANDS_H_
#define WSROUTER_ENGINE_REDIS_COMMANDS_H_

#include <atomic>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/redis_connection.h"
#include "engine/redis_link.h"

namespace wsrouter {

struct RedisCommand {
  std::vector<std::string> words;
  RedisLink::Done done;
  const RedisScript* script = nullptr;  // the words are EVALSHA's
  bool publish = false;  // the words are PUBLISH's, or the last of a script's is PUBLISH
  absl::Duration deadline = absl::InfiniteDuration();  // uptime
  bool counted = false;                                // against RedisLink::kCommandsMax
};

// The commands that were sent over one connection and not answered by Redis, oldest first.
// The link's thread.
class RedisCommands {
 public:
  // `counted` is how many counted commands there are, here and elsewhere.
  explicit RedisCommands(std::atomic<size_t>& counted) : counted_(counted) {}

  void Send(RedisConnection& connection, RedisCommand command);
  // Answers the oldest. Other than OK: the connection is of no use any more.
  absl::Status OnReply(RedisConnection& connection, const redisReply& reply);
  // Answers what is overdue. Its place is kept for the reply that may still come.
  void Expire(absl::Duration uptime);
  // UNAVAILABLE, a status of its own for each.
  void AnswerAll(std::string_view why);
  // The same for one that was not sent.
  void Refuse(RedisCommand command, std::string_view why);

  bool empty() const { return sent_.empty(); }

 private:
  std::atomic<size_t>& counted_;
  std::deque<RedisCommand> sent_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_COMMANDS_H_
