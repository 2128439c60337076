// Clients that do not read: what they lose, and that nobody else pays for it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/slow_reader.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

// Pushes until a slow member has lost a frame. Returns how many it was sent.
int PushUntilDropped(TestGateway& gateway, const std::string& room) {
  for (int i = 0; i < 2000; ++i) {
    if (gateway.Push(room, Numbered(i)).dropped_slow_consumer > 0) return i;
  }
  ADD_FAILURE() << "nothing was ever dropped";
  return 0;
}

TEST(GatewaySlowConsumerTest, DropLosesFramesCountedInOrderAndKeepsTheConnection) {
  TestGateway gateway(SmallOutboxes(SlowConsumerPolicy::kDrop));
  TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096});
  const int kept = PushUntilDropped(gateway, "room");
  EXPECT_EQ(gateway.Push("room", Numbered(kept + 1)).dropped_slow_consumer, 1u);
  EXPECT_EQ(gateway.Total(Counter::kPushesDroppedSlowConsumer), 2u);
  EXPECT_GT(gateway.events().AwaitOf<event::Slow>(slow.id).outbox_bytes, 0u);

  for (int i = 0; i < kept; ++i) ASSERT_EQ(NumberOf(slow.socket.ReadFrame()), i);
  EXPECT_TRUE(Eventually([&] { return gateway.Gauges().outbox_bytes == 0; }));
  EXPECT_EQ(gateway.Push("room", Numbered(9999)).queued, 1u);
  EXPECT_EQ(NumberOf(slow.socket.ReadFrame()), 9999);
}

// It would be memory that no limit counts, and what is there can no longer give way to newer
// frames.
TEST(GatewaySlowConsumerTest, TheKernelHoldsLittleForWhoDoesNotRead) {
  TestGateway gateway;
  TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096});
  size_t pushed = 0;
  while (gateway.Gauges().outbox_bytes == 0) {
    gateway.Push("room", Numbered(0));
    pushed += kSlowFrameBytes;
    ASSERT_LT(pushed, size_t{1} << 20);
  }
}

TEST(GatewaySlowConsumerTest, OthersInTheRoomLoseNothing) {
  TestGateway gateway(SmallOutboxes(SlowConsumerPolicy::kDrop));
  TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096});
  TestConnection fast = gateway.Online("fast", {"room"});
  uint64_t dropped = 0;
  for (int i = 0; i < 1000 && dropped < 3; ++i) {
    dropped += gateway.Push("room", Numbered(i)).dropped_slow_consumer;
    ASSERT_EQ(NumberOf(fast.socket.ReadFrame()), i);
  }
  EXPECT_EQ(dropped, 3u);
}

TEST(GatewaySlowConsumerTest, DisconnectClosesARawClient1013AndASubprotocolClient4014) {
  for (const bool raw : {true, false}) {
    TestGateway gateway(SmallOutboxes(SlowConsumerPolicy::kDisconnect));
    TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096},
                                         raw ? "" : "Sec-WebSocket-Protocol: wsrouter.v1.json\r\n");
    const int sent = PushUntilDropped(gateway, "room");
    EXPECT_EQ(gateway.Push("room", "nobody").matched, 0u);
    EXPECT_EQ(gateway.Total(Counter::kClosedSlowConsumer), 1u);

    std::string frame = slow.socket.ReadFrame();
    int expected = 0;
    for (; frame.starts_with("text "); frame = slow.socket.ReadFrame()) {
      ASSERT_EQ(NumberOf(frame), expected++);
    }
    EXPECT_LE(expected, sent);
    EXPECT_EQ(frame, raw ? "close 1013 reads too slowly" : "close 4014 reads too slowly");
  }
}

TEST(GatewaySlowConsumerTest, ClientThatSendsButNeverReadsCostsNoCpu) {
  TestGateway gateway(SmallOutboxes(SlowConsumerPolicy::kDrop));
  TestConnection slow = gateway.Online("slow", {"room"}, {.receive_bytes = 4096});
  PushUntilDropped(gateway, "room");
  ASSERT_TRUE(slow.socket.Send(ClientText("unread") + ClientPing("unread")));
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  const absl::Duration cpu = OthersCpuTime();
  ASSERT_TRUE(Eventually([&] { return clock.Now().uptime - begin > absl::Seconds(1); }));
  EXPECT_LT(OthersCpuTime() - cpu, absl::Milliseconds(200));
}

TEST(GatewaySlowConsumerTest, PingsWhosePongsAreNotReadEndTheirSenderAlone) {
  TestGateway::Settings settings = SmallOutboxes(SlowConsumerPolicy::kDrop);
  TestGateway gateway(settings);
  TestConnection other = gateway.Online("other");
  RawClient flood = RawClient(gateway.address(), {.receive_bytes = 4096});
  ASSERT_TRUE(flood.Upgrade("/echo"));
  std::string pings;
  for (int i = 0; i < 500; ++i) pings += ClientPing(std::string(125, 'p'));
  // Until the gateway reads no more, or has cut it.
  size_t sent = 1;
  for (int i = 0; i < 1000 && sent > 0; ++i) sent = flood.SendSome(pings);
  ASSERT_TRUE(other.socket.Send(ClientPing("mine")));
  EXPECT_EQ(other.socket.ReadFrame(), "pong mine");
}

}  // namespace
}  // namespace wsrouter
