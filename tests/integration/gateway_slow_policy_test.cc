// What becomes of clients that read too slowly, by policy, age and budget.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/slow_reader.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

constexpr const char* kSpeaks = "Sec-WebSocket-Protocol: wsrouter.v1.json\r\n";

// Pushes until something waits in the node. Returns the next number.
int FillTheKernel(TestGateway& gateway, const std::string& room) {
  for (int i = 0; i < 2000; ++i) {
    gateway.Push(room, Numbered(i));
    if (gateway.Gauges().outbox_bytes > 2 * kSlowFrameBytes) return i + 1;
  }
  ADD_FAILURE() << "the kernel took everything";
  return 0;
}

TEST(GatewaySlowPolicyTest, AReaderOfOneOctetASecondEndsWithin15Seconds) {
  TestGateway gateway;
  TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096}, kSpeaks);
  TestConnection quick = gateway.Online("quick");
  FillTheKernel(gateway, "room");
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  absl::Duration next = begin;
  // Gone for good, not closed alone.
  while (gateway.Gauges().outbox_bytes > 0 || gateway.Total(Counter::kConnectionsClosed) == 0) {
    ASSERT_LT(clock.Now().uptime - begin, absl::Seconds(15));
    if (clock.Now().uptime >= next) {
      slow.socket.ReadOctets(1);
      next += absl::Seconds(1);
    }
    ASSERT_EQ(
        gateway.Ask(ClientId{"quick"}, Deliver{.frame = Frame::Make(Opcode::kText, "on")}).queued,
        1u);
    ASSERT_EQ(quick.socket.ReadFrame(), "text on");
  }
  EXPECT_GE(clock.Now().uptime - begin, absl::Seconds(9));
  EXPECT_EQ(gateway.Total(Counter::kClosedSlowAge), 1u);
  const auto end = gateway.events().AwaitOf<event::Disconnected>(slow.id);
  EXPECT_EQ(end.cause, CloseCause::kSlowConsumer);
  EXPECT_EQ(end.close.code, 4014);
  EXPECT_EQ(gateway.events().AwaitOf<event::Slow>(slow.id).cause, SlowCause::kAge);
}

TEST(GatewaySlowPolicyTest, WhoCatchesUpInTimeStaysHoweverMuchItWasBehind) {
  TestGateway::Settings settings;
  settings.limits.outbox_age_max = absl::Seconds(4);
  TestGateway gateway(settings);
  TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096});
  const SystemClock clock;
  for (int round = 0; round < 6; ++round) {
    const absl::Duration begin = clock.Now().uptime;
    const int sent = FillTheKernel(gateway, "room");
    ASSERT_TRUE(Eventually([&] { return clock.Now().uptime - begin > absl::Milliseconds(900); }));
    for (int i = 0; i < sent; ++i) ASSERT_EQ(NumberOf(slow.socket.ReadFrame()), i);
  }
  EXPECT_EQ(gateway.Total(Counter::kClosedSlowConsumer), 0u);
}

TEST(GatewaySlowPolicyTest, WhatTheKernelHoldsDoesNotWait) {
  TestGateway::Settings settings;
  settings.limits.outbox_age_max = absl::Milliseconds(200);
  TestGateway gateway(settings);
  TestConnection idle = gateway.Online("idle", {"room"});
  ASSERT_EQ(gateway.Push("room", "unread").queued, 1u);
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  ASSERT_TRUE(Eventually([&] { return clock.Now().uptime - begin > absl::Seconds(1); }));
  EXPECT_EQ(idle.socket.ReadFrame(), "text unread");
  EXPECT_EQ(gateway.Total(Counter::kClosedSlowConsumer), 0u);
}

TEST(GatewaySlowPolicyTest, DropOldGetsTheNewestInOrder) {
  TestGateway gateway(SmallOutboxes(SlowConsumerPolicy::kDropOld));
  TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096});
  TestConnection quick = gateway.Online("quick", {"room"});
  int number = 0;
  while (gateway.Total(Counter::kPushesDroppedOld) < 10) {
    ASSERT_EQ(gateway.Push("room", Numbered(number)).queued, 2u);
    ASSERT_EQ(NumberOf(quick.socket.ReadFrame()), number++);
  }
  const uint64_t lost = gateway.Total(Counter::kPushesDroppedOld);
  int read = 0;
  int last = -1;
  while (last < number - 1) {
    const int next = NumberOf(slow.socket.ReadFrame());
    ASSERT_GT(next, last);
    last = next;
    ++read;
  }
  EXPECT_EQ(read + static_cast<int>(lost), number);
}

TEST(GatewaySlowPolicyTest, ConflateGetsTheLastValue) {
  TestGateway gateway;
  TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096});
  const int filled = FillTheKernel(gateway, "room");
  for (int i = 0; i < 100; ++i) {
    const Deliver price = {.frame = Frame::Make(Opcode::kText, "price " + std::to_string(i)),
                           .slow_consumer = SlowConsumerPolicy::kConflate,
                           .except = nullptr,
                           .conflation_key = "price"};
    ASSERT_EQ(gateway.Ask(RoomName{"room"}, price).queued, 1u);
  }
  gateway.Push("room", "the end");
  for (int i = 0; i < filled; ++i) ASSERT_EQ(NumberOf(slow.socket.ReadFrame()), i);
  EXPECT_EQ(slow.socket.ReadFrame(), "text price 99");
  EXPECT_EQ(slow.socket.ReadFrame(), "text the end");
  EXPECT_EQ(gateway.Total(Counter::kPushesConflated), 99u);
}

