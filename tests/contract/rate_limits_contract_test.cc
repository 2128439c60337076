#include <atomic>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "core/close_code.h"
#include "core/error.h"
#include "gmock/gmock.h"
#include "tests/contract/awaiting.h"
#include "tests/contract/engines.h"
#include "tests/support/text_listener.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kLong = absl::Hours(1);  // longer than any test

class RateLimitsContractTest : public EngineContractTest {
 protected:
  void SetUp() override { Start(); }

  absl::Status Set(const RateSubject& subject, std::optional<RateLimit> limit) {
    Awaited<absl::Status> set;
    rates().Set(subject, limit, set.Take());
    return set.Wait();
  }
  Receipt Push(const Topic& to, std::string from = "") {
    Awaited<Receipt> receipt;
    Deliver deliver = {.frame = Frame::Make(Opcode::kText, "x")};
    broker().Publish({.to = to, .action = deliver, .from = {std::move(from)}}, receipt.Take());
    return receipt.Wait();
  }
  std::string Reason(const Topic& to, std::string from = "") {
    return ReasonOf(Push(to, std::move(from)).status);
  }
};

TEST_P(RateLimitsContractTest, NAreDeliveredAndTheNextIsRefusedWithTheTimeToWait) {
  TextListener listener;
  Awaited<absl::Status> live;
  broker().Subscribe(listener, RoomName{"lobby"}, live.Take());
  ASSERT_TRUE(live.Wait().ok());
  ASSERT_TRUE(Set(RoomName{"lobby"}, RateLimit{.n = 3, .window = kLong}).ok());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Push(RoomName{"lobby"}).status.ok());
  const Receipt refused = Push(RoomName{"lobby"});
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status));
  EXPECT_EQ(ReasonOf(refused.status), "RATE_ROOM");
  EXPECT_GT(RetryAfter(refused.status), absl::Minutes(50));
  EXPECT_LE(RetryAfter(refused.status), kLong);
  EXPECT_EQ(Reason(RoomName{"other"}), "");
  EXPECT_THAT(listener.Wait(3), testing::SizeIs(3));
  broker().Unsubscribe(listener, RoomName{"lobby"});
}

TEST_P(RateLimitsContractTest, ASenderOverItsOwnLimitSpendsNothingOfTheRoom) {
  ASSERT_TRUE(Set(ClientId{"bob"}, RateLimit{.n = 1, .window = kLong}).ok());
  ASSERT_TRUE(Set(RoomName{"lobby"}, RateLimit{.n = 2, .window = kLong}).ok());
  EXPECT_EQ(Reason(RoomName{"lobby"}, "bob"), "");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Reason(RoomName{"lobby"}, "bob"), "RATE_CLIENT");
  EXPECT_EQ(Reason(RoomName{"lobby"}, "alice"), "");
  EXPECT_EQ(Reason(RoomName{"lobby"}, "alice"), "RATE_ROOM");
}

TEST_P(RateLimitsContractTest, WhatTheRoomRefusesCostsTheSenderNothing) {
  ASSERT_TRUE(Set(ClientId{"bob"}, RateLimit{.n = 1, .window = kLong}).ok());
  ASSERT_TRUE(Set(RoomName{"lobby"}, RateLimit{.n = 1, .window = kLong}).ok());
  EXPECT_EQ(Reason(RoomName{"lobby"}), "");
  EXPECT_EQ(Reason(RoomName{"lobby"}, "bob"), "RATE_ROOM");
  EXPECT_EQ(Reason(ClientId{"alice"}, "bob"), "");
  EXPECT_EQ(Reason(ClientId{"alice"}, "bob"), "RATE_CLIENT");
}

TEST_P(RateLimitsContractTest, ZeroDisablesAndResetForgets) {
  ASSERT_TRUE(Set(RoomName{"lobby"}, RateLimit{.n = 1, .window = kLong}).ok());
  EXPECT_EQ(Reason(RoomName{"lobby"}), "");
  EXPECT_EQ(Reason(RoomName{"lobby"}), "RATE_ROOM");
  ASSERT_TRUE(Set(RoomName{"lobby"}, RateLimit{}).ok());
  EXPECT_EQ(Reason(RoomName{"lobby"}), "");
  ASSERT_EQ(rates().Get("", 10).rows.size(), 1u);
  EXPECT_FALSE(rates().Get("", 10).rows[0].second.on());
  ASSERT_TRUE(Set(RoomName{"lobby"}, std::nullopt).ok());
  EXPECT_THAT(rates().Get("", 10).rows, testing::IsEmpty());
}

// Each push happened between two readings of the clock, so n + 1 of them from whose first reading
// to whose last less than a window has passed would prove a window that holds too many.
TEST_P(RateLimitsContractTest, NoWindowOfAnyOffsetHoldsMoreThanN) {
  const RateLimit limit = {.n = 7, .window = absl::Milliseconds(40)};
  ASSERT_TRUE(Set(RoomName{"lobby"}, limit).ok());
  const SystemClock clock;
  std::vector<std::pair<absl::Duration, absl::Duration>> allowed;
  size_t refused = 0;
  while (allowed.size() < 60) {
    const absl::Duration before = clock.Now().uptime;
    const absl::Status status = Push(RoomName{"lobby"}).status;
    if (status.ok()) {
      allowed.emplace_back(before, clock.Now().uptime);
    } else {
      ASSERT_EQ(ReasonOf(status), "RATE_ROOM");
      ++refused;
    }
  }
  EXPECT_GT(refused, 0u);
  for (size_t i = limit.n; i < allowed.size(); ++i) {
    ASSERT_GE(allowed[i].second - allowed[i - limit.n].first, limit.window);
  }
}

TEST_P(RateLimitsContractTest, ManyThreadsGetNTogether) {
  ASSERT_TRUE(Set(RoomName{"lobby"}, RateLimit{.n = 50, .window = kLong}).ok());
  std::atomic<int> allowed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int push = 0; push < 25; ++push) allowed += Push(RoomName{"lobby"}).status.ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allowed, 50);
}

TEST_P(RateLimitsContractTest, NamespacesThatAreReplacedCountAtOnceAndWhatWasPushedCountsOn) {
  const auto rooms = [](uint32_t n) {
    return Namespaces({.room_rate = {.n = n, .window = kLong}});
  };
  EXPECT_EQ(Reason(RoomName{"lobby"}), "");
  SetNamespaces(rooms(2));
  EXPECT_EQ(Reason(RoomName{"lobby"}), "");
  EXPECT_EQ(Reason(RoomName{"lobby"}), "");
  EXPECT_EQ(Reason(RoomName{"lobby"}), "RATE_ROOM");
  SetNamespaces(rooms(3));
  EXPECT_EQ(Reason(RoomName{"lobby"}), "");
  EXPECT_EQ(Reason(RoomName{"lobby"}), "RATE_ROOM");
  SetNamespaces(rooms(1));
  EXPECT_EQ(Reason(RoomName{"lobby"}), "RATE_ROOM");
  // What was set at run time still comes first.
  ASSERT_TRUE(Set(RoomName{"open"}, RateLimit{}).ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Reason(RoomName{"open"}), "");
  SetNamespaces(Namespaces());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Reason(RoomName{"lobby"}), "");
}

INSTANTIATE_TEST_SUITE_P(Engines, RateLimitsContractTest, testing::ValuesIn(EngineKinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace wsrouter
