// The event log of a cluster: whatever becomes of nodes and of Redis, what began has one end.
#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr int kClients = 60;

class ClusterEventLogTest : public testing::Test {
 protected:
  std::unique_ptr<ClusterNode> Start(const std::string& server_id,
                                     absl::Duration lease = absl::Seconds(1)) {
    auto node = std::make_unique<ClusterNode>(
        ClusterNode::Options{.address = ParseRedisUrl(redis_.url()).value(),
                             .server_id = server_id,
                             .log = {.on = true},
                             .lease = lease});
    node->AwaitUp();
    return node;
  }

  // Takes what there is by now and settles it.
  void Consume(ClusterNode& node) {
    EventLog& log = node.engine().log();
    size_t had = 0;
    do {
      Awaited<absl::StatusOr<LogTaken>> taken;
      log.Take(consumer_, 200, taken.Take());
      const auto answer = taken.Wait();
      if (!answer.ok()) return;
      std::vector<LogSettlement> done;
      for (const LogDelivery& one : answer->deliveries) {
        entries_.push_back(one.entry);
        done.push_back({.receipt = one.receipt, .again_after = std::nullopt});
      }
      had = done.size();
      Awaited<absl::StatusOr<uint64_t>> settled;
      log.Settle(consumer_, std::move(done), settled.Take());
      EXPECT_TRUE(settled.Wait().ok());
    } while (had > 0);
  }
  // How often it happened to each connection of a node.
  std::map<std::string, int> Counted(const std::string& server_id, LogKind kind) const {
    std::map<std::string, int> counted;
    for (const LogEntry& entry : entries_) {
      if (entry.kind == kind && entry.connection.node.server_id == server_id) {
        ++counted[entry.connection.ToString()];
      }
    }
    return counted;
  }
  // Of an entry of this connection that ended it.
  const LogEntry* EndOf(const ConnectionId& connection) const {
    for (const LogEntry& entry : entries_) {
      if (entry.kind == LogKind::kDisconnected && entry.connection == connection) return &entry;
    }
    return nullptr;
  }
  // By room, what is in the log about its being occupied.
  std::map<std::string, std::vector<LogKind>> OfRooms() const {
    std::map<std::string, std::vector<LogKind>> rooms;
    for (const LogEntry& entry : entries_) {
      if (entry.kind == LogKind::kOccupied || entry.kind == LogKind::kVacated) {
        rooms[entry.room.value].push_back(entry.kind);
      }
    }
    return rooms;
  }
  void ExpectTurns() const {
    for (const auto& [room, kinds] : OfRooms()) {
      for (size_t i = 0; i < kinds.size(); ++i) {
        EXPECT_EQ(kinds[i], i % 2 == 0 ? LogKind::kOccupied : LogKind::kVacated) << room << i;
      }
    }
  }

  PrivateRedis redis_;
  LogConsumer consumer_ = {.group = "audit", .name = "one", .from_start = true};
  std::vector<LogEntry> entries_;
};

TEST_F(ClusterEventLogTest, WhoseNodeDiesEndsExactlyOnce) {
  const auto a = Start("a");
  const auto c = Start("c");
  auto b = Start("b");
  std::vector<ConnectionId> gone;
  for (int i = 0; i < kClients; ++i) {
    const ConnectionId id = b->Online(fmt::format("client{}", i), {"lobby", fmt::format("r{}", i)});
    if (i % 3 == 0) gone.push_back(id);
  }
  a->Online("alice", {"lobby"});
  for (const ConnectionId& id : gone) b->shard().Hang(id);
  b->Crash();
  // Both collect.
  ASSERT_TRUE(Eventually([&] { return a->Online()->connections == 1; }));
  Consume(*a);
  const auto began = Counted("b", LogKind::kConnected);
  EXPECT_THAT(began, SizeIs(kClients));
  EXPECT_THAT(began, Each(Pair(testing::_, 1)));
  EXPECT_EQ(Counted("b", LogKind::kDisconnected), began);
  EXPECT_EQ(Counted("b", LogKind::kJoined), Counted("b", LogKind::kLeft));
  EXPECT_THAT(Counted("a", LogKind::kDisconnected), IsEmpty());
  ExpectTurns();
  EXPECT_THAT(OfRooms()["lobby"], SizeIs(1)) << "alice is still there";
  EXPECT_THAT(OfRooms()["r7"], SizeIs(2));
  size_t lost = 0;
  for (const LogEntry& entry : entries_) {
    if (entry.kind == LogKind::kDisconnected && entry.ending.cause == CloseCause::kNodeLost) ++lost;
  }
  EXPECT_GT(lost, 0u);
}

