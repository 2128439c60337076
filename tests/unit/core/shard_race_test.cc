// Random operations that overlap: none waits for another's answer. What each of them answers is
// free; what must hold is that shards and directory agree once everything has settled.
#include <random>
#include <string>

#include "core/error.h"
#include "core/shard.h"
#include "gmock/gmock.h"
#include "tests/support/shard_fixture.h"

namespace wsrouter {
namespace {

constexpr int kSeeds = 300;
constexpr int kRounds = 12;

class Race {
 public:
  explicit Race(uint32_t seed) : random_(seed), node_({}, 2) {}

  void Run() {
    for (int round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) {
      node_.broker.keeps_back = Below(2) == 0;
      node_.broker.refuses = Below(5) == 0;
      for (uint32_t i = Below(8); i > 0; --i) Step();
      node_.broker.LetThrough();
      node_.broker.refuses = node_.broker.keeps_back = false;
      node_.Settle();
      Explain();
      Compare();
    }
  }

 private:
  uint32_t Below(uint32_t bound) { return random_() % bound; }
  ClientId AnyClient() { return {std::string(1, static_cast<char>('A' + Below(2)))}; }
  RoomName AnyRoom() { return {std::string(1, static_cast<char>('a' + Below(2)))}; }

  void Step() {
    std::vector<FakeConnection*> live;
    for (FakeConnection& connection : node_.connections()) {
      if (!connection.closing) live.push_back(&connection);
    }
    if (live.size() < 3) {
      node_.Open(static_cast<uint16_t>(Below(2)));
      return;
    }
    FakeConnection& one = *live[Below(static_cast<uint32_t>(live.size()))];
    const Topic to = node_.IdOf(one);
    switch (Below(9)) {
      case 0:
      case 1:
        Publish(to, Own{.client = AnyClient(),
                        .on_duplicate = static_cast<OnDuplicate>(Below(3)),
                        .rooms = {AnyRoom()}});
        break;
      case 2:
        Publish(to, Join{.rooms = {AnyRoom(), AnyRoom()}});
        break;
      case 3:
        Publish(AnyClient(), Join{.rooms = {AnyRoom()}});
        break;
      case 4:
        Publish(to, Leave{.rooms = {AnyRoom()}});
        break;
      case 5:
        Publish(to, Release{});
        break;
      case 6:
        node_.TakeMail(static_cast<uint16_t>(Below(2)));
        break;
      case 7:
        node_.Close(one);
        break;
      case 8:
        node_.RunTasks(static_cast<uint16_t>(Below(2)));
        break;
    }
  }

  // Whatever the race, what is refused is refused for a reason that a caller can act on.
  void Explain() {
    for (const AnswerPtr& answer : answers_) {
      ASSERT_EQ(answer->times, 1);
      Explain(answer->receipt.status);
      for (const RoomChange& change : answer->receipt.rooms) Explain(change.refusal);
    }
    answers_.clear();
  }
  static void Explain(const absl::Status& status) {
    const bool refused_by_broker = absl::IsUnavailable(status);
    ASSERT_TRUE(status.ok() || refused_by_broker || !ReasonOf(status).empty()) << status;
  }
  void Publish(const Topic& to, Action action) {
    answers_.push_back(node_.Publish(to, std::move(action)));
  }

  void Compare() {
    uint64_t owned = 0;
    uint64_t members = 0;
    for (const FakeConnection& connection : node_.connections()) {
      ASSERT_TRUE(connection.joins_pending.empty());
      if (connection.closing) continue;
      ASSERT_FALSE(connection.own_pending);
      members += connection.rooms.size();
      if (connection.client == nullptr) {
        ASSERT_TRUE(connection.rooms.empty());
        continue;
      }
      ++owned;
      const ConnectionId id = node_.IdOf(connection);
      const std::string& client = connection.client->id.value;
      ASSERT_THAT(node_.ConnectionsOf(client), testing::Contains(id));
      ASSERT_EQ(node_.Do(id, Text("x")).queued, 1u);
      for (const RoomName& room : RoomsOf(connection)) {
        ASSERT_THAT(node_.MembersOf(room.value),
                    testing::Contains(testing::AllOf(
                        testing::Field(&MemberRow::client, ClientId{client}),
                        testing::Field(&MemberRow::connections, testing::Contains(id)))));
      }
    }
    ASSERT_EQ(node_.OnlineNow().connections, owned);
    ASSERT_EQ(node_.SizeOf("a").connections + node_.SizeOf("b").connections, members);
    for (const char* room : {"a", "b"}) {
      ASSERT_EQ(node_.Push(room, "x").matched, node_.SizeOf(room).connections);
    }
    for (const char* client : {"A", "B"}) {
      ASSERT_EQ(node_.Do(ClientId{client}, Text("x")).matched, node_.ConnectionsOf(client).size());
    }
  }

  std::mt19937 random_;
  ShardFixture node_;
  std::vector<AnswerPtr> answers_;
};

TEST(ShardRaceTest, ShardsAndDirectoryAgreeAfterOverlappingOperations) {
  for (uint32_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Race(seed).Run();
  }
}

}  // namespace
}  // namespace wsrouter
