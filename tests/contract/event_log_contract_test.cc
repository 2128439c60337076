// What is in the log, and in which order.
#include <map>

#include "base/clock.h"
#include "core/error.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/contract/event_log_contract.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const LogConsumer kOne = {.group = "audit", .name = "one", .from_start = true};

class LogEntriesContractTest : public EventLogContractTest {
 protected:
  // What is there of one kind of subject, in order: "kind connection room".
  static std::vector<std::string> Of(const std::vector<LogDelivery>& deliveries, bool rooms) {
    constexpr const char* kNames[] = {"connected", "released", "disconnected", "joined",
                                      "left",      "occupied", "vacated",      "slow",
                                      "resumed",   "message"};
    std::vector<std::string> shown;
    for (const LogDelivery& one : deliveries) {
      const LogEntry& entry = one.entry;
      const bool of_room = entry.kind == LogKind::kOccupied || entry.kind == LogKind::kVacated ||
                           entry.kind == LogKind::kMessage;
      if (of_room != rooms) continue;
      shown.push_back(fmt::format("{} {} {}", kNames[static_cast<size_t>(entry.kind)],
                                  entry.connection.counter, entry.room.value));
    }
    return shown;
  }
};

TEST_P(LogEntriesContractTest, OffItKeepsNothingAndSaysSo) {
  Start();
  Bind(1, "alice");
  const auto taken = Ask<LogTaken>([&](auto done) { log().Take(kOne, 1, std::move(done)); });
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(taken.status()), "EVENT_LOG_OFF");
}

TEST_P(LogEntriesContractTest, TheLifeOfAConnectionIsThereInOrder) {
  StartLog();
  Bind(1, "alice");
  Join("lobby", 1, "alice");
  Join("lobby", 1, "alice");  // it is a member already
  Join("den", 1, "alice");
  Leave("den", 1, "alice");
  Leave("den", 1, "alice");  // it is none any more
  log().Append(LogKind::kSlow, {"alice"}, Connection(1));
  Close(1, "alice", {{"lobby"}});
  Close(1, "alice", {{"lobby"}});
  const auto all = Take(kOne, 11);
  EXPECT_THAT(Of(all, false),
              ElementsAre("connected 1 ", "joined 1 lobby", "joined 1 den", "left 1 den", "slow 1 ",
                          "left 1 lobby", "disconnected 1 "));
  EXPECT_THAT(Of(all, true), UnorderedElementsAre("occupied 1 lobby", "vacated 1 lobby",
                                                  "occupied 1 den", "vacated 1 den"));
  EXPECT_THAT(TakeOnce(kOne, 10).deliveries, IsEmpty());
}

TEST_P(LogEntriesContractTest, AnEntrySaysWhoWhenAndWhy) {
  StartLog();
  Bind(1, "alice");
  Close(1, "alice");
  Bind(2, "alice");
  directory().Unbind(Connection(2), {"alice"}, {}, {});
  const auto all = Take(kOne, 4);
  EXPECT_THAT(Of(all, false),
              ElementsAre("connected 1 ", "disconnected 1 ", "connected 2 ", "released 2 "));
  const LogEntry& end = all[1].entry;
  EXPECT_EQ(end.client.value, "alice");
  EXPECT_EQ(end.connection, Connection(1));
  EXPECT_EQ(end.ending.cause, CloseCause::kIdle);
  EXPECT_EQ(end.ending.code, 4040);
  EXPECT_LT(absl::AbsDuration(SystemClock().Now().wall - end.at), absl::Minutes(5));
  EXPECT_NE(end.id, all[0].entry.id);
  EXPECT_EQ(all[0].deliveries, 1u);
}

TEST_P(LogEntriesContractTest, WhoIsSupersededEndsOnce) {
  StartLog();
  Bind(1, "alice");
  Bind(2, "alice", OnDuplicate::kReplace);
  Close(1, "alice");
  Close(2, "alice");
  const auto all = Take(kOne, 4);
  EXPECT_THAT(Of(all, false), UnorderedElementsAre("connected 1 ", "disconnected 1 ",
                                                   "connected 2 ", "disconnected 2 "));
  for (const LogDelivery& one : all) {
    if (one.entry.kind != LogKind::kDisconnected || one.entry.connection.counter != 1) continue;
    EXPECT_EQ(one.entry.ending.cause, CloseCause::kSuperseded);
  }
  EXPECT_EQ(Group("audit").lag, 0u);
}

TEST_P(LogEntriesContractTest, WhoComesBackEndsOneConnectionAndBeginsTheNextWithOneEntry) {
  StartLog();
  Bind(1, "alice");
  Join("lobby", 1, "alice");
  Rebind(1, 2, "alice");
  Join("lobby", 2, "alice");
  Close(1, "alice", {{"lobby"}});
  Close(2, "alice", {{"lobby"}});
  const auto all = Take(kOne, 9);
  EXPECT_THAT(Of(all, false),
              ElementsAre("connected 1 ", "joined 1 lobby", "resumed 2 ", "joined 2 lobby",
                          "left 1 lobby", "left 2 lobby", "disconnected 2 "));
  EXPECT_THAT(Of(all, true), ElementsAre("occupied 1 lobby", "vacated 2 lobby"));
  for (const LogDelivery& one : all) {
    if (one.entry.kind == LogKind::kResumed) {
      EXPECT_EQ(one.entry.previous, Connection(1));
    } else {
      EXPECT_EQ(one.entry.previous, std::nullopt);
    }
  }
}

