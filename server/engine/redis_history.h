#ifndef WSROUTER_ENGINE_REDIS_HISTORY_H_
#define WSROUTER_ENGINE_REDIS_HISTORY_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/counters.h"
#include "core/history.h"
#include "engine/envelope_seal.h"
#include "engine/redis_link.h"

namespace wsrouter {

// The histories of a cluster: a Redis stream for each room. Its entries are the messages as they
// were published, under their seal, so what was not sent by a node of this cluster is not believed;
// that costs the entry, is counted, and `recovered` is false. (A key that entries are under must be
// kept for as long as they are.) Where in the history a message is is outside of the seal: Redis
// gives it.
//
// Each node knows how many kept messages it has seen, and says so with each of its steps: where
// Redis knows of fewer it lost some, and that step begins new epochs (lua/rows.lua, begin_era). A
// node also asks when it joins, before others can have written much.
class RedisHistory final : public History {
 public:
  RedisHistory(std::string_view prefix, const std::vector<SealKey>& keys, Namespaces namespaces,
               const HistoryLimits& limits, RedisLink& link, Counters& counters);

  void Read(const RoomName& room, const HistoryQuery& query, Done<HistoryPage> done) override;
  void Trim(const RoomName& room, const HistoryTrim& trim, Done<HistoryTrimmed> done) override;

  // From those that publish. Any thread.
  const HistoryRules& rules() const { return rules_; }
  const HistoryLimits& limits() const { return limits_; }
  uint64_t seen() const { return seen_.load(std::memory_order_relaxed); }
  // The link's thread.
  void Saw(uint64_t kept) {
    if (kept > seen()) seen_.store(kept, std::memory_order_relaxed);
  }

  // From the engine. Any thread.
  void SetNamespaces(const Namespaces& namespaces) { rules_.SetNamespaces(namespaces); }
  // From the engine: finds out whether Redis has lost something.
  void Check(absl::AnyInvocable<void(absl::Status) &&> done);

 private:
  // What the script read, on the link's thread.
  HistoryPage ReadPage(const RoomName& room, const HistoryQuery& query, const RedisValue& answer);
  // False where the entry cannot be believed.
  bool AddEntry(std::string_view channel, std::string_view id, std::string_view message,
                HistoryPage& page);

  const std::string root_;
  const std::string topics_prefix_;
  HistoryRules rules_;
  const HistoryLimits limits_;
  RedisLink& link_;
  Counters& counters_;
  std::atomic<uint64_t> seen_{0};
  EnvelopeSeal seal_;  // reads alone; the link's thread
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_HISTORY_H_
