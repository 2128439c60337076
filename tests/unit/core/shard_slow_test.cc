// Policies of full outboxes, and who is told what was lost.
#include <string>

#include "core/namespaces.h"
#include "core/shard.h"
#include "gmock/gmock.h"
#include "tests/support/shard_fixture.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kFrame = 200;  // octets on the wire

std::string Numbered(int number) {
  const std::string text = std::to_string(number);
  return text + std::string(kFrame - 4 - text.size(), '.');
}

std::string NumberOf(const std::string& text) { return text.substr(0, text.find('.')); }

Deliver With(SlowConsumerPolicy policy, std::string_view payload, std::string key = "") {
  Deliver deliver = Text(payload);
  deliver.slow_consumer = policy;
  deliver.conflation_key = std::move(key);
  return deliver;
}

class ShardSlowTest : public testing::Test {
 protected:
  static Limits Four() {
    Limits limits;
    limits.slow_consumer_bytes = 4 * (kFrame + kFrameOverheadBytes);
    return limits;
  }
  // With whom nothing waits.
  FakeConnection& Speaking(const std::vector<std::string>& rooms) {
    FakeConnection& connection = node.Open(0, "wsrouter.v1.json");
    node.Own(connection, "speaking", rooms);
    node.Read(connection);
    return connection;
  }
  void Push(SlowConsumerPolicy policy, int from, int to, const std::string& room = "lobby") {
    for (int i = from; i <= to; ++i) node.Do(RoomName{room}, With(policy, Numbered(i)));
  }
  std::vector<std::string> Numbers(FakeConnection& connection) {
    std::vector<std::string> numbers;
    for (const std::string& text : node.Read(connection)) numbers.push_back(NumberOf(text));
    return numbers;
  }

  ShardFixture node{Four()};
};

TEST_F(ShardSlowTest, DropOldGetsTheNewest) {
  FakeConnection& slow = node.Online("slow", {"lobby"});
  Push(SlowConsumerPolicy::kDropOld, 1, 7);
  EXPECT_THAT(Numbers(slow), ElementsAre("4", "5", "6", "7"));
  EXPECT_EQ(node.Total(Counter::kPushes), 7u);
  EXPECT_EQ(node.Total(Counter::kPushesDroppedOld), 3u);
  EXPECT_EQ(node.Total(Counter::kPushesDroppedSlowConsumer), 0u);
  const auto told = node.events.Of<event::Slow>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].cause, SlowCause::kRecovered);
  EXPECT_EQ(told[1].frames_lost, 3u);
}

TEST_F(ShardSlowTest, DropOldSparesWhatItsSenderWouldRatherCutOffFor) {
  FakeConnection& slow = node.Online("slow", {"lobby"});
  Push(SlowConsumerPolicy::kDisconnect, 1, 3);
  Push(SlowConsumerPolicy::kDropOld, 4, 6);
  EXPECT_THAT(Numbers(slow), ElementsAre("1", "2", "3", "6"));
  Push(SlowConsumerPolicy::kDisconnect, 1, 4);
  EXPECT_EQ(node.Do(RoomName{"lobby"}, With(SlowConsumerPolicy::kDropOld, Numbered(5)))
                .dropped_slow_consumer,
            1u);
  EXPECT_THAT(Numbers(slow), ElementsAre("1", "2", "3", "4"));
}

TEST_F(ShardSlowTest, DropOldDropsNothingForWhatNeverFits) {
  FakeConnection& slow = node.Online("slow", {"lobby"});
  Push(SlowConsumerPolicy::kDropOld, 1, 4);
  const std::string large(4 * (kFrame + kFrameOverheadBytes), 'x');
  const Receipt receipt = node.Do(RoomName{"lobby"}, With(SlowConsumerPolicy::kDropOld, large));
  EXPECT_EQ(receipt.dropped_slow_consumer, 1u);
  EXPECT_EQ(Numbers(slow).size(), 4u);
}

TEST_F(ShardSlowTest, ConflateKeepsTheLastOfEachKeyAndRoom) {
  FakeConnection& slow = node.Online("slow", {"lobby", "hall"});
  const auto push = [&](const std::string& room, std::string_view payload, const char* key) {
    return node.Do(RoomName{room}, With(SlowConsumerPolicy::kConflate, payload, key));
  };
  push("lobby", "a1", "a");
  push("hall", "ha1", "a");
  push("lobby", "b1", "b");
  EXPECT_EQ(push("lobby", "a2", "a").queued, 1u);
  push("lobby", "x", "");
  push("lobby", "a3", "a");
  EXPECT_THAT(node.Read(slow), ElementsAre("a3", "ha1", "b1", "x"));
  EXPECT_EQ(node.Total(Counter::kPushesConflated), 2u);
  EXPECT_THAT(node.events.Of<event::Slow>(), IsEmpty());
  push("lobby", "a4", "a");
  EXPECT_THAT(node.Read(slow), ElementsAre("a4"));
}

