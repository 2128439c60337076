#include "engine/memory_history.h"

#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/support/fakes.h"

namespace wsrouter {
namespace {

constexpr size_t kMemory = 20'000;

class MemoryHistoryTest : public testing::Test {
 protected:
  Position Append(const std::string& room, size_t octets, Keep keep = {.reliable = true}) {
    const Keeping keeping = {.room = {room}, .options = options_, .keep = std::move(keep)};
    return history_
        .Append(keeping,
                {.to = RoomName{room},
                 .action = Deliver{.frame = Frame::Make(Opcode::kText, std::string(octets, 'x')),
                                   .slow_consumer = {},
                                   .except = nullptr}})
        .position;
  }
  HistoryPage Read(const std::string& room, const Position& since = {}) {
    HistoryPage read;
    history_.Read({room}, {.since = since, .limit = 1000},
                  [&](absl::StatusOr<HistoryPage> page) { read = std::move(page).value(); });
    return read;
  }
  uint64_t evictions() const { return counters_.Get(Counter::kHistoryEvictions); }

  const HistoryOptions options_ = {.size = 1000, .ttl = absl::Minutes(5)};
  ManualClock clock_;
  Counters counters_;
  MemoryHistory history_{Namespaces({.history = options_}),
                         {.position_ttl = absl::Hours(1), .memory_bytes_max = kMemory},
                         counters_,
                         clock_};
};

TEST_F(MemoryHistoryTest, TheRoomThatWasPushedToLongestAgoGoesFirst) {
  const Position a = Append("a", 6000);
  const Position b = Append("b", 6000);
  Append("a", 1);
  EXPECT_EQ(evictions(), 0u);
  Append("c", 9000);
  EXPECT_EQ(evictions(), 1u);
  EXPECT_LE(history_.octets(), kMemory);
  EXPECT_TRUE(Read("a", {0, a.epoch}).recovered);
  EXPECT_FALSE(Read("b", b).recovered);
  const Position again = Append("b", 1);
  EXPECT_EQ(again.offset, 1u);
  EXPECT_NE(again.epoch, b.epoch);
}

TEST_F(MemoryHistoryTest, ARoomThatIsTooBigLosesItsOldest) {
  Position first = Append("a", 9000);
  Append("a", 9000);
  Append("a", 9000);
  EXPECT_GT(evictions(), 0u);
  EXPECT_LE(history_.octets(), kMemory);
  const HistoryPage page = Read("a", first);
  EXPECT_EQ(page.top, (Position{3, first.epoch}));
  EXPECT_LT(page.entries.size(), 3u);
  EXPECT_FALSE(Read("a", {0, first.epoch}).recovered);
  // What is larger than all is kept by itself.
  EXPECT_EQ(Append("a", 2 * kMemory).offset, 4u);
  EXPECT_EQ(Read("a").entries.size(), 1u);
}

TEST_F(MemoryHistoryTest, RoomsAndKeysWeighThoughTheyKeepNothing) {
  for (int i = 0; i < 1000; ++i) {
    Append(fmt::format("room {}", i), 0, {.idempotency_key = std::string(200, 'k')});
    ASSERT_LE(history_.octets(), kMemory);
  }
  EXPECT_GT(evictions(), 900u);
  for (int i = 0; i < 1000; ++i) {
    Append("one room", 0, {.idempotency_key = fmt::format("{:0200}", i)});
    ASSERT_LE(history_.octets(), kMemory);
  }
}

TEST_F(MemoryHistoryTest, APositionGoesWhenNobodyPushesForLong) {
  const Position a = Append("a", 1);
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(Append("a", 1), (Position{2, a.epoch}));
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Read("a").top, Position());
  EXPECT_EQ(history_.octets(), 0u);
  const Position later = Append("a", 1);
  EXPECT_EQ(later.offset, 1u);
  EXPECT_NE(later.epoch, a.epoch);
}

}  // namespace
}  // namespace wsrouter
