#include <algorithm>
#include <string>
#include <vector>

#include "core/event.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/shard_fixture.h"

namespace wsrouter {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST(ReassertTest, TellsOfEveryOwnedConnectionWithItsRoomsAndPolicy) {
  ShardFixture node({}, 2);
  FakeConnection& alice = node.Open(0);
  node.Do(node.IdOf(alice), Own{.client = {"alice"},
                                .on_duplicate = OnDuplicate::kReplace,
                                .rooms = {{"lobby"}, {"kitchen"}}});
  FakeConnection& bob = node.Online("bob", {}, 1);
  node.Open(1);  // nobody's: the directory never knew it
  const Receipt receipt = node.Do(ThisNode{}, Reassert{});
  EXPECT_TRUE(receipt.status.ok());
  EXPECT_EQ(receipt.matched, 2u);
  ASSERT_THAT(node.directory.asserted, SizeIs(2));
  EXPECT_EQ(node.directory.asserted[0].connection, node.IdOf(alice));
  EXPECT_EQ(node.directory.asserted[0].client.value, "alice");
  EXPECT_EQ(node.directory.asserted[0].on_duplicate, OnDuplicate::kReplace);
  EXPECT_THAT(node.directory.asserted[0].rooms,
              UnorderedElementsAre(RoomName{"lobby"}, RoomName{"kitchen"}));
  EXPECT_EQ(node.directory.asserted[1].connection, node.IdOf(bob));
  EXPECT_THAT(node.directory.asserted[1].rooms, IsEmpty());
}

TEST(ReassertTest, ThousandsAreToldOnceEach) {
  ShardFixture node;
  for (int i = 0; i < 1000; ++i) node.Online("c" + std::to_string(i));
  EXPECT_EQ(node.Do(ThisNode{}, Reassert{}).matched, 1000u);
  std::vector<uint64_t> counters;
  for (const auto& row : node.directory.asserted) counters.push_back(row.connection.counter);
  ASSERT_THAT(counters, SizeIs(1000));
  EXPECT_TRUE(std::ranges::is_sorted(counters));
  EXPECT_EQ(std::ranges::adjacent_find(counters), counters.end());
}

TEST(ReassertTest, WhoWasTakenOverMeanwhileIsClosed4020) {
  ShardFixture node;
  FakeConnection& alice = node.Online("alice", {"lobby"});
  FakeConnection& bob = node.Online("bob");
  node.directory.yields = {node.IdOf(alice)};
  node.Do(ThisNode{}, Reassert{});
  ASSERT_TRUE(alice.closed.has_value());
  EXPECT_EQ(alice.closed->code, 4020);
  EXPECT_FALSE(bob.closed.has_value());
  const auto ended = node.events.Of<event::Disconnected>();
  ASSERT_THAT(ended, SizeIs(1));
}

TEST(ReassertTest, AnswerWaitsForTheDirectoryAndSaysWhatItSaid) {
  ShardFixture node;
  node.Online("alice");
  node.directory.keeps_back = true;
  const AnswerPtr answer = node.Publish(ThisNode{}, Reassert{});
  node.Settle();
  EXPECT_EQ(answer->times, 0);
  node.directory.LetThrough(absl::UnavailableError("gone again"));
  node.Settle();
  EXPECT_EQ(answer->times, 1);
  EXPECT_EQ(answer->receipt.status.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace wsrouter
