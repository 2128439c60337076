// Many who offend at once: how each of them ends, and that the others go on.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/self_signed.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

// One shard: whoever pays, it would be its others.
TestGateway::Settings OneShard() {
  TestGateway::Settings settings;
  settings.gateway.shards = 1;
  return settings;
}

// Both ends of a connection are descriptors of this process.
void RaiseDescriptorLimit() {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 16384);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(GatewayCrowdTest, TwoHundredThatNeverReadEndWithTheCauseAndTheirRoomLosesNothing) {
  constexpr size_t kMute = 200;
  TestGateway::Settings settings = OneShard();
  settings.limits.slow_consumer_bytes = size_t{256} << 10;
  settings.limits.outbox_age_max = absl::Seconds(1);
  TestGateway gateway(settings);
  std::vector<TestConnection> mute;
  for (size_t i = 0; i < kMute; ++i) {
    mute.push_back(gateway.Online("mute" + std::to_string(i), {"room"}, {.receive_bytes = 4096}));
  }
  TestConnection reads = gateway.Online("reads", {"room"});
  const std::string payload(16'000, 'x');
  uint64_t dropped = 0;
  while (gateway.Total(Counter::kClosedSlowConsumer) < kMute) {
    const Receipt receipt = gateway.Push("room", payload);
    ASSERT_EQ(receipt.matched, receipt.queued + receipt.dropped_slow_consumer);
    dropped += receipt.dropped_slow_consumer;
    ASSERT_EQ(reads.socket.ReadFrame(), "text " + payload);
    ASSERT_LE(gateway.Gauges().outbox_bytes, (kMute + 1) * settings.limits.slow_consumer_bytes);
  }
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(gateway.Total(Counter::kPushesDroppedSlowConsumer), dropped);
  EXPECT_EQ(gateway.Total(Counter::kClosedSlowAge), kMute);
  EXPECT_EQ(gateway.Total(Counter::kClosedSlowBudget), 0u);
  for (const TestConnection& connection : mute) {
    const auto end = gateway.events().AwaitOf<event::Disconnected>(connection.id);
    EXPECT_EQ(end.cause, CloseCause::kSlowConsumer);
    EXPECT_EQ(end.close.code, 1013);
  }
  EXPECT_TRUE(Eventually([&] { return gateway.Gauges().outbox_bytes == 0; }));
  EXPECT_EQ(gateway.Push("room", "on").matched, 1u);
  EXPECT_EQ(reads.socket.ReadFrame(), "text on");
}

TEST(GatewayCrowdTest, AThousandHalfRequestsEndInTheirTimeAndOthersAreServedMeanwhile) {
  RaiseDescriptorLimit();
  constexpr size_t kHalf = 1000;
  for (const bool tls : {false, true}) {
    const SelfSigned certificate;
    TestGateway::Settings settings = OneShard();
    settings.gateway.half_open_max = 2 * kHalf;
    settings.gateway.upgrade_timeout = absl::Seconds(3);
    if (tls) {
      settings.gateway.tls_cert_file = certificate.cert_file();
      settings.gateway.tls_key_file = certificate.key_file();
    }
    TestGateway gateway(settings);
    TestConnection old = gateway.Online("old", {"room"}, {.tls = tls});
    std::vector<RawClient> half;
    for (size_t i = 0; i < kHalf; ++i) {
      half.push_back(gateway.Connect());
      ASSERT_TRUE(half.back().Send(tls ? "\x16\x03\x01\x02" : "GET /ws HTTP/1.1\r\nHost: h"));
    }
    TestConnection late = gateway.Online("late", {"room"}, {.tls = tls});
    EXPECT_EQ(gateway.Push("room", "both").queued, 2u);
    EXPECT_EQ(old.socket.ReadFrame(), "text both");
    EXPECT_EQ(late.socket.ReadFrame(), "text both");
    for (RawClient& client : half) {
      const std::string answer = client.ReadToEnd();
      EXPECT_EQ(answer.substr(0, 12), tls ? "" : "HTTP/1.1 408");
    }
    EXPECT_TRUE(old.socket.Quiet());
    EXPECT_EQ(gateway.Push("room", "still").queued, 2u);
  }
}

}  // namespace
}  // namespace wsrouter
