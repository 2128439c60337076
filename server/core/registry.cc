#include "core/registry.h"

#include <algorithm>

namespace wsrouter {

Connection* Registry::Find(uint64_t counter) const {
  auto found = connections_.find(counter);
  return found == connections_.end() ? nullptr : found->second;
}

Client* Registry::Find(const ClientId& client) const {
  auto found = clients_.find(client.value);
  return found == clients_.end() ? nullptr : found->second.get();
}

void Registry::Bind(Connection& connection, const ClientId& client) {
  std::unique_ptr<Client>& entry = clients_[client.value];
  if (entry == nullptr) entry = std::make_unique<Client>(Client{.id = client, .connections = {}});
  entry->connections.push_back(&connection);
  connection.client = entry.get();
}

void Registry::Unbind(Connection& connection) {
  Client* client = std::exchange(connection.client, nullptr);
  std::erase(client->connections, &connection);
  if (client->connections.empty()) clients_.erase(std::string(client->id.value));
}

}  // namespace wsrouter
