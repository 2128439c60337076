#ifndef WSROUTER_TESTS_SUPPORT_PRIVATE_REDIS_CLUSTER_H_
#define WSROUTER_TESTS_SUPPORT_PRIVATE_REDIS_CLUSTER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/redis_address.h"
#include "tests/support/private_redis.h"

namespace wsrouter {

// A Redis Cluster of the test's own: three masters with a third of the slots each, and a replica of
// each. Every function returns when all servers that run know what it did; where they do not come
// to know it the test fails.
class PrivateRedisCluster {
 public:
  static constexpr size_t kMasters = 3;
  static constexpr size_t kServers = 2 * kMasters;

  // With a password, every server wants it of the default user.
  explicit PrivateRedisCluster(std::string password = "");
  PrivateRedisCluster(const PrivateRedisCluster&) = delete;

  const PrivateRedis& server(size_t index) const { return *servers_[index]; }
  std::vector<RedisEndpoint> endpoints() const;  // of all, in the order of their indices

  // PrivateRedis::Run at that server, with the password.
  std::string Run(size_t index, const std::vector<std::string>& words) const;

  // The server that all servers that run take for the master of this key's slot; it may be dead.
  size_t MasterOf(std::string_view key) const;
  size_t ReplicaOf(size_t master) const;  // the first that runs
  // A master of slots that does not serve this key.
  size_t OtherThan(std::string_view key) const;

  // One of its replicas takes over from a master that runs; it becomes a replica of that one.
  void Failover(size_t master);

  void Kill(size_t index);   // SIGKILL
  void Start(size_t index);  // after Kill; empty, but it knows its cluster. Returns when it answers
  void Pause(size_t index);
  void Continue(size_t index);
  // Until this server is nobody's master, because a replica has been elected in its place. It must
  // not run.
  void AwaitTakeoverFrom(size_t master) const;
  // Until all servers that run say that the cluster is well, agree on it, and replicas replicate.
  void AwaitWell() const;

  // A slot on its way. While it is, the old master serves the keys that are left there, and
  // answers ASK for others.
  struct SlotMove {
    uint32_t slot = 0;
    size_t from = 0;
    size_t to = 0;
  };
  SlotMove BeginMove(std::string_view key, size_t to);
  // Moves at most so many keys; how many it has moved.
  size_t MoveKeys(const SlotMove& move, size_t most);
  void FinishMove(const SlotMove& move);  // all keys that are left, then the slot
  void MoveSlot(std::string_view key, size_t to) { FinishMove(BeginMove(key, to)); }

 private:
  // What one server says of another (a line of CLUSTER NODES).
  struct Seen {
    size_t index = 0;
    bool master = false;
    std::string master_id;  // of a replica
    std::vector<std::string> slots;
  };

  bool Runs(size_t index) const { return servers_[index]->running() && !paused_[index]; }
  std::vector<Seen> SeenBy(size_t index) const;
  size_t OwnerSeenBy(size_t index, uint32_t slot) const;  // kServers: none
  bool AllSee(uint32_t slot, size_t owner) const;
  bool Well() const;
  uint32_t SlotOf(std::string_view key) const;
  size_t AnyRunning() const;
  void Expect(size_t index, const std::vector<std::string>& words) const;  // the answer OK
  void Form();

  std::string password_;
  std::array<std::unique_ptr<PrivateRedis>, kServers> servers_;
  std::array<std::string, kServers> ids_;
  std::array<bool, kServers> paused_{};
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_PRIVATE_REDIS_CLUSTER_H_
