#ifndef WSROUTER_ENGINE_REDIS_EVENT_LOG_H_
#define WSROUTER_ENGINE_REDIS_EVENT_LOG_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "core/counters.h"
#include "core/event_log.h"
#include "engine/redis_link.h"

namespace wsrouter {

// The event log of a cluster: streams in Redis with a consumer group for each group, to which the
// scripts of the directory append. Every step is one script that never waits, so the node's one
// link serves it; who consumes asks again. Time is Redis' clock.
//
// Who holds a partition is a lease in a hash, so all consumers of a group are one to Redis: nothing
// is left behind of those who come and go.
class RedisEventLog final : public EventLog {
 public:
  RedisEventLog(std::string_view prefix, const EventLogOptions& options, RedisLink& link,
                Counters& counters);

  bool on() const override { return options_.on; }
  void Append(LogKind kind, const ClientId& client, const ConnectionId& connection) override;
  void Take(const LogConsumer& consumer, uint32_t count, Done<LogTaken> done) override;
  void Settle(const LogConsumer& consumer, std::vector<LogSettlement> settlements,
              Done<uint64_t> done) override;
  void Leave(const LogConsumer& consumer) override;
  void DeadLetters(const std::string& group, const std::string& cursor, uint32_t count,
                   Done<DeadLettersPage> done) override;
  void TakeDeadLetters(const std::string& group, const std::vector<std::string>& ids, bool again,
                       Done<uint64_t> done) override;
  void Groups(Done<LogGroups> done) override;
  void DeleteGroup(const std::string& group, Done<bool> done) override;

  // Takes out what is too old. Any node may, now and then.
  void Trim();

 private:
  void Run(const RedisScript& script, std::vector<std::string> arguments, RedisLink::Done done);
  // Whether the consumer's last Take had no answer; remembers whether this one's has. Any thread.
  bool WasUnanswered(const LogConsumer& consumer);
  void SetAnswered(const LogConsumer& consumer, bool answered);
  // What `answer` of log_take says. What this version cannot read is settled.
  LogTaken Taken(const LogConsumer& consumer, const RedisValue& answer);

  const EventLogOptions options_;
  const std::string root_;
  RedisLink& link_;
  Counters& counters_;
  absl::Mutex mutex_;
  // Consumers, of the streams of this node, whose last Take had no answer.
  absl::flat_hash_set<std::string> unanswered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_EVENT_LOG_H_
