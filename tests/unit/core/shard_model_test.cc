// Random operations on two shards, against a model that knows who should be where and who should
// have got what. A failure names its seed.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "core/shard.h"
#include "gmock/gmock.h"
#include "tests/support/shard_fixture.h"

namespace wsrouter {
namespace {

constexpr int kSeeds = 300;
constexpr int kSteps = 120;
constexpr size_t kOutboxBytes = 120 + 6 * kFrameOverheadBytes;

struct Expected {
  FakeConnection* connection;
  std::string client;  // empty: unowned
  std::set<std::string> rooms;
  absl::Duration deadline;
  std::vector<std::string> queue;  // what the outbox must hold
  size_t queue_bytes = 0;
  size_t queued = 0;
};

class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed), node_(SmallLimits(), 2) {}

  void Run() {
    for (int step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) {
      Step();
      Compare();
    }
  }

 private:
  static Limits SmallLimits() {
    Limits limits;
    limits.slow_consumer_bytes = kOutboxBytes;
    limits.rooms_per_connection = 3;
    limits.connections_per_client = 3;
    limits.owner_capacity = 8;
    limits.room_members_capacity = 12;
    return limits;
  }

  uint32_t Below(uint32_t bound) { return random_() % bound; }
  std::string AnyClient() { return std::string(1, static_cast<char>('A' + Below(4))); }
  std::string AnyRoom() { return std::string(1, static_cast<char>('a' + Below(5))); }
  Expected* AnyLive() {
    if (live_.empty()) return nullptr;
    return &std::next(live_.begin(), Below(static_cast<uint32_t>(live_.size())))->second;
  }

  void Step() {
    const uint32_t dice = Below(20);
    if (dice < 3) return Open();
    Expected* one = AnyLive();
    if (one == nullptr) return Open();
    if (dice < 6) return OwnOne(*one);
    if (dice < 9) return JoinOne(*one);
    if (dice == 9) return LeaveOne(*one);
    if (dice == 10) return ReleaseOne(*one);
    if (dice == 11) return End(*one);
    if (dice == 12) return Time();
    if (dice == 13) return ReadOne(*one);
    Push(*one);
  }

  void Open() {
    FakeConnection& connection = node_.Open(static_cast<uint16_t>(Below(2)));
    live_[&connection] = {.connection = &connection,
                          .deadline = node_.clock.now.uptime + absl::Seconds(10)};
  }

  void OwnOne(Expected& one) {
    Own own = {.client = {AnyClient()}, .on_duplicate = static_cast<OnDuplicate>(Below(3))};
    if (Below(3) == 0) own.expires_at = node_.clock.now.wall + absl::Seconds(20);
    const Receipt receipt = node_.Do(node_.IdOf(*one.connection), own);
    std::vector<Expected*> others;
    for (auto& [key, other] : live_) {
      if (&other != &one && other.client == own.client.value) others.push_back(&other);
    }
    const bool replace = own.on_duplicate == OnDuplicate::kReplace;
    bool refused = !one.client.empty() && one.client != own.client.value;
    refused |= own.on_duplicate == OnDuplicate::kReject && !others.empty();
    if (one.client.empty()) {
      refused |= Owned() >= 8 && !(replace && !others.empty());
      refused |= others.size() >= 3 && !replace;
    }
    ASSERT_EQ(receipt.status.ok(), !refused) << receipt.status;
    if (refused) return;
    one.client = own.client.value;
    one.deadline = own.expires_at.has_value() ? node_.clock.now.uptime + absl::Seconds(20)
                                              : absl::InfiniteDuration();
    ASSERT_EQ(receipt.displaced.size(), replace ? others.size() : 0);
    if (!replace) return;
    for (Expected* other : others) Closed(*other, 4020);
  }

  void JoinOne(Expected& one) {
    const std::string room = AnyRoom();
    const Receipt receipt = node_.Join(*one.connection, room);
    ASSERT_EQ(receipt.status.ok(), !one.client.empty());
    if (one.client.empty()) return;
    const bool member = one.rooms.contains(room);
    const bool fits = member || (one.rooms.size() < 3 && Members() < 12);
    const auto result = receipt.rooms.at(0).result;
    ASSERT_EQ(result, !fits    ? RoomChange::Result::kRefused
                      : member ? RoomChange::Result::kAlreadyMember
                               : RoomChange::Result::kJoined);
    if (fits) one.rooms.insert(room);
  }

  void LeaveOne(Expected& one) {
    const std::string room = AnyRoom();
    const auto result = node_.Leave(*one.connection, room).rooms.at(0).result;
    ASSERT_EQ(result == RoomChange::Result::kLeft, one.rooms.erase(room) > 0);
  }

  void ReleaseOne(Expected& one) {
    node_.Do(node_.IdOf(*one.connection), Release{});
    if (one.client.empty()) return;
    one.client.clear();
    one.rooms.clear();
    one.deadline = node_.clock.now.uptime + absl::Seconds(10);
  }

  void End(Expected& one) {
    if (Below(2) == 0) {
      node_.Close(*one.connection);
      live_.erase(one.connection);
    } else {
      node_.Do(node_.IdOf(*one.connection), Disconnect{{4021, ""}});
      Closed(one, 4021);
    }
  }

