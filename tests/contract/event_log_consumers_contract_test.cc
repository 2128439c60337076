// Who gets what is in the log.
#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/contract/event_log_contract.h"

namespace wsrouter {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr absl::Duration kSoon = absl::Milliseconds(50);

LogConsumer Named(std::string name, absl::Duration visibility = absl::Seconds(60)) {
  return {.group = "audit", .name = std::move(name), .visibility = visibility, .from_start = true};
}

class LogConsumersContractTest : public EventLogContractTest {
 protected:
  void BindMany(uint64_t count) {
    for (uint64_t i = 1; i <= count; ++i) Bind(i, fmt::format("client{}", i));
  }
};

TEST_P(LogConsumersContractTest, WhatIsNotSettledComesAgainAndThenIsADeadLetter) {
  StartLog({.deliveries_max = 3});
  Bind(1, "alice");
  const LogConsumer one = Named("one", kSoon);
  std::string id;
  for (uint64_t count = 1; count <= 3; ++count) {
    const auto had = Take(one, 1);
    ASSERT_THAT(had, SizeIs(1));
    EXPECT_EQ(had[0].deliveries, count);
    if (count > 1) {
      EXPECT_EQ(had[0].entry.id, id);
    }
    id = had[0].entry.id;
  }
  uint64_t dead = 0;
  EXPECT_TRUE(Eventually([&] {
    const LogTaken taken = TakeOnce(one, 5);
    EXPECT_THAT(taken.deliveries, IsEmpty());
    dead += taken.dead;
    return dead > 0;
  }));
  const auto letters = Dead("audit");
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].entry.id, id);
  EXPECT_EQ(letters[0].entry.client.value, "alice");
  EXPECT_EQ(letters[0].deliveries, 3u);
  EXPECT_EQ(Group("audit").dead, 1u);
  EXPECT_EQ(Group("audit").pending, 0u);
}

TEST_P(LogConsumersContractTest, DeadLettersAreListedHandedOutAgainAndDropped) {
  StartLog({.deliveries_max = 1});
  BindMany(5);
  const LogConsumer one = Named("one", kSoon);
  Take(one, 5);
  EXPECT_TRUE(Eventually([&] { return (TakeOnce(one, 1), Group("audit").dead) == 5; }));
  const auto letters = Dead("audit");
  ASSERT_THAT(letters, SizeIs(5));
  const auto move = [&](size_t from, size_t to, bool again) {
    std::vector<std::string> ids = {"no id", "77-7"};
    for (size_t i = from; i < to; ++i) ids.push_back(letters[i].id);
    return Ask<uint64_t>(
        [&](auto done) { log().TakeDeadLetters("audit", ids, again, std::move(done)); });
  };
  EXPECT_EQ(*move(0, 2, true), 2u);
  EXPECT_EQ(*move(0, 4, false), 2u);
  EXPECT_THAT(Dead("audit"), SizeIs(1));
  EXPECT_EQ(Group("audit").lag, 2u);
  const auto again = Take(one, 2);
  ASSERT_THAT(again, SizeIs(2));
  EXPECT_EQ(again[0].entry.id, letters[0].entry.id);
  EXPECT_EQ(again[0].entry.client, letters[0].entry.client);
  EXPECT_EQ(again[0].deliveries, 1u);
  EXPECT_EQ(Settle(one, again), 2u);
  EXPECT_EQ(Settle(one, again), 0u);
  EXPECT_EQ(Group("audit").lag, 0u);
}

TEST_P(LogConsumersContractTest, WhatIsGivenBackComesAgainAfterItsTime) {
  StartLog();
  Bind(1, "alice");
  const LogConsumer one = Named("one");
  const auto had = Take(one, 1);
  EXPECT_EQ(Settle(one, had, absl::Seconds(50)), 1u);
  EXPECT_THAT(TakeOnce(one, 1).deliveries, IsEmpty());
  EXPECT_EQ(Settle(Named("two"), had, absl::ZeroDuration()), 0u);  // it is not its own
  EXPECT_EQ(Settle(one, had, absl::ZeroDuration()), 1u);
  const auto again = Take(one, 1);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].deliveries, 2u);
}

TEST_P(LogConsumersContractTest, WhoLeavesLeavesAllToTheOthersInOrder) {
  StartLog({.partitions = 1});
  BindMany(10);
  const LogConsumer one = Named("one");
  const LogConsumer two = Named("two");
  EXPECT_THAT(Take(one, 10), SizeIs(10));
  Bind(11, "client11");
  EXPECT_THAT(TakeOnce(two, 20).deliveries, IsEmpty());
  log().Leave(one);
  const auto all = Take(two, 11);
  ASSERT_THAT(all, SizeIs(11));
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].entry.connection.counter, i + 1);
    EXPECT_EQ(all[i].deliveries, i < 10 ? 2u : 1u);
  }
}

