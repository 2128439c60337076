// Random operations on three nodes around one Redis, with faults, against a model that fits on a
// page. At rest: the directory says exactly what the nodes' clients are, Redis holds nothing else,
// every member gets a push once and nobody else gets it.
//
// WSROUTER_MODEL_SEEDS: how many seeds; WSROUTER_MODEL_SEED: that one alone. A failure names its
// seed.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "gtest/gtest.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {
namespace {

constexpr size_t kNodes = 3;
constexpr size_t kClients = 6;
constexpr size_t kRooms = 3;
constexpr size_t kSteps = 60;

class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed) {
    for (size_t i = 0; i < kNodes; ++i) StartNode(i);
  }

  void Run() {
    for (size_t step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) Step();
    AtRest();
  }

 private:
  // What a service knows of a connection: it was told so by answers, or did it itself.
  struct Client {
    size_t node = 0;
    std::string name;  // empty while unowned
    std::set<std::string> rooms;
  };

  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }
  std::string Name() { return "c" + std::to_string(Below(kClients)); }
  std::string Room() { return "r" + std::to_string(Below(kRooms)); }
  ClusterNode& Any() { return *nodes_[Below(kNodes)]; }

  void StartNode(size_t i) {
    nodes_[i] = std::make_unique<ClusterNode>(
        ClusterNode::Options{.address = ParseRedisUrl(redis_.url()).value(),
                             .server_id = "n" + std::to_string(i),
                             .heartbeat = absl::Milliseconds(50),
                             .lease = absl::Milliseconds(200),
                             .gc_interval = absl::Milliseconds(50)});
    nodes_[i]->AwaitUp();
  }

  std::map<ConnectionId, Client>::iterator AnyClient() {
    return clients_.empty()
               ? clients_.end()
               : std::next(clients_.begin(), static_cast<ptrdiff_t>(Below(clients_.size())));
  }

  void Step() {
    const size_t what = Below(100);
    if (what < 20) return Open();
    if (what < 92) {
      const auto found = AnyClient();
      if (found == clients_.end()) return Open();
      if (what < 40) return Own(*found);
      if (what < 60) return Join(*found);
      if (what < 68) return Leave(*found);
      if (what < 73) return Release(*found);
      if (what < 80) return Close(found);
      return Push();
    }
    if (what < 94) return Crash();
    if (what < 96) return Flush();
    if (what < 98) return Restart();
    Pause();
  }

  void Open() {
    const size_t node = Below(kNodes);
    clients_[nodes_[node]->shard().Open()].node = node;
  }
  void Own(std::pair<const ConnectionId, Client>& client) {
    const std::string name = Name();
    const Receipt receipt = Any().Own(client.first, name);
    // Nobody matched: its node was not listening for a moment, which is as good as gone.
    if (receipt.status.ok() && receipt.matched > 0) client.second.name = name;
  }
  void Join(std::pair<const ConnectionId, Client>& client) {
    const std::string room = Room();
    const Receipt receipt = Any().Do(client.first, wsrouter::Join{.rooms = {{room}}});
    for (const RoomChange& change : receipt.rooms) {
      if (change.refusal.ok()) client.second.rooms.insert(room);
    }
  }
  void Leave(std::pair<const ConnectionId, Client>& client) {
    const std::string room = Room();
    nodes_[client.second.node]->Do(client.first, wsrouter::Leave{.rooms = {{room}}});
    client.second.rooms.erase(room);
  }
  void Release(std::pair<const ConnectionId, Client>& client) {
    nodes_[client.second.node]->Do(client.first, wsrouter::Release{});
    client.second.name.clear();
    client.second.rooms.clear();
  }
  void Close(std::map<ConnectionId, Client>::iterator client) {
    nodes_[client->second.node]->shard().Hang(client->first);
    clients_.erase(client);
  }

  // Faults.
  void Crash() {
    const size_t i = Below(kNodes);
    nodes_[i]->Crash();
    std::erase_if(clients_, [&](const auto& client) { return client.second.node == i; });
    StartNode(i);
  }
  void Flush() { redis_.Run({"FLUSHALL"}); }
  void Restart() {
    redis_.Kill();
    redis_.Start();
  }
  void Pause() {
    redis_.Pause();
    Open();
    if (const auto found = AnyClient(); found != clients_.end()) Close(found);
    redis_.Continue();
  }

  std::multiset<std::string> MembersOf(const std::string& room) const {
    std::multiset<std::string> members;
    for (const auto& [id, client] : clients_) {
      if (client.rooms.contains(room)) members.insert(client.name);
    }
    return members;
  }

  // Everybody who is in the room gets it once, and nobody else. Only while nothing is at fault.
  void Push() {
    if (!std::ranges::all_of(nodes_, [](const auto& node) { return node->engine().up(); })) return;
    const std::string room = Room();
    Any().Push(room, "p");
  }
  void CheckPush(const std::string& room, const std::string& text) {
    const Receipt receipt = Any().Push(room, text);
    EXPECT_FALSE(receipt.partial);
    EXPECT_EQ(receipt.queued, MembersOf(room).size());
    for (const auto& [id, client] : clients_) {
      const std::vector<std::string> got = nodes_[client.node]->shard().Got(id);
      EXPECT_EQ(std::ranges::count(got, text), client.rooms.contains(room) ? 1 : 0)
          << id.ToString() << " of " << room;
    }
  }

  void AtRest() {
    for (const auto& node : nodes_) node->AwaitUp();
    // Leases that ended are noticed by the next heartbeat; crashed nodes by the next collection.
    std::string difference;
    EXPECT_TRUE(Eventually([&] {
      difference = Difference();
      return difference.empty();
    })) << difference;
    for (size_t i = 0; i < kRooms; ++i) {
      CheckPush("r" + std::to_string(i), "at rest " + std::to_string(i));
    }
  }
  // What the directory says and should not; nothing when all is well.
  std::string Difference() {
    for (const auto& node : nodes_) {
      if (!node->engine().up()) return node->id().server_id + " is not up";
      const size_t listed = node->Nodes().value_or(std::vector<NodeRow>{}).size();
      if (listed != kNodes) return std::to_string(listed) + " nodes are listed";
    }
    std::map<std::string, size_t> owned;
    for (const auto& [id, client] : clients_) {
      if (!client.name.empty()) ++owned[client.name];
    }
    for (size_t i = 0; i < kClients; ++i) {
      const std::string name = "c" + std::to_string(i);
      const size_t listed = nodes_[0]->ConnectionsOf(name).size();
      if (listed != owned[name]) {
        return fmt::format("{} has {} connections, listed are {}", name, owned[name], listed);
      }
    }
    for (size_t i = 0; i < kRooms; ++i) {
      const std::string room = "r" + std::to_string(i);
      const std::multiset<std::string> all = MembersOf(room);
      const std::set<std::string> wanted(all.begin(), all.end());
      const std::vector<std::string> listed = nodes_[1]->MembersOf(room);
      if (!std::ranges::equal(wanted, listed)) {
        return fmt::format("{} has {}, listed are {}", room, fmt::join(wanted, " "),
                           fmt::join(listed, " "));
      }
    }
    return CheckRedis(redis_, "test");
  }

  std::mt19937_64 random_;
  PrivateRedis redis_;
  std::array<std::unique_ptr<ClusterNode>, kNodes> nodes_;
  std::map<ConnectionId, Client> clients_;
};

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

TEST(ClusterModelTest, DirectoryAndDeliveryAgreeWithTheModelAtRest) {
  const uint64_t one = FromEnvironment("WSROUTER_MODEL_SEED", 0);
  const uint64_t seeds = FromEnvironment("WSROUTER_MODEL_SEEDS", 50);
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    if (one != 0 && seed != one) continue;
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model(seed).Run();
    ASSERT_FALSE(HasFailure()) << "again: WSROUTER_MODEL_SEED=" << seed;
  }
}

}  // namespace
}  // namespace wsrouter