  void Time() {
    node_.Pass(absl::Seconds(7));
    std::vector<Expected*> due;
    for (auto& [key, one] : live_) {
      if (one.deadline <= node_.clock.now.uptime) due.push_back(&one);
    }
    for (Expected* one : due) Closed(*one, one->client.empty() ? 4001 : 4002);
  }

  void ReadOne(Expected& one) {
    ASSERT_EQ(node_.Read(*one.connection), one.queue);
    one.queue.clear();
    one.queue_bytes = one.queued = 0;
  }

  void Push(Expected& one) {
    const std::string room = AnyRoom();
    const std::string client = AnyClient();
    const std::string text = std::to_string(++pushes_) + std::string(Below(30), '.');
    Deliver deliver = Text(text);
    if (Below(4) == 0) {
      deliver.except = std::make_shared<const Exceptions>(
          Exceptions{.connections = {}, .clients = {{AnyClient()}}});
    }
    if (Below(4) == 0) deliver.slow_consumer = SlowConsumerPolicy::kDisconnect;
    const uint32_t kind = Below(4);
    const Topic topics[] = {RoomName{room}, ClientId{client}, Everyone{},
                            node_.IdOf(*one.connection)};
    const Receipt receipt = node_.Do(topics[kind], deliver);
    uint64_t matched = 0;
    std::vector<Expected*> slow;
    for (auto& [key, other] : live_) {
      const bool addressed[] = {other.rooms.contains(room), other.client == client,
                                !other.client.empty(), &other == &one};
      const bool excepted =
          deliver.except != nullptr && deliver.except->clients.contains({other.client});
      if (!addressed[kind] || excepted) continue;
      ++matched;
      const size_t overhead = (other.queued + 1) * kFrameOverheadBytes;
      if (other.queue_bytes + text.size() + 2 + overhead > kOutboxBytes) {
        slow.push_back(&other);
      } else {
        other.queue.push_back(text);
        other.queue_bytes += text.size() + 2;
        ++other.queued;
      }
    }
    ASSERT_EQ(receipt.matched, matched);
    ASSERT_EQ(receipt.dropped_slow_consumer, slow.size());
    ASSERT_EQ(receipt.queued + receipt.dropped_slow_consumer, matched);
    matched_ += matched;
    if (!deliver.slow_consumer.has_value()) return;
    for (Expected* other : slow) Closed(*other, 1013);
  }

  void Closed(Expected& one, uint16_t code) {
    ASSERT_TRUE(one.connection->closed.has_value());
    ASSERT_EQ(one.connection->closed->code, code);
    live_.erase(one.connection);
  }

  uint64_t Owned() const {
    return static_cast<uint64_t>(std::ranges::count_if(
        live_, [](const auto& entry) { return !entry.second.client.empty(); }));
  }
  uint64_t Members() const {
    uint64_t members = 0;
    for (const auto& [key, one] : live_) members += one.rooms.size();
    return members;
  }

  // What the node holds and what its directory says are what the model expects.
  void Compare() {
    using Rows = std::map<std::string, std::set<ConnectionId>>;
    Rows clients;
    std::map<std::string, Rows> rooms;
    uint64_t outbox_bytes = 0;
    for (const FakeConnection& connection : node_.connections()) {
      ASSERT_EQ(connection.closing, !live_.contains(&connection));
      outbox_bytes += connection.outbox.bytes();
    }
    for (const auto& [key, one] : live_) {
      const ConnectionId id = node_.IdOf(*one.connection);
      ASSERT_EQ(one.connection->outbox.bytes(), one.queue_bytes);
      if (!one.client.empty()) clients[one.client].insert(id);
      for (const std::string& room : one.rooms) rooms[room][one.client].insert(id);
    }
    for (const char* client : {"A", "B", "C", "D"}) {
      ASSERT_THAT(node_.ConnectionsOf(client), testing::UnorderedElementsAreArray(clients[client]));
    }
    uint64_t shard_rooms = 0;
    for (const char* room : {"a", "b", "c", "d", "e"}) {
      Rows rows;
      std::set<uint16_t> shards;
      for (const MemberRow& row : node_.MembersOf(room)) {
        for (const ConnectionId& id : row.connections) {
          ASSERT_TRUE(rows[row.client.value].insert(id).second);
          shards.insert(id.shard);
        }
      }
      ASSERT_EQ(rows, rooms[room]);
      shard_rooms += shards.size();
    }
    const Stats::Now gauges = node_.Gauges();
    ASSERT_EQ(gauges.connections, live_.size());
    ASSERT_EQ(gauges.owned, Owned());
    ASSERT_EQ(gauges.members, Members());
    ASSERT_EQ(gauges.rooms, shard_rooms);
    ASSERT_EQ(gauges.outbox_bytes, outbox_bytes);
    ASSERT_EQ(node_.Total(Counter::kPushes) + node_.Total(Counter::kPushesDroppedSlowConsumer),
              matched_);
  }

  std::mt19937 random_;
  ShardFixture node_;
  std::map<const FakeConnection*, Expected> live_;
  int pushes_ = 0;
  uint64_t matched_ = 0;
};

TEST(ShardModelTest, ShardsAndDirectoryAgreeWithTheModelWhateverHappens) {
  for (uint32_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Model(seed).Run();
  }
}

}  // namespace
}  // namespace wsrouter
