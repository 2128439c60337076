#ifndef WSROUTER_CORE_REGISTRY_H_
#define WSROUTER_CORE_REGISTRY_H_

#include <memory>
#include <vector>

#include "absl/container/btree_map.h"
#include "base/strings.h"
#include "core/connection.h"
#include "core/ids.h"

namespace wsrouter {

// Somebody with at least one connection on this shard.
struct Client {
  ClientId id;
  std::vector<Connection*> connections;
};

// This shard's connections, by the counter of their id and by who they are.
class Registry {
 public:
  void Add(Connection& connection) { connections_.emplace(connection.counter, &connection); }
  void Remove(Connection& connection) { connections_.erase(connection.counter); }

  Connection* Find(uint64_t counter) const;
  Client* Find(const ClientId& client) const;

  void Bind(Connection& connection, const ClientId& client);
  void Unbind(Connection& connection);

  // By counter, so that pages over them are stable.
  const absl::btree_map<uint64_t, Connection*>& connections() const { return connections_; }

 private:
  absl::btree_map<uint64_t, Connection*> connections_;
  StringMap<std::unique_ptr<Client>> clients_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_REGISTRY_H_
