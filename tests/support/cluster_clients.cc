#include "tests/support/cluster_clients.h"

#include <algorithm>
#include <map>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/eventually.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {

ClusterClients::Client ClusterClients::Online(ClusterNode& node, const std::string& name,
                                              const std::vector<std::string>& rooms) {
  Client client = {.node = &node,
                   .connection = node.Online(name, rooms),
                   .name = name,
                   .rooms = {rooms.begin(), rooms.end()}};
  all_.push_back(client);
  return client;
}

void ClusterClients::Forget(const ClusterNode& node) {
  std::erase_if(all_, [&](const Client& client) { return client.node == &node; });
}

void ClusterClients::AwaitWhole(ClusterNode& asked, const PrivateRedis& redis,
                                absl::Duration patience) const {
  std::string difference;
  EXPECT_TRUE(Eventually([&] { return (difference = Difference(asked, redis)).empty(); }, patience))
      << difference;
}

std::string ClusterClients::Difference(ClusterNode& asked, const PrivateRedis& redis) const {
  std::set<const ClusterNode*> nodes;
  std::map<std::string, std::multiset<std::string>> rooms;
  for (const Client& client : all_) {
    if (nodes.insert(client.node).second && !client.node->engine().up()) return "a node is not up";
    const Receipt receipt = client.node->Do(client.connection, Describe{});
    if (receipt.connections.size() != 1) return client.connection.ToString() + " is lost";
    const ConnectionDescription& about = receipt.connections[0];
    std::set<std::string> known;
    for (const RoomName& room : about.rooms) known.insert(room.value);
    if (about.client.value != client.name || known != client.rooms) {
      return fmt::format("{} is '{}' in {} rooms, not '{}' in {}", client.connection.ToString(),
                         about.client.value, known.size(), client.name, client.rooms.size());
    }
    for (const std::string& room : client.rooms) rooms[room].insert(client.name);
  }
  const auto online = asked.Online();
  if (!online.ok()) return online.status().ToString();
  if (online->connections != all_.size()) {
    return fmt::format("{} connections are counted, wanted {}", online->connections, all_.size());
  }
  for (const auto& [room, wanted] : rooms) {
    const auto members = asked.MembersOf(room);
    const std::multiset<std::string> listed(members.begin(), members.end());
    const std::set<std::string> distinct(wanted.begin(), wanted.end());
    if (!std::ranges::equal(listed, distinct)) {
      return fmt::format("{} has {} members, wanted {}", room, listed.size(), distinct.size());
    }
  }
  return CheckRedis(redis, "test");
}

void ClusterClients::AwaitReached(ClusterNode& node, const std::string& room) const {
  const auto members = std::ranges::count_if(
      all_, [&](const Client& client) { return client.rooms.contains(room); });
  Receipt last;
  EXPECT_TRUE(Eventually([&] {
    last = node.Push(room, "whole");
    return last.status.ok() && !last.partial && last.queued == static_cast<uint64_t>(members);
  })) << last.status
      << ", queued " << last.queued << " of " << members << (last.partial ? ", partial" : "");
}

void ClusterClients::CheckLoads(const std::vector<const PushLoad*>& loads,
                                const std::vector<Client>& gone) const {
  std::vector<Client> clients = all_;
  clients.insert(clients.end(), gone.begin(), gone.end());
  for (const PushLoad* load : loads) {
    PushLoad::Tally tally;
    bool right = true;
    for (const Client& client : clients) {
      const std::string wrong = load->WrongIn(client.Got(), client.rooms, tally);
      EXPECT_EQ(wrong, "") << client.name;
      right = right && wrong.empty();
    }
    EXPECT_FALSE(tally.empty());
    if (!right) continue;  // the tally ends there
    EXPECT_EQ(load->LieIn(tally), "");
  }
}

}  // namespace wsrouter
