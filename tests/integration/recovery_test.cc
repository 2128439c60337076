// Clients that lose their connection wherever it hurts, and get each message of their room once and
// in order all the same: through real sockets, on the memory engine and on real Redis.
#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/eventually.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/private_redis.h"
#include "tests/support/recovering_client.h"
#include "tests/support/recovery_node.h"

namespace wsrouter {
namespace {

using Direction = FaultProxy::Direction;

std::vector<std::string> Numbers(int first, int last) {
  std::vector<std::string> numbers;
  for (int i = first; i <= last; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

// Pushes numbers as fast as they are taken, with so many on their way.
class Publisher {
 public:
  Publisher(RecoveryNode& node, std::string room) : node_(node), room_(std::move(room)) {}
  ~Publisher() {
    if (thread_.joinable()) thread_.join();
  }

  void Start(int first, int last) {
    thread_ = std::thread([this, first, last] { Push(first, last); });
  }
  void Push(int first, int last) {
    for (int i = first; i <= last; ++i) {
      {
        absl::MutexLock lock(&mutex_);
        while (under_way_ >= 32) changed_.Wait(&mutex_);
        ++under_way_;
      }
      node_.Publish(room_, std::to_string(i), [this](const Receipt& receipt) {
        EXPECT_TRUE(receipt.status.ok()) << receipt.status;
        absl::MutexLock lock(&mutex_);
        --under_way_;
        changed_.SignalAll();
      });
    }
    absl::MutexLock lock(&mutex_);
    while (under_way_ > 0) changed_.Wait(&mutex_);
  }

 private:
  RecoveryNode& node_;
  const std::string room_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

class RecoveryTest : public testing::TestWithParam<bool> {
 protected:
  RecoveryTest() {
    if (GetParam()) redis = std::make_unique<PrivateRedis>();
    nodes.push_back(std::make_unique<RecoveryNode>("one", Address()));
    if (GetParam()) nodes.push_back(std::make_unique<RecoveryNode>("two", Address()));
  }
  std::optional<RedisAddress> Address() const {
    if (redis == nullptr) return std::nullopt;
    return ParseRedisUrl(redis->url()).value();
  }

  // A scripted exchange through `proxy`, which cuts the connection behind so many octets. False
  // where there were not so many.
  bool SurvivesCut(FaultProxy& proxy, Direction direction, size_t octets) {
    const std::string name = fmt::format("{}-{}", static_cast<int>(direction), octets);
    SCOPED_TRACE(name);
    const std::string address = fmt::format("127.0.0.1:{}", proxy.port());
    proxy.CutAfter(direction, octets);
    RecoveringClient client(name, name);
    const auto reach = [&](auto there) {
      for (int attempt = 0; attempt < 3; ++attempt) {
        if (there()) return;
        if (!client.Connect(address)) continue;
      }
      EXPECT_TRUE(there());
    };
    for (const std::string& text : Numbers(1, 3)) nodes[0]->Push(name, text);
    client.Connect(address);
    reach([&] { return client.HearTo(3); });
    for (const std::string& text : Numbers(4, 6)) nodes[0]->Push(name, text);
    reach([&] { return client.HearTo(6); });
    client.Send(ClientText(fmt::format(R"({{"leave":{{"id":"l","room":"{}"}}}})", name)));
    while (!client.left() && client.Hear()) {
    }
    EXPECT_EQ(client.texts(), Numbers(1, 6));
    EXPECT_EQ(client.losses(), 0);
    resumes += client.resumes();
    const bool cut = !proxy.Cuts(direction);
    proxy.Heal();
    return cut;
  }
  void CheckCuts(Direction direction, size_t octets_at_least, int resumes_at_least) {
    FaultProxy proxy(fmt::format("{}", nodes[0]->port()));
    size_t octets = 0;
    while (SurvivesCut(proxy, direction, octets) && !HasFailure()) ++octets;
    EXPECT_GE(octets, octets_at_least);
    EXPECT_GE(resumes, resumes_at_least);
  }

  std::unique_ptr<PrivateRedis> redis;
  std::vector<std::unique_ptr<RecoveryNode>> nodes;
  int resumes = 0;
};

INSTANTIATE_TEST_SUITE_P(Engines, RecoveryTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Redis" : "Memory"; });

TEST_P(RecoveryTest, ACutAtEveryOctetThatTheClientReceivesLosesNothing) {
  CheckCuts(Direction::kToClient, 900, 100);
}

TEST_P(RecoveryTest, ACutAtEveryOctetThatTheClientSendsLosesNothing) {
  // Who is cut off with octets of its own unsent may not get its token any more, either.
  CheckCuts(Direction::kToServer, 300, 1);
}

// Clients that come and go, from node to node, while the room is pushed to all the time.
TEST_P(RecoveryTest, CutsUnderConstantPushesLoseNothing) {
  constexpr int kPushes = 6000;
  constexpr int kClients = 4;
  Publisher publisher(*nodes[0], "room");
  publisher.Push(1, kPushes / 3);
  publisher.Start(kPushes / 3 + 1, kPushes);
  std::vector<std::thread> threads;
  std::atomic<int> resumed = 0;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937 random(static_cast<uint32_t>(i));
      RecoveringClient client(fmt::format("client-{}", i), "room");
      while (client.at().offset < kPushes && !HasFailure()) {
        if (!client.Connect(nodes[random() % nodes.size()]->address())) continue;
        client.HearTo(std::min<uint64_t>(kPushes, client.at().offset + random() % 400));
        client.Reset();
      }
      EXPECT_EQ(client.texts(), Numbers(1, kPushes));
      EXPECT_EQ(client.losses(), 0);
      resumed += client.resumes();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(resumed, 4 * kClients);
}

// Who stays sees the end of its replay, and gets what is live from then on.
TEST_P(RecoveryTest, AReplayUnderConstantPushesCatchesUp) {
  constexpr int kPushes = 6000;
  Publisher publisher(*nodes[0], "room");
  publisher.Push(1, kPushes / 3);
  publisher.Start(kPushes / 3 + 1, kPushes);
  RecoveringClient client("alice", "room");
  ASSERT_TRUE(client.Connect(nodes.back()->address()));
  ASSERT_TRUE(client.HearTo(kPushes));
  EXPECT_EQ(client.texts(), Numbers(1, kPushes));
  EXPECT_EQ(client.losses(), 0);
  EXPECT_GE(nodes.back()->Total(Counter::kPushesReplayed), static_cast<uint64_t>(kPushes / 3));
}

class RecoveryOnRedisTest : public testing::Test {
 protected:
  // Alice has had three pushes of the room and is away for the fourth; then Redis is restarted.
  void MissOneAndRestart(PrivateRedis& redis) {
    for (const char* id : {"one", "two"}) {
      nodes.push_back(std::make_unique<RecoveryNode>(id, ParseRedisUrl(redis.url()).value()));
    }
    for (const std::string& text : Numbers(1, 3)) nodes[0]->Push("room", text);
    ASSERT_TRUE(alice.Connect(nodes[0]->address()));
    ASSERT_TRUE(alice.HearTo(3));
    epoch = alice.at().epoch;
    alice.Reset();
    nodes[0]->Push("room", "4");
    redis.Kill();
    ASSERT_TRUE(Eventually([&] { return !nodes[0]->up() && !nodes[1]->up(); }));
    redis.Start();
    ASSERT_TRUE(Eventually([&] { return nodes[0]->up() && nodes[1]->up(); }));
  }

  std::vector<std::unique_ptr<RecoveryNode>> nodes;
  RecoveringClient alice{"alice", "room"};
  std::string epoch;
};

TEST_F(RecoveryOnRedisTest, ARestartThatLostNothingLosesNothing) {
  PrivateRedis redis({"--appendonly", "yes", "--appendfsync", "always"});
  MissOneAndRestart(redis);
  ASSERT_TRUE(alice.Connect(nodes[1]->address()));
  ASSERT_TRUE(alice.HearTo(4));
  nodes[0]->Push("room", "5");
  ASSERT_TRUE(alice.HearTo(5));
  EXPECT_EQ(alice.texts(), Numbers(1, 5));
  EXPECT_EQ(alice.losses(), 0);
  EXPECT_EQ(alice.at().epoch, epoch);
  nodes.clear();
}

TEST_F(RecoveryOnRedisTest, ARestartThatLostTheHistoryIsTold) {
  PrivateRedis redis;
  MissOneAndRestart(redis);
  ASSERT_TRUE(alice.Connect(nodes[1]->address()));
  while (alice.joins() < 2 && alice.Hear()) {
  }
  EXPECT_EQ(alice.losses(), 1);
  nodes[0]->Push("room", "5");
  ASSERT_TRUE(alice.HearTo(1));
  EXPECT_EQ(alice.texts(), (std::vector<std::string>{"1", "2", "3", "5"}));
  EXPECT_NE(alice.at().epoch, epoch);
  nodes.clear();
}

TEST_F(RecoveryOnRedisTest, TheClientOfANodeThatCrashedMissesNothing) {
  PrivateRedis redis;
  for (const char* id : {"one", "two"}) {
    nodes.push_back(std::make_unique<RecoveryNode>(id, ParseRedisUrl(redis.url()).value()));
  }
  for (const std::string& text : Numbers(1, 3)) nodes[0]->Push("room", text);
  ASSERT_TRUE(alice.Connect(nodes[0]->address()));
  ASSERT_TRUE(alice.HearTo(3));
  nodes[0]->Crash();
  for (const std::string& text : Numbers(4, 9)) nodes[1]->Push("room", text);
  ASSERT_TRUE(alice.Connect(nodes[1]->address()));
  ASSERT_TRUE(alice.HearTo(9));
  EXPECT_EQ(alice.texts(), Numbers(1, 9));
  EXPECT_EQ(alice.losses(), 0);
  EXPECT_EQ(alice.resumes(), 1);
  nodes.clear();
}

}  // namespace
}  // namespace wsrouter