TEST_F(ClusterEventLogTest, RoomsAreOccupiedAndVacatedByTurnsWhateverComesTogether) {
  const auto a = Start("a");
  const auto b = Start("b");
  const auto churn = [](ClusterNode& node) {
    const ConnectionId one = node.Online(node.id().server_id + "1");
    const ConnectionId two = node.Online(node.id().server_id + "2");
    for (int i = 0; i < 100; ++i) {
      const RoomName room{fmt::format("room{}", i % 3)};
      node.Do(i % 2 == 0 ? one : two, Join{.rooms = {room}});
      node.Do(one, Leave{.rooms = {room}});
      node.Do(two, Leave{.rooms = {room}});
    }
  };
  std::thread other([&] { churn(*b); });
  churn(*a);
  other.join();
  Consume(*a);
  ExpectTurns();
  EXPECT_THAT(OfRooms(), SizeIs(3));
  for (const auto& [room, kinds] : OfRooms()) {
    EXPECT_EQ(kinds.back(), LogKind::kVacated) << room;
    EXPECT_GE(kinds.size(), 20u) << room;
  }
}

TEST_F(ClusterEventLogTest, WhoWentWhileRedisWasAwayEndsWhenItIsBack) {
  const auto a = Start("a", absl::Minutes(1));
  const ConnectionId alice = a->Online("alice", {"lobby"});
  const ConnectionId bob = a->Online("bob", {"lobby"});
  redis_.Pause();  // it keeps what it has
  a->AwaitDown();
  a->shard().Hang(alice);
  redis_.Continue();
  a->AwaitUp();
  Consume(*a);
  ASSERT_NE(EndOf(alice), nullptr);
  EXPECT_EQ(EndOf(alice)->ending.cause, std::nullopt);
  EXPECT_EQ(EndOf(bob), nullptr);
  EXPECT_EQ(Counted("a", LogKind::kDisconnected)[alice.ToString()], 1);
  EXPECT_EQ(Counted("a", LogKind::kConnected)[bob.ToString()], 1);
}

// An answer that is lost has handed out all the same.
TEST_F(ClusterEventLogTest, WhatWasHandedOutAndNeverCameComesFirst) {
  const auto a = Start("a");
  FaultProxy proxy(redis_.socket_path());
  ClusterNode b(
      {.address = ParseRedisUrl(proxy.url()).value(), .server_id = "b", .log = {.on = true}});
  b.AwaitUp();
  const LogConsumer one = {
      .group = "order", .name = "one", .visibility = absl::Minutes(10), .from_start = true};
  const auto take = [&](uint32_t count) {
    Awaited<absl::StatusOr<LogTaken>> taken;
    b.engine().log().Take(one, count, taken.Take());
    return taken.Wait();
  };
  ASSERT_TRUE(take(0).ok());
  for (int i = 0; i < 3; ++i) a->Online("alice");
  proxy.Hole(FaultProxy::Direction::kToClient);
  EXPECT_TRUE(absl::IsUnavailable(take(2).status()));
  proxy.Heal();
  b.AwaitUp();
  std::vector<std::string> ids;
  ASSERT_TRUE(Eventually([&] {
    const auto taken = take(10);
    if (!taken.ok()) return false;
    for (const LogDelivery& delivery : taken->deliveries) {
      EXPECT_EQ(delivery.deliveries, 1u) << "nobody has had it";
      ids.push_back(delivery.entry.id);
    }
    return ids.size() >= 3;
  }));
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_THAT(ids, SizeIs(3));
}

TEST_F(ClusterEventLogTest, ARedisThatComesBackEmptyHasALogThatBeginsAnew) {
  const auto a = Start("a");
  a->Online("alice", {"lobby"});
  Consume(*a);
  ASSERT_THAT(entries_, SizeIs(3));
  entries_.clear();
  redis_.Kill();
  a->AwaitDown();
  Awaited<absl::StatusOr<LogTaken>> refused;
  a->engine().log().Take(consumer_, 1, refused.Take());
  EXPECT_EQ(ReasonOf(refused.Wait().status()), "DIRECTORY_UNAVAILABLE");
  redis_.Start();
  a->AwaitUp();
  ASSERT_TRUE(Eventually([&] { return (Consume(*a), entries_.size()) >= 3; }));
  EXPECT_THAT(Counted("a", LogKind::kConnected), SizeIs(1));
  EXPECT_THAT(Counted("a", LogKind::kJoined), SizeIs(1));
  EXPECT_THAT(OfRooms(), SizeIs(1));
}

TEST_F(ClusterEventLogTest, WhatANodeGivesBackAtItsEndSaysThatItStopped) {
  const auto a = Start("a");
  auto b = Start("b");
  const ConnectionId bob = b->Online("bob");
  b.reset();
  Consume(*a);
  ASSERT_NE(EndOf(bob), nullptr);
  EXPECT_EQ(EndOf(bob)->ending.cause, CloseCause::kNodeStopping);
}

}  // namespace
}  // namespace wsrouter
