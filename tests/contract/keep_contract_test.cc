// Pushes that are not sent twice, or not when they are late.
#include "core/error.h"
#include "gmock/gmock.h"
#include "tests/contract/history_contract.h"
#include "tests/support/eventually.h"
#include "tests/support/kept_listener.h"

namespace wsrouter {
namespace {

using Fate = Kept::Fate;

class KeepContractTest : public HistoryContractTest {
 protected:
  void SetUp() override { Start({.namespaces = Spaces().namespaces}); }
};

TEST_P(KeepContractTest, ASecondPushWithTheKeyAnswersTheFirstAndSendsNothing) {
  KeptListener listener;
  Awaited<absl::Status> live;
  broker().Subscribe(listener, RoomName{"h:r"}, live.Take());
  ASSERT_TRUE(live.Wait().ok());
  const Keep keep = {.reliable = true, .idempotency_key = "k"};
  const Receipt first = Push("h:r", "a", keep);
  Kept("h:r", "b");
  const Receipt second = Push("h:r", "c", keep);
  ASSERT_TRUE(second.status.ok()) << second.status;
  EXPECT_EQ(first.kept.fate, Fate::kSent);
  EXPECT_EQ(second.kept.fate, Fate::kDuplicate);
  EXPECT_EQ(second.kept.position, first.kept.position);
  EXPECT_EQ(second.matched, 0u);
  EXPECT_EQ(Push("h:other", "d", keep).kept.fate, Fate::kSent);
  Kept("h:r", "e");
  EXPECT_EQ(Texts(Read("h:r", {.limit = 10})), "1:a 2:b 3:e");
  EXPECT_EQ(listener.Wait(3)[2].text, "e");
  broker().Unsubscribe(listener, RoomName{"h:r"});
}

TEST_P(KeepContractTest, TheKeyIsForgottenBehindTheWindow) {
  Start(Spaces());
  const Keep keep = {.idempotency_key = "k"};
  EXPECT_EQ(Push("plain", "a", keep).kept.fate, Fate::kSent);
  Pass(kShort);
  EXPECT_TRUE(Eventually([&] { return Push("plain", "b", keep).kept.fate == Fate::kSent; }));
}

TEST_P(KeepContractTest, AVersionThatIsNotNewerIsNotSent) {
  const auto push = [&](const std::string& room, uint64_t version, const std::string& epoch = "") {
    return Push(room, std::to_string(version),
                {.reliable = room != "plain", .version = version, .version_epoch = epoch});
  };
  for (const std::string room : {"h:r", "plain"}) {
    EXPECT_EQ(push(room, 5).kept.fate, Fate::kSent);
    EXPECT_EQ(push(room, 5).kept.fate, Fate::kStale);
    EXPECT_EQ(push(room, 4).kept.fate, Fate::kStale);
    EXPECT_EQ(push(room, 10).kept.fate, Fate::kSent);
    EXPECT_EQ(push(room, 1, "new").kept.fate, Fate::kSent);
    EXPECT_EQ(push(room, 1, "new").kept.fate, Fate::kStale);
    // Beyond what a double can tell apart.
    EXPECT_EQ(push(room, UINT64_MAX - 1, "new").kept.fate, Fate::kSent);
    EXPECT_EQ(push(room, UINT64_MAX - 1, "new").kept.fate, Fate::kStale);
    EXPECT_EQ(push(room, UINT64_MAX, "new").kept.fate, Fate::kSent);
  }
  const Receipt stale = push("h:r", 7, "new");
  EXPECT_TRUE(stale.status.ok());
  EXPECT_EQ(stale.kept.position.offset, 5u);
  EXPECT_EQ(stale.matched, 0u);
  EXPECT_EQ(Kept("h:r", "without").offset, 6u);
}

TEST_P(KeepContractTest, WhatALimitRefusesIsNotKeptAndWhatIsNotSentIsNotCharged) {
  Awaited<absl::Status> set;
  rates().Set(RoomName{"h:r"}, RateLimit{.n = 2, .window = absl::Hours(1)}, set.Take());
  ASSERT_TRUE(set.Wait().ok());
  const Keep once = {.reliable = true, .idempotency_key = "k", .version = 5};
  EXPECT_EQ(Push("h:r", "a", once).kept.position.offset, 1u);
  EXPECT_EQ(Push("h:r", "b", {.reliable = true, .version = 4}).kept.fate, Fate::kStale);
  EXPECT_EQ(Push("h:r", "c", {.reliable = true, .version = 6}).kept.position.offset, 2u);
  EXPECT_EQ(ReasonOf(Push("h:r", "d", {.reliable = true, .version = 7}).status), "RATE_ROOM");
  EXPECT_EQ(ReasonOf(Push("h:r", "e", {.idempotency_key = "l"}).status), "RATE_ROOM");
  Awaited<absl::Status> reset;
  rates().Set(RoomName{"h:r"}, std::nullopt, reset.Take());
  ASSERT_TRUE(reset.Wait().ok());
  EXPECT_EQ(Push("h:r", "f", {.reliable = true, .version = 7}).kept.position.offset, 3u);
  EXPECT_EQ(Push("h:r", "g", {.reliable = true, .idempotency_key = "l"}).kept.position.offset, 4u);
  EXPECT_EQ(Texts(Read("h:r", {.limit = 10})), "1:a 2:c 3:f 4:g");
}

TEST_P(KeepContractTest, ADuplicateIsNotCharged) {
  Start({.namespaces = Namespaces({.room_rate = {.n = 2, .window = absl::Hours(1)}})});
  EXPECT_EQ(Push("plain", "a", {.idempotency_key = "k"}).kept.fate, Fate::kSent);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Push("plain", "a", {.idempotency_key = "k"}).kept.fate, Fate::kDuplicate);
  }
  EXPECT_TRUE(PushPlain("plain", "b").status.ok());
  EXPECT_EQ(ReasonOf(PushPlain("plain", "c").status), "RATE_ROOM");
}

TEST_P(KeepContractTest, NamespacesThatAreReplacedSayWhatIsKeptFromThenOn) {
  EXPECT_EQ(Kept("h:r", "a").offset, 1u);
  EXPECT_EQ(Kept("h:r", "b").offset, 2u);
  SetNamespaces(*Namespaces::Parse({"new: history_size=2", "h: history_size=1"}, {}));
  EXPECT_EQ(Kept("new:r", "x").offset, 1u);
  EXPECT_EQ(Kept("h:r", "c").offset, 3u);
  EXPECT_EQ(Texts(Read("h:r", {.limit = 10})), "3:c");
  SetNamespaces(Namespaces());
  EXPECT_EQ(ReasonOf(Push("h:r", "d", {.reliable = true}).status), "HISTORY_OFF");
  EXPECT_EQ(ReasonOf(Read("h:r", {.limit = 10}).status()), "HISTORY_OFF");
  EXPECT_TRUE(PushPlain("h:r", "d").status.ok());
  SetNamespaces(Spaces().namespaces);
  EXPECT_EQ(Kept("h:r", "e").offset, 4u);
  EXPECT_EQ(Texts(Read("h:r", {.limit = 10})), "3:c 4:e");
}

INSTANTIATE_TEST_SUITE_P(Engines, KeepContractTest, testing::ValuesIn(EngineKinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace wsrouter
