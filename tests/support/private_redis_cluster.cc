#include "tests/support/private_redis_cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);
constexpr uint32_t kSlots = 16384;

// `7`, or `7-9`.
bool Covers(const std::string& range, uint32_t slot) {
  const std::pair<std::string, std::string> ends = absl::StrSplit(range, absl::MaxSplits('-', 1));
  uint32_t first = 0;
  uint32_t last = 0;
  if (!absl::SimpleAtoi(ends.first, &first)) return false;
  if (!absl::SimpleAtoi(ends.second, &last)) last = first;
  return first <= slot && slot <= last;
}

bool Says(const std::string& answer, const std::string& text) {
  return answer.find(text) != std::string::npos;
}

}  // namespace

PrivateRedisCluster::PrivateRedisCluster(std::string password) : password_(std::move(password)) {
  std::vector<std::string> arguments = {"--cluster-node-timeout",
                                        "1000",
                                        "--repl-diskless-sync-delay",
                                        "0",
                                        "--cluster-allow-replica-migration",
                                        "no"};
  if (!password_.empty()) {
    arguments.insert(arguments.end(), {"--requirepass", password_, "--masterauth", password_});
  }
  for (size_t i = 0; i < kServers; ++i) {
    servers_[i] = std::make_unique<PrivateRedis>(PrivateRedis::ClusterServer{arguments});
    ids_[i] = Run(i, {"CLUSTER", "MYID"});
  }
  Form();
}