TEST_P(LogEntriesContractTest, WhoComesBackBehindTheEndNamesNobodyWhoEnds) {
  StartLog();
  Bind(1, "alice");
  Close(1, "alice");
  Rebind(1, 2, "alice");
  Rebind(2, 3, "alice");
  const auto all = Take(kOne, 4);
  ASSERT_THAT(Of(all, false),
              ElementsAre("connected 1 ", "disconnected 1 ", "resumed 2 ", "resumed 3 "));
  EXPECT_EQ(all[2].entry.previous, std::nullopt);
  EXPECT_EQ(all[3].entry.previous, Connection(2));
}

TEST_P(LogEntriesContractTest, WhoBeginsIsThereWithItsLabels) {
  StartLog();
  const Labels phone = {{"device", "phone"}, {"plan", "a \"b\" c"}};
  Bind(1, "alice", OnDuplicate::kAllow, phone);
  Rebind(1, 2, "alice", {{"device", "tablet"}});
  Bind(3, "bob");
  std::map<uint64_t, Labels> labels;
  for (const LogDelivery& one : Take(kOne, 3)) {
    labels[one.entry.connection.counter] = one.entry.labels;
  }
  EXPECT_EQ(labels[1], phone);
  EXPECT_EQ(labels[2], (Labels{{"device", "tablet"}}));
  EXPECT_THAT(labels[3], IsEmpty());
}

TEST_P(LogEntriesContractTest, MessagesThatAreKeptAreNamedInOrderWhereTheRoomsNamespaceSaysSo) {
  Start(EngineSetup{.namespaces = *Namespaces::Parse(
                        {"orders: history_size=10 log_messages=on", "quiet: history_size=10"}, {}),
                    .log = {.on = true}});
  const auto push = [&](const std::string& room, const std::string& key, bool reliable) {
    Awaited<Receipt> receipt;
    broker().Publish(
        {.to = RoomName{room},
         .action =
             Deliver{
                 .frame = Frame::Make(Opcode::kText, "hi"), .slow_consumer = {}, .except = nullptr},
         .from = {"alice"},
         .keep = std::make_shared<const Keep>(Keep{.reliable = reliable, .idempotency_key = key})},
        receipt.Take());
    return receipt.Wait().kept.position;
  };
  push("quiet:1", "a", true);
  push("orders:1", "a", false);
  const Position first = push("orders:1", "b", true);
  push("orders:1", "b", true);  // the same again
  const Position second = push("orders:1", "c", true);
  const auto all = Take(kOne, 2);
  EXPECT_THAT(TakeOnce(kOne, 5).deliveries, IsEmpty());
  for (const LogDelivery& one : all) {
    EXPECT_EQ(one.entry.kind, LogKind::kMessage);
    EXPECT_EQ(one.entry.room.value, "orders:1");
    EXPECT_EQ(one.entry.client.value, "alice");
  }
  EXPECT_EQ(all[0].entry.position, first);
  EXPECT_EQ(all[1].entry.position, second);
  EXPECT_EQ(second.offset, 2u);
}

TEST_P(LogEntriesContractTest, ARoomIsOccupiedAndVacatedByTurns) {
  StartLog();
  for (int round = 0; round < 3; ++round) {
    Join("lobby", 1, "alice");
    Join("lobby", 2, "bob");
    Leave("lobby", 1, "alice");
    Leave("lobby", 2, "bob");
  }
  EXPECT_THAT(Of(Take(kOne, 18), true),
              ElementsAre("occupied 1 lobby", "vacated 2 lobby", "occupied 1 lobby",
                          "vacated 2 lobby", "occupied 1 lobby", "vacated 2 lobby"));
}

TEST_P(LogEntriesContractTest, AGroupBeginsNowOrAtTheStart) {
  StartLog();
  Bind(1, "alice");
  const LogConsumer now = {.group = "now", .name = "one"};
  EXPECT_THAT(TakeOnce(now, 10).deliveries, IsEmpty());
  Bind(2, "bob");
  EXPECT_THAT(Of(Take(now, 1), false), ElementsAre("connected 2 "));
  EXPECT_THAT(Take(kOne, 2), SizeIs(2));
}

TEST_P(LogEntriesContractTest, TheLogIsBoundedAndWhatWasMissedIsCounted) {
  StartLog({.partitions = 1, .entries_max = 100});
  EXPECT_EQ(TakeOnce(kOne, 1).partitions, 2u);  // and that of letters that come back
  for (uint64_t i = 0; i < 600; ++i) Bind(i + 1, fmt::format("client{}", i));
  LogTaken taken;
  size_t had = 0;
  uint64_t lost = 0;
  do {
    taken = TakeOnce(kOne, 1000);
    had += taken.deliveries.size();
    lost += taken.lost;
    Settle(kOne, taken.deliveries);
  } while (!taken.deliveries.empty());
  EXPECT_LE(had, 300u);
  EXPECT_GE(had, 100u);
  EXPECT_EQ(had + lost, 600u);
  EXPECT_EQ(Group("audit").lost, lost);
  EXPECT_EQ(Group("audit").lag, 0u);
}

INSTANTIATE_TEST_SUITE_P(Engines, LogEntriesContractTest, testing::ValuesIn(EngineKinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace wsrouter
