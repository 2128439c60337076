// Lines of the README's "Delivery guarantees" that nothing else shows.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Takes what there is by now and settles it; "<kind> <client>" of those that tell of connections.
std::vector<std::string> Consume(ClusterNode& node) {
  const LogConsumer consumer = {.group = "audit", .name = "one", .from_start = true};
  std::vector<std::string> told;
  for (;;) {
    Awaited<absl::StatusOr<LogTaken>> taken;
    node.engine().log().Take(consumer, 200, taken.Take());
    const auto answer = taken.Wait();
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok() || answer->deliveries.empty()) return told;
    std::vector<LogSettlement> done;
    for (const LogDelivery& one : answer->deliveries) {
      if (one.entry.kind == LogKind::kConnected) told.push_back("began " + one.entry.client.value);
      if (one.entry.kind == LogKind::kDisconnected) told.push_back("end " + one.entry.client.value);
      done.push_back({.receipt = one.receipt, .again_after = std::nullopt});
    }
    Awaited<absl::StatusOr<uint64_t>> settled;
    node.engine().log().Settle(consumer, std::move(done), settled.Take());
    EXPECT_TRUE(settled.Wait().ok());
  }
}

TEST(ClusterGuaranteesTest, TheLogOutlivesARedisThatRestartsWithWhatItHad) {
  PrivateRedis redis({"--appendonly", "yes", "--appendfsync", "always"});
  ClusterNode node({.address = ParseRedisUrl(redis.url()).value(),
                    .log = {.on = true, .partitions = 1},
                    .lease = absl::Minutes(1)});
  node.AwaitUp();
  node.Online("alice");
  EXPECT_THAT(Consume(node), ElementsAre("began alice"));
  const ConnectionId bob = node.Online("bob");
  redis.Kill();
  node.AwaitDown();
  redis.Start();
  node.AwaitUp();
  node.shard().Hang(bob);
  EXPECT_TRUE(Eventually([&] { return node.ConnectionsOf("bob").empty(); }));
  node.Online("carol");
  // What was settled does not come again, and nothing is told twice.
  EXPECT_THAT(Consume(node), ElementsAre("began bob", "end bob", "began carol"));
  EXPECT_THAT(Consume(node), IsEmpty());
}

TEST(ClusterGuaranteesTest, APushThatIsRepeatedComesTwiceUnlessItHasAKey) {
  const PrivateRedis redis;
  ClusterNode node({.address = ParseRedisUrl(redis.url()).value(),
                    .namespaces = Namespaces({.history = {.size = 10}})});
  node.AwaitUp();
  const ConnectionId alice = node.Online("alice", {"lobby"});
  const auto push = [&](std::string_view text, Keep keep) {
    Awaited<Receipt> receipt;
    node.engine().broker().Publish({.to = RoomName{"lobby"},
                                    .action = TextOf(text),
                                    .receipts = Receipts::kRouted,
                                    .keep = std::make_shared<const Keep>(std::move(keep))},
                                   receipt.Take());
    EXPECT_TRUE(receipt.Wait().status.ok());
  };
  for (int i = 0; i < 2; ++i) {
    node.Push("lobby", "plain");
    push("reliable", {.reliable = true});
    push("with a key", {.idempotency_key = "1"});
    push("both", {.reliable = true, .idempotency_key = "2"});
  }
  EXPECT_THAT(node.shard().Got(alice),
              ElementsAre("plain", "reliable", "with a key", "both", "plain", "reliable"));
}

}  // namespace
}  // namespace wsrouter
