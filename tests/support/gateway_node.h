#ifndef WSROUTER_TESTS_SUPPORT_GATEWAY_NODE_H_
#define WSROUTER_TESTS_SUPPORT_GATEWAY_NODE_H_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/measures.h"
#include "core/stats.h"
#include "engine/redis_engine.h"
#include "gateway/gateway.h"
#include "nlohmann/json.hpp"
#include "tests/support/cluster_node.h"
#include "tests/support/private_redis.h"
#include "tests/support/raw_client.h"

namespace wsrouter {

// The body of the next frame of that kind; others are skipped.
nlohmann::json AwaitFrame(RawClient& client, const std::string& kind);

// A node of a cluster with real sockets: the Redis engine and a gateway that speaks
// wsrouter.v1.json. It is up when it is made.
class GatewayNode {
 public:
  GatewayNode(const PrivateRedis& redis, const std::string& server_id, uint64_t incarnation,
              const Limits& limits = {});
  ~GatewayNode() { Stop(); }

  void Stop();
  // Nothing is given back.
  void Crash() { engine_.Stop(absl::ZeroDuration()); }

  // A client that comes back with `token`, where there is one.
  RawClient Connect(const std::string& token = "");
  // A client with these labels in a room; all that it heard until it had joined is read away.
  RawClient InRoom(const std::string& room, const std::string& client, const Labels& labels = {});
  Receipt Do(Topic to, Action action);
  std::vector<ConnectionId> ConnectionsOf(const std::string& client);
  RoomSize SizeOf(const std::string& room);
  // How many events of that kind there were.
  template <typename Detail>
  size_t Count() const {
    const std::vector<Event> all = events.All();
    return static_cast<size_t>(std::ranges::count_if(
        all, [](const Event& seen) { return std::holds_alternative<Detail>(seen.detail); }));
  }
  bool up() const { return engine_.up(); }
  RedisEngine& engine() { return engine_; }
  Stats::Now Gauges() const { return stats_.Read(); }
  uint64_t Total(Counter counter) const { return stats_.Total(counter); }
  const NodeIdentity& id() const { return stats_.node(); }

  SharedEvents events;

 private:
  const SystemClock clock_;
  Stats stats_;
  Measures measures_;
  RedisEngine engine_;
  std::unique_ptr<Gateway> gateway_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_GATEWAY_NODE_H_
