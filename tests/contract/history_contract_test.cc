// What rooms keep, and how it is read.
#include "tests/contract/history_contract.h"

#include <thread>

#include "base/clock.h"
#include "core/error.h"
#include "gmock/gmock.h"
#include "tests/support/eventually.h"
#include "tests/support/kept_listener.h"

namespace wsrouter {
namespace {

TEST_P(HistoryContractTest, OffsetsBeginAtOneAndAreTheOrderOfDelivery) {
  constexpr size_t kThreads = 4;
  constexpr size_t kEach = 25;
  KeptListener listener;
  Awaited<absl::Status> live;
  broker().Subscribe(listener, RoomName{"big:r"}, live.Take());
  ASSERT_TRUE(live.Wait().ok());
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      uint64_t last = 0;
      for (size_t i = 0; i < kEach; ++i) {
        const uint64_t offset = Kept("big:r", std::to_string(t * kEach + i)).offset;
        EXPECT_GT(offset, last);
        last = offset;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto taken = listener.Wait(kThreads * kEach);
  const auto page = Read("big:r", {.limit = 1000});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->entries.size(), kThreads * kEach);
  EXPECT_TRUE(page->recovered);
  EXPECT_FALSE(page->more);
  for (size_t i = 0; i < taken.size(); ++i) {
    EXPECT_EQ(taken[i].position, (Position{i + 1, page->top.epoch}));
    EXPECT_EQ(page->entries[i].offset, i + 1);
    EXPECT_EQ(page->entries[i].frame->payload(), taken[i].text);
  }
  broker().Unsubscribe(listener, RoomName{"big:r"});
}

TEST_P(HistoryContractTest, APushToARoomThatKeepsNothingIsRefusedAndNotSent) {
  KeptListener listener;
  Awaited<absl::Status> live;
  broker().Subscribe(listener, RoomName{"plain"}, live.Take());
  ASSERT_TRUE(live.Wait().ok());
  const Receipt refused = Push("plain", "lost", {.reliable = true});
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status));
  EXPECT_EQ(ReasonOf(refused.status), "HISTORY_OFF");
  EXPECT_EQ(ReasonOf(Read("plain", {.limit = 1}).status()), "HISTORY_OFF");
  EXPECT_EQ(ReasonOf(Trim("plain", {.keep = 0}).status()), "HISTORY_OFF");
  EXPECT_EQ(PushPlain("plain", "sent").kept.position.offset, 0u);
  const auto taken = listener.Wait(1);
  EXPECT_EQ(taken[0].text, "sent");
  EXPECT_EQ(taken[0].position, Position());
  broker().Unsubscribe(listener, RoomName{"plain"});
}

TEST_P(HistoryContractTest, ThePushOrTheNamespaceSaysWhatIsKept) {
  EXPECT_EQ(PushPlain("h:r", "not kept").kept.position.offset, 0u);
  EXPECT_EQ(Kept("h:r", "kept").offset, 1u);
  EXPECT_EQ(PushPlain("all:r", "kept, too").kept.position.offset, 1u);
  EXPECT_EQ(Texts(Read("h:r", {.limit = 10})), "1:kept");
  EXPECT_EQ(Texts(Read("all:r", {.limit = 10})), "1:kept, too");
}

TEST_P(HistoryContractTest, AnEntryHasAllOfItsPush) {
  Awaited<Receipt> receipt;
  const std::string octets("\0\xFF\r\n", 4);
  auto except = std::make_shared<Exceptions>();
  except->clients.insert(ClientId{"bob"});
  except->connections.insert(Connection(7));
  broker().Publish({.to = RoomName{"h:r"},
                    .action = Deliver{.frame = Frame::Make(Opcode::kBinary, octets),
                                      .slow_consumer = {},
                                      .except = except},
                    .from = {"alice"},
                    .keep = std::make_shared<const Keep>(Keep{.reliable = true})},
                   receipt.Take());
  EXPECT_TRUE(receipt.Wait().status.ok());
  const auto page = Read("h:r", {.limit = 1});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->entries.size(), 1u);
  const HistoryEntry& entry = page->entries[0];
  EXPECT_EQ(entry.frame->opcode(), Opcode::kBinary);
  EXPECT_EQ(entry.frame->payload(), octets);
  EXPECT_EQ(entry.from.value, "alice");
  EXPECT_LT(absl::AbsDuration(entry.sent_at - SystemClock().Now().wall), absl::Minutes(1));
  ASSERT_NE(entry.except, nullptr);
  EXPECT_EQ(entry.except->clients, except->clients);
  EXPECT_EQ(entry.except->connections, except->connections);
}

