#ifndef WSROUTER_TESTS_SUPPORT_CLUSTER_CLIENTS_H_
#define WSROUTER_TESTS_SUPPORT_CLUSTER_CLIENTS_H_

#include <set>
#include <string>
#include <vector>

#include "tests/support/cluster_node.h"
#include "tests/support/private_redis.h"
#include "tests/support/push_load.h"

namespace wsrouter {

// The clients that a test has made at a cluster's nodes.
class ClusterClients {
 public:
  struct Client {
    ClusterNode* node = nullptr;
    ConnectionId connection;
    std::string name;
    std::set<std::string> rooms;

    std::vector<std::string> Got() const { return node->shard().Got(connection); }
  };

  // Makes one with a new connection of this node.
  Client Online(ClusterNode& node, const std::string& name, const std::vector<std::string>& rooms);
  // One that was made otherwise.
  void Add(Client client) { all_.push_back(std::move(client)); }
  // The clients of a node that has crashed.
  void Forget(const ClusterNode& node);
  const std::vector<Client>& all() const { return all_; }

  // Until the shards know exactly these clients, the directory (asked through `asked`) says what
  // they know and counts nobody else, and CheckRedis finds nothing. Fails where that takes longer.
  void AwaitWhole(ClusterNode& asked, const PrivateRedis& redis,
                  absl::Duration patience = absl::Seconds(10)) const;
  // Until a push to this room through `node` reaches all of its members, and is answered so.
  void AwaitReached(ClusterNode& node, const std::string& room) const;
  // That loads which have ended reached nobody whom they were not for, nobody twice, everybody in
  // order, and exactly those that their answers say. `gone` are clients that were forgotten.
  void CheckLoads(const std::vector<const PushLoad*>& loads,
                  const std::vector<Client>& gone = {}) const;

 private:
  std::string Difference(ClusterNode& asked, const PrivateRedis& redis) const;

  std::vector<Client> all_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_CLUSTER_CLIENTS_H_