void PrivateRedisCluster::Form() {
  for (size_t i = 0; i < kServers; ++i) {  // an epoch each, before they meet: no ties to break
    Expect(i, {"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
    if (i >= kMasters) continue;
    Expect(i, {"CLUSTER", "ADDSLOTSRANGE", std::to_string(kSlots * i / kMasters),
               std::to_string(kSlots * (i + 1) / kMasters - 1)});
  }
  for (size_t i = 0; i < kServers; ++i) {  // all of them, which is faster than to wait for gossip
    for (size_t other = 0; other < i; ++other) {
      const PrivateRedis& to = server(other);
      Expect(i, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(to.port()),
                 std::to_string(to.bus_port())});
    }
  }
  for (size_t i = 0; i < kServers; ++i) {
    EXPECT_TRUE(Eventually([&] { return SeenBy(i).size() == kServers; }, kPatience));
  }
  for (size_t i = kMasters; i < kServers; ++i) {
    Expect(i, {"CLUSTER", "REPLICATE", ids_[i - kMasters]});
  }
  AwaitWell();
}

std::vector<RedisEndpoint> PrivateRedisCluster::endpoints() const {
  std::vector<RedisEndpoint> endpoints;
  for (const auto& server : servers_) endpoints.push_back({"127.0.0.1", server->port()});
  return endpoints;
}

std::string PrivateRedisCluster::Run(size_t index, const std::vector<std::string>& words) const {
  return server(index).Run(
      words, password_.empty() ? std::vector<std::string>{} : std::vector<std::string>{password_});
}

void PrivateRedisCluster::Expect(size_t index, const std::vector<std::string>& words) const {
  EXPECT_EQ(Run(index, words), "OK") << words[0] << " " << words[1] << " at server " << index;
}

size_t PrivateRedisCluster::AnyRunning() const {
  size_t index = 0;
  while (index + 1 < kServers && !Runs(index)) ++index;
  return index;
}

uint32_t PrivateRedisCluster::SlotOf(std::string_view key) const {
  uint32_t slot = 0;
  EXPECT_TRUE(absl::SimpleAtoi(Run(AnyRunning(), {"CLUSTER", "KEYSLOT", std::string(key)}), &slot));
  return slot;
}

std::vector<PrivateRedisCluster::Seen> PrivateRedisCluster::SeenBy(size_t index) const {
  std::vector<Seen> all;
  const std::string answer = Run(index, {"CLUSTER", "NODES"});
  for (const auto line : absl::StrSplit(answer, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    const auto id = std::find(ids_.begin(), ids_.end(), words[0]);
    if (id == ids_.end() || words.size() < 8 || Says(words[2], "handshake")) continue;
    all.push_back({.index = static_cast<size_t>(id - ids_.begin()),
                   .master = Says(words[2], "master"),
                   .master_id = words[3]});
    for (size_t i = 8; i < words.size(); ++i) {
      // Of a slot on its way the two masters alone say so, in brackets.
      if (!words[i].starts_with('[')) all.back().slots.push_back(words[i]);
    }
  }
  return all;
}

size_t PrivateRedisCluster::OwnerSeenBy(size_t index, uint32_t slot) const {
  for (const Seen& seen : SeenBy(index)) {
    if (std::any_of(seen.slots.begin(), seen.slots.end(),
                    [&](const std::string& range) { return Covers(range, slot); })) {
      return seen.index;
    }
  }
  return kServers;
}

bool PrivateRedisCluster::AllSee(uint32_t slot, size_t owner) const {
  for (size_t i = 0; i < kServers; ++i) {
    if (Runs(i) && OwnerSeenBy(i, slot) != owner) return false;
  }
  return true;
}

size_t PrivateRedisCluster::MasterOf(std::string_view key) const {
  const uint32_t slot = SlotOf(key);
  size_t owner = kServers;
  const bool agreed = Eventually(
      [&] {
        owner = OwnerSeenBy(AnyRunning(), slot);
        return owner != kServers && AllSee(slot, owner);
      },
      kPatience);
  EXPECT_TRUE(agreed) << "the servers do not agree on the master of slot " << slot;
  return owner == kServers ? 0 : owner;
}

size_t PrivateRedisCluster::ReplicaOf(size_t master) const {
  for (const Seen& seen : SeenBy(AnyRunning())) {
    if (!seen.master && seen.master_id == ids_[master] && Runs(seen.index)) return seen.index;
  }
  ADD_FAILURE() << "server " << master << " has no replica that runs";
  return master;
}

size_t PrivateRedisCluster::OtherThan(std::string_view key) const {
  const size_t master = MasterOf(key);
  for (const Seen& seen : SeenBy(AnyRunning())) {
    if (seen.index != master && !seen.slots.empty() && Runs(seen.index)) return seen.index;
  }
  ADD_FAILURE() << "no other master runs";
  return master;
}

bool PrivateRedisCluster::Well() const {
  std::vector<size_t> owners;
  for (size_t i = 0; i < kServers; ++i) {
    if (!Runs(i)) continue;
    if (!Says(Run(i, {"CLUSTER", "INFO"}), "cluster_state:ok")) return false;
    const std::string role = Run(i, {"INFO", "replication"});
    if (Says(role, "role:slave") && !Says(role, "master_link_status:up")) return false;
    std::vector<size_t> seen(kServers, 0);  // how many ranges of slots each has
    for (const Seen& other : SeenBy(i)) {
      seen[other.index] = other.slots.size() + (other.master ? 0 : 100);
    }
    if (owners.empty()) owners = seen;
    if (owners != seen) return false;
  }
  return true;
}

void PrivateRedisCluster::AwaitWell() const {
  EXPECT_TRUE(Eventually([&] { return Well(); }, kPatience))
      << Run(AnyRunning(), {"CLUSTER", "NODES"});
}

void PrivateRedisCluster::Failover(size_t master) {
  AwaitWell();
  const size_t replica = ReplicaOf(master);
  Expect(replica, {"CLUSTER", "FAILOVER"});
  const bool done = Eventually(
      [&] {
        for (size_t i = 0; i < kServers; ++i) {
          if (!Runs(i)) continue;
          for (const Seen& seen : SeenBy(i)) {
            if (seen.index == replica && (!seen.master || seen.slots.empty())) return false;
            if (seen.index == master && seen.master) return false;
          }
        }
        return true;
      },
      kPatience);
  EXPECT_TRUE(done) << "server " << replica << " does not take over from " << master;
  AwaitWell();
}

void PrivateRedisCluster::Kill(size_t index) { servers_[index]->Kill(); }
void PrivateRedisCluster::Start(size_t index) { servers_[index]->Start(); }

void PrivateRedisCluster::Pause(size_t index) {
  servers_[index]->Pause();
  paused_[index] = true;
}

void PrivateRedisCluster::Continue(size_t index) {
  servers_[index]->Continue();
  paused_[index] = false;
}

void PrivateRedisCluster::AwaitTakeoverFrom(size_t master) const {
  const bool done = Eventually(
      [&] {
        for (size_t i = 0; i < kServers; ++i) {
          if (!Runs(i)) continue;
          for (const Seen& seen : SeenBy(i)) {
            if (seen.index == master && !seen.slots.empty()) return false;
          }
        }
        return Well();
      },
      kPatience);
  EXPECT_TRUE(done) << "nobody takes over from server " << master;
}

PrivateRedisCluster::SlotMove PrivateRedisCluster::BeginMove(std::string_view key, size_t to) {
  const SlotMove move{.slot = SlotOf(key), .from = MasterOf(key), .to = to};
  const std::string slot = std::to_string(move.slot);
  Expect(move.to, {"CLUSTER", "SETSLOT", slot, "IMPORTING", ids_[move.from]});
  Expect(move.from, {"CLUSTER", "SETSLOT", slot, "MIGRATING", ids_[move.to]});
  return move;
}

size_t PrivateRedisCluster::MoveKeys(const SlotMove& move, size_t most) {
  size_t moved = 0;
  for (; moved < most; ++moved) {
    std::string key = Run(move.from, {"CLUSTER", "GETKEYSINSLOT", std::to_string(move.slot), "1"});
    if (key.empty()) break;
    EXPECT_EQ(key.back(), '\n') << key;
    key.pop_back();
    std::vector<std::string> words = {
        "MIGRATE", "127.0.0.1", std::to_string(server(move.to).port()), key, "0", "5000"};
    if (!password_.empty()) words.insert(words.end(), {"AUTH", password_});
    const std::string answer = Run(move.from, words);
    EXPECT_TRUE(answer == "OK" || answer == "NOKEY") << answer;  // NOKEY: gone meanwhile
    if (answer != "OK" && answer != "NOKEY") break;
  }
  return moved;
}

void PrivateRedisCluster::FinishMove(const SlotMove& move) {
  const std::vector<std::string> given = {"CLUSTER", "SETSLOT", std::to_string(move.slot), "NODE",
                                          ids_[move.to]};
  (void)MoveKeys(move, SIZE_MAX);
  Expect(move.to, given);
  // It refuses while a key is left, which a node may have written behind our last look.
  EXPECT_TRUE(Eventually([&] {
    (void)MoveKeys(move, SIZE_MAX);
    return Run(move.from, given) == "OK";
  }));
  for (size_t i = 0; i < kServers; ++i) {
    if (i == move.to || i == move.from || !Runs(i)) continue;
    if (Says(Run(i, {"INFO", "replication"}), "role:master")) Expect(i, given);
  }
  EXPECT_TRUE(Eventually([&] { return AllSee(move.slot, move.to); }, kPatience))
      << "slot " << move.slot << " does not move";
}

}  // namespace wsrouter