TEST_P(LogConsumersContractTest, WhoIsSilentForTooLongLosesItAll) {
  StartLog({.stay = absl::Milliseconds(100)});
  BindMany(10);
  EXPECT_THAT(Take(Named("one"), 10), SizeIs(10));
  EXPECT_THAT(Take(Named("two"), 10), SizeIs(10));
}

TEST_P(LogConsumersContractTest, ConsumersShareThePartitionsAndGiveBackWhatIsSettledOnly) {
  StartLog({.partitions = 7});
  BindMany(40);
  const LogConsumer one = Named("one");
  const LogConsumer two = Named("two");
  const auto had = Take(one, 40);
  EXPECT_EQ(TakeOnce(two, 1).partitions, 0u);
  EXPECT_GT(TakeOnce(one, 1).partitions, 4u) << "entries of these partitions are under way";
  Settle(one, had);
  EXPECT_TRUE(Eventually(
      [&] { return TakeOnce(one, 1).partitions == 4 && TakeOnce(two, 1).partitions == 4; }));
  EXPECT_EQ(Group("audit").consumers, 2u);
}

TEST_P(LogConsumersContractTest, ThereAreOnlySoManyGroupsAndOneThatIsDeletedBeginsAnew) {
  StartLog({.partitions = 1});
  for (size_t i = 0; i < EventLog::kGroupsMax; ++i) {
    TakeOnce({.group = fmt::format("group{}", i), .name = "one"}, 1);
  }
  const LogConsumer more = {.group = "more", .name = "one", .from_start = true};
  const auto take = [&] {
    return Ask<LogTaken>([&](auto done) { log().Take(more, 5, std::move(done)); });
  };
  EXPECT_EQ(ReasonOf(take().status()), "TOO_MANY_GROUPS");
  const auto remove = [&] {
    return *Ask<bool>([&](auto done) { log().DeleteGroup("group7", std::move(done)); });
  };
  EXPECT_TRUE(remove());
  EXPECT_FALSE(remove());
  Bind(1, "alice");
  EXPECT_THAT(take()->deliveries, SizeIs(1));
}

// Consumers come and go at random, with entries in their hands; two of ten entries always fail.
TEST_P(LogConsumersContractTest, EveryEntryIsHandledAtLeastOnceAndThePoisonedEndAsDeadLetters) {
  StartLog({.deliveries_max = 4});
  constexpr uint64_t kEntries = 300;
  BindMany(kEntries);
  std::set<uint64_t> handled;
  std::map<uint64_t, uint64_t> failures;
  std::vector<LogConsumer> consumers = {Named("0", kSoon), Named("1", kSoon), Named("2", kSoon)};
  uint64_t turn = 0;
  EXPECT_TRUE(Eventually([&] {
    LogConsumer& consumer = consumers[++turn % consumers.size()];
    for (const LogDelivery& one : TakeOnce(consumer, 7).deliveries) {
      const uint64_t counter = one.entry.connection.counter;
      EXPECT_LE(one.deliveries, 4u);
      if (counter % 5 == 0) {
        ++failures[counter];
      } else if ((turn * 31 + counter) % 11 != 0 || one.deliveries == 4) {
        handled.insert(counter);
        Settle(consumer, {one});
      }
    }
    if (turn % 7 == 0) {  // killed; another takes its place
      log().Leave(consumer);
      consumer = Named(fmt::format("{}", turn), kSoon);
    }
    const LogGroup group = Group("audit");
    return group.lag == 0 && group.pending == 0;
  }));
  std::set<uint64_t> dead;
  for (const DeadLetter& letter : Dead("audit")) dead.insert(letter.entry.connection.counter);
  EXPECT_EQ(dead.size(), kEntries / 5);
  EXPECT_TRUE(std::ranges::all_of(dead, [](uint64_t counter) { return counter % 5 == 0; }));
  EXPECT_EQ(handled.size() + dead.size(), kEntries);
  for (const auto& [counter, count] : failures) EXPECT_EQ(count, 4u) << counter;
}

INSTANTIATE_TEST_SUITE_P(Engines, LogConsumersContractTest, testing::ValuesIn(EngineKinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace wsrouter