TEST_P(HistoryContractTest, PagesFollowEachOtherInBothDirections) {
  for (const char* text : {"a", "b", "c", "d", "e"}) Kept("h:r", text);
  const auto first = Read("h:r", {.limit = 2});
  EXPECT_EQ(Texts(first), "1:a 2:b");
  EXPECT_TRUE(first->more);
  EXPECT_EQ(first->top.offset, 5u);
  const std::string epoch = first->top.epoch;
  const auto second = Read("h:r", {.since = {2, epoch}, .limit = 2});
  EXPECT_EQ(Texts(second), "3:c 4:d");
  EXPECT_TRUE(second->more && second->recovered);
  const auto last = Read("h:r", {.since = {4, epoch}, .limit = 2});
  EXPECT_EQ(Texts(last), "5:e");
  EXPECT_FALSE(last->more);
  const auto nothing = Read("h:r", {.since = {5, epoch}, .limit = 2});
  EXPECT_EQ(Texts(nothing), "");
  EXPECT_TRUE(nothing->recovered);
  EXPECT_FALSE(nothing->more);

  const auto newest = Read("h:r", {.limit = 3, .reverse = true});
  EXPECT_EQ(Texts(newest), "5:e 4:d 3:c");
  EXPECT_TRUE(newest->more && newest->recovered);
  const auto oldest = Read("h:r", {.since = {3, epoch}, .limit = 3, .reverse = true});
  EXPECT_EQ(Texts(oldest), "2:b 1:a");
  EXPECT_FALSE(oldest->more);
  EXPECT_EQ(Texts(Read("h:r", {.since = {1, epoch}, .limit = 3, .reverse = true})), "");
  const auto position = Read("h:r", {.limit = 0});
  EXPECT_EQ(Texts(position), "");
  EXPECT_EQ(position->top, (Position{5, epoch}));
}

TEST_P(HistoryContractTest, APageIsBoundedByOctetsAndBigPayloadsCome) {
  const std::string big(900'000, 'x');
  for (int i = 0; i < 5; ++i) Kept("h:r", big);
  const auto first = Read("h:r", {.limit = 5});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->entries.size(), 2u);
  EXPECT_TRUE(first->more && first->recovered);
  EXPECT_EQ(Read("h:r", {.since = {2, ""}, .limit = 5})->entries.size(), 2u);
  Kept("h:r", std::string(3 << 20, 'y'));
  EXPECT_EQ(Read("h:r", {.since = {5, ""}, .limit = 5})->entries.size(), 1u);
}

TEST_P(HistoryContractTest, RecoveredSaysWhetherSomethingIsMissing) {
  EXPECT_TRUE(Read("h:r", {.limit = 10})->recovered);  // there was nothing
  EXPECT_FALSE(Read("h:r", {.since = {0, "other"}, .limit = 10})->recovered);
  std::string epoch;
  for (int i = 1; i <= 15; ++i) epoch = Kept("h:r", std::to_string(i)).epoch;
  const auto since = [&](uint64_t offset, const std::string& in) {
    return Read("h:r", {.since = {offset, in}, .limit = 100});
  };
  EXPECT_FALSE(since(0, epoch)->recovered);
  EXPECT_FALSE(since(4, epoch)->recovered);
  EXPECT_TRUE(since(5, epoch)->recovered);
  EXPECT_EQ(since(5, epoch)->entries.size(), 10u);
  EXPECT_TRUE(since(15, epoch)->recovered);
  EXPECT_FALSE(since(16, epoch)->recovered);
  EXPECT_FALSE(since(UINT64_MAX, epoch)->recovered);
  const auto other = since(12, "other");
  EXPECT_FALSE(other->recovered);
  EXPECT_EQ(other->entries.size(), 10u);
  EXPECT_EQ(other->entries[0].offset, 6u);
}

TEST_P(HistoryContractTest, TrimRemovesTheOldestAndOffsetsGoOn) {
  for (const char* text : {"a", "b", "c", "d", "e"}) Kept("h:r", text);
  const auto behind = Trim("h:r", {.up_to_offset = 2});
  EXPECT_EQ(behind->removed, 2u);
  EXPECT_EQ(behind->top.offset, 5u);
  EXPECT_EQ(Texts(Read("h:r", {.limit = 10})), "3:c 4:d 5:e");
  EXPECT_EQ(Trim("h:r", {.up_to_offset = 2})->removed, 0u);
  EXPECT_EQ(Trim("h:r", {.keep = 1})->removed, 2u);
  EXPECT_EQ(Texts(Read("h:r", {.limit = 10})), "5:e");
  EXPECT_EQ(Trim("h:r", {.up_to_offset = UINT64_MAX})->removed, 1u);
  const auto empty = Read("h:r", {.since = behind->top, .limit = 10});
  EXPECT_EQ(Texts(empty), "");
  EXPECT_TRUE(empty->recovered);
  EXPECT_EQ(Kept("h:r", "f"), (Position{6, behind->top.epoch}));
  EXPECT_EQ(Trim("h:nobody", {.keep = 0})->removed, 0u);
}

TEST_P(HistoryContractTest, EntriesGoWhenTheyAreTooOldAndThePositionStays) {
  const Position first = Kept("short:r", "a");
  EXPECT_TRUE(Read("short:r", {.limit = 10}).ok());
  Pass(kShort);
  EXPECT_TRUE(Eventually([&] { return Read("short:r", {.limit = 10})->entries.empty(); }));
  const auto page = Read("short:r", {.limit = 10});
  EXPECT_EQ(page->top, first);
  EXPECT_FALSE(page->recovered);
  EXPECT_TRUE(Read("short:r", {.since = first, .limit = 10})->recovered);
  EXPECT_EQ(Kept("short:r", "b"), (Position{2, first.epoch}));
}

TEST_P(HistoryContractTest, OldEntriesGoAlsoWhereNewOnesCome) {
  Kept("short:r", "old");
  Pass(kShort);
  EXPECT_TRUE(Eventually([&] {
    Kept("short:r", "new");
    const auto page = Read("short:r", {.limit = 10});
    return !page->entries.empty() && page->entries[0].offset > 1;
  }));
}

INSTANTIATE_TEST_SUITE_P(Engines, HistoryContractTest, testing::ValuesIn(EngineKinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace wsrouter