TEST(GatewaySlowPolicyTest, AClientThatSpeaksIsToldOfEachGapOnce) {
  TestGateway::Settings settings = SmallOutboxes(SlowConsumerPolicy::kDrop);
  settings.gateway.client_protocol = true;
  TestGateway gateway(settings);
  TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096}, kSpeaks);
  uint64_t pushed = 0;
  while (gateway.Total(Counter::kPushesDroppedSlowConsumer) < 5) {
    gateway.Push("room", Numbered(0));
    ASSERT_LT(++pushed, 2000u);
  }
  const std::string begin = R"(text {"gap":{"room":"room","count":)";
  uint64_t accounted = 0;
  uint64_t gaps = 0;
  while (accounted < pushed) {
    const std::string frame = slow.socket.ReadFrame();
    ASSERT_NE(frame, "end");
    if (frame.starts_with(R"(text {"msg")")) ++accounted;
    if (!frame.starts_with(begin)) continue;
    uint64_t count = 0;
    ASSERT_TRUE(
        absl::SimpleAtoi(frame.substr(begin.size(), frame.size() - begin.size() - 2), &count));
    accounted += count;
    ++gaps;
  }
  EXPECT_EQ(accounted, pushed);
  EXPECT_LT(gaps, 5u);  // those behind one another are told together
  EXPECT_EQ(gateway.Total(Counter::kGapsTold), gaps);
  gateway.Push("room", "on");
  EXPECT_EQ(slow.socket.ReadFrame(), R"(text {"msg":{"room":"room","text":"on"}})");
}

TEST(GatewaySlowPolicyTest, TheBudgetEndsTheLargestOfTheNodeFirst) {
  TestGateway::Settings settings;
  settings.gateway.shards = 2;
  settings.limits.slow_consumer_bytes = size_t{512} << 20;  // a fifth of a second does not fill it
  settings.limits.outbox_budget = size_t{8} << 20;
  settings.limits.outbox_age_max = absl::ZeroDuration();
  TestGateway gateway(settings);
  // On both shards, each in a room of its own.
  std::vector<TestConnection> small;
  for (int i = 0; i < 4; ++i) {
    const std::string name = "small" + std::to_string(i);
    small.push_back(gateway.Online(name, {name}, {.receive_bytes = 4096}));
  }
  TestConnection big = gateway.Online("big", {"big"}, {.receive_bytes = 4096});
  TestConnection quick = gateway.Online("quick", {"quick"});
  const uint64_t each = 20 * kSlowFrameBytes;
  for (uint64_t i = 0; i < small.size(); ++i) {
    while (gateway.Gauges().outbox_bytes < (i + 1) * each) {
      gateway.Push("small" + std::to_string(i), Numbered(0));
    }
  }
  while (gateway.Total(Counter::kClosedSlowBudget) == 0) {
    gateway.Push("big", Numbered(0));
    ASSERT_EQ(gateway.Push("quick", "on").queued, 1u);
    ASSERT_EQ(quick.socket.ReadFrame(), "text on");
  }
  EXPECT_EQ(gateway.events().AwaitOf<event::Slow>(big.id).cause, SlowCause::kBudget);
  EXPECT_EQ(gateway.events().AwaitOf<event::Disconnected>(big.id).cause, CloseCause::kSlowConsumer);
  for (size_t i = 0; i < small.size(); ++i) {
    EXPECT_EQ(gateway.Push("small" + std::to_string(i), "still").queued, 1u);
  }
  EXPECT_EQ(gateway.Total(Counter::kClosedSlowConsumer), 1u);
}

// To wait until it is sent would cost others their connections.
TEST(GatewaySlowPolicyTest, TheBudgetCutsALargeFrameThatIsBegun) {
  constexpr size_t kLargeBytes = size_t{12} << 20;  // no kernel takes one as a whole
  TestGateway::Settings settings;
  settings.limits.slow_consumer_bytes = 8 * kLargeBytes;
  settings.limits.outbox_budget = 3 * kLargeBytes / 2;
  settings.limits.outbox_age_max = absl::ZeroDuration();
  TestGateway gateway(settings);
  TestConnection slow = gateway.Online("slow", {"large"}, {.receive_bytes = 4096});
  TestConnection small = gateway.Online("small", {"small"}, {.receive_bytes = 4096});
  while (gateway.Gauges().outbox_bytes < 10 * kSlowFrameBytes) gateway.Push("small", Numbered(0));
  const std::string large(kLargeBytes, 'x');
  for (int i = 0; i < 2; ++i) ASSERT_EQ(gateway.Push("large", large).queued, 1u);
  ASSERT_TRUE(Eventually([&] { return gateway.Total(Counter::kClosedSlowBudget) == 1; }));
  EXPECT_EQ(gateway.events().AwaitOf<event::Slow>(slow.id).cause, SlowCause::kBudget);
  // At once: the rest of the frame is forgotten, and no Close follows it.
  EXPECT_TRUE(Eventually([&] { return gateway.Gauges().connections == 1; }));
  EXPECT_LT(gateway.Gauges().outbox_bytes, kLargeBytes);
  EXPECT_EQ(slow.socket.ReadFrame(), "bad end inside a frame");
  EXPECT_EQ(gateway.Total(Counter::kPushesFailed), 2u);
  EXPECT_EQ(gateway.Push("small", "still").queued, 1u);
  EXPECT_EQ(gateway.Total(Counter::kClosedSlowConsumer), 1u);
}

}  // namespace
}  // namespace wsrouter