TEST_F(ShardSlowTest, TheNamespaceOfTheRoomHasItsPolicy) {
  Limits limits = Four();
  limits.namespaces = std::make_shared<const Namespaces>(
      *Namespaces::Parse({"price: slow_consumer=drop_old", "order: slow_consumer=disconnect"}, {}));
  ShardFixture other(limits);
  FakeConnection& slow = other.Online("slow", {"price:1", "order:1", "chat"});
  for (int i = 1; i <= 5; ++i) other.Push("price:1", Numbered(i));
  EXPECT_EQ(NumberOf(other.Read(slow)[0]), "2");
  for (int i = 1; i <= 5; ++i) other.Push("chat", Numbered(i));
  EXPECT_FALSE(slow.closed.has_value());
  other.Push("order:1", Numbered(1));
  EXPECT_TRUE(slow.closed.has_value());
}

TEST_F(ShardSlowTest, AGapStandsWhereFramesWereLostOnce) {
  FakeConnection& slow = Speaking({"lobby"});
  int number = 0;
  while (node.Push("lobby", Numbered(++number)).dropped_slow_consumer == 0) {
  }
  node.Push("lobby", Numbered(++number));
  // Room for one frame, and a gap.
  node.shard(0).OnSent(slow, 2 * slow.outbox.frames()[0]->wire().size());
  node.Push("lobby", "after");
  const std::vector<std::string> texts = node.Read(slow);
  ASSERT_GE(texts.size(), 2u);
  EXPECT_EQ(texts[texts.size() - 2], R"({"gap":{"room":"lobby","count":2}})");
  EXPECT_EQ(texts.back(), R"({"msg":{"room":"lobby","text":"after"}})");
  EXPECT_EQ(node.Total(Counter::kGapsTold), 1u);
  node.Push("lobby", "more");
  EXPECT_EQ(node.Read(slow).size(), 1u);
}

TEST_F(ShardSlowTest, AGapIsToldAsSoonAsNothingElseWaits) {
  FakeConnection& slow = Speaking({"lobby", "hall"});
  while (node.Push("lobby", Numbered(1)).dropped_slow_consumer == 0) {
  }
  node.Push("hall", Numbered(1));
  node.Read(slow);
  EXPECT_THAT(node.Read(slow), ElementsAre(R"({"gap":{"count":2}})"));
  EXPECT_THAT(node.Read(slow), IsEmpty());
}

TEST_F(ShardSlowTest, WhatDropOldDroppedIsToldBeforeWhatIsLeft) {
  FakeConnection& slow = Speaking({"lobby"});
  Push(SlowConsumerPolicy::kDropOld, 1, 3);
  node.shard(0).OnSent(slow, 3);  // the first is begun
  Push(SlowConsumerPolicy::kDropOld, 4, 20);
  const std::vector<std::string> texts = node.Read(slow);
  const uint64_t lost = node.Total(Counter::kPushesDroppedOld);
  ASSERT_GE(texts.size(), 3u);
  EXPECT_THAT(texts[0], testing::HasSubstr("\"1."));
  EXPECT_EQ(texts[1], R"({"gap":{"room":"lobby","count":)" + std::to_string(lost) + "}}");
  EXPECT_EQ(texts.size() - 1 + lost, 20u);
  EXPECT_THAT(texts.back(), testing::HasSubstr("\"20."));
  EXPECT_EQ(node.Total(Counter::kGapsTold), 1u);
  EXPECT_THAT(node.Read(slow), IsEmpty());
}

TEST_F(ShardSlowTest, EndsByAgeAndByBudgetAreCountedAndTold) {
  FakeConnection& old = node.Online("old");
  FakeConnection& large = node.Online("large");
  node.shard(0).EndSlow(old, SlowCause::kAge);
  node.shard(0).EndSlow(large, SlowCause::kBudget);
  EXPECT_EQ(node.Total(Counter::kClosedSlowConsumer), 2u);
  EXPECT_EQ(node.Total(Counter::kClosedSlowAge), 1u);
  EXPECT_EQ(node.Total(Counter::kClosedSlowBudget), 1u);
  const auto told = node.events.Of<event::Slow>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].cause, SlowCause::kAge);
  EXPECT_EQ(told[1].cause, SlowCause::kBudget);
  EXPECT_EQ(old.closed->code, 1013);
}

}  // namespace
}  // namespace wsrouter
