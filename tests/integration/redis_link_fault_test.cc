// What a RedisLink does when Redis or the network fails.

#include <string>
#include <vector>

#include "base/clock.h"
#include "gmock/gmock.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/linked.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using Direction = FaultProxy::Direction;

// Beyond the link's own clock: what a loaded machine may add.
constexpr absl::Duration kSlack = absl::Seconds(2);

absl::Duration Uptime() { return SystemClock().Now().uptime; }

TEST(RedisLinkFaultTest, NobodyListensThenSomebodyDoes) {
  PrivateRedis redis;
  redis.Kill();
  for (const std::string& url : {redis.url(), redis.tcp_url()}) {
    Linked linked(url);
    linked.link.Start(linked.watcher);
    const absl::Status why = linked.watcher.WaitDowns(1);
    EXPECT_TRUE(absl::IsUnavailable(why)) << why;
    const auto refused = linked.Command({"PING"});
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr(std::string(why.message())));
    EXPECT_TRUE(absl::IsUnavailable(linked.Subscribe("channel")));
    redis.Start();
    linked.watcher.WaitUps(1);
    EXPECT_EQ(linked.watcher.downs(), 1u);  // the reason was the same at every attempt
    redis.Kill();
  }
}

TEST(RedisLinkFaultTest, NameThatDoesNotResolveIsAReason) {
  Linked linked("redis://no-such-host.invalid");
  linked.link.Start(linked.watcher);
  EXPECT_TRUE(absl::IsUnavailable(linked.watcher.WaitDowns(1)));
}

TEST(RedisLinkFaultTest, KilledServerIsNoticedAndComesBack) {
  PrivateRedis redis;
  Linked linked(redis.tcp_url());
  linked.StartUp();
  redis.Pause();
  Awaited<bool> waiting;
  linked.link.Command({"PING"}, [take = waiting.Take()](const absl::StatusOr<RedisValue>& answer) {
    take(absl::IsUnavailable(answer.status()));
  });
  redis.Kill();
  EXPECT_TRUE(waiting.Wait());
  EXPECT_TRUE(absl::IsUnavailable(linked.watcher.WaitDowns(1)));
  EXPECT_FALSE(linked.link.up());
  redis.Start();
  linked.watcher.WaitUps(2);
  EXPECT_TRUE(linked.Command({"PING"}).ok());
}

TEST(RedisLinkFaultTest, StoppedServerIsNoticedWithinSilence) {
  PrivateRedis redis;
  for (const std::string& url : {redis.url(), redis.tcp_url()}) {
    Linked linked(url, Impatient());
    linked.StartUp();
    const size_t downs = linked.watcher.downs();
    const absl::Duration begin = Uptime();
    redis.Pause();
    EXPECT_TRUE(absl::IsUnavailable(linked.watcher.WaitDowns(downs + 1)));
    EXPECT_LT(Uptime() - begin, Impatient().silence * 1.25 + kSlack);
    redis.Continue();
    linked.watcher.WaitUps(downs + 2);
  }
}

TEST(RedisLinkFaultTest, StoppedServerDoesNotConnect) {
  PrivateRedis redis;
  redis.Pause();
  RedisPatience patience = Patient();
  patience.connect = absl::Milliseconds(100);
  Linked linked(redis.tcp_url(), patience);
  linked.link.Start(linked.watcher);
  EXPECT_THAT(std::string(linked.watcher.WaitDowns(1).message()),
              HasSubstr("not connected within"));
  redis.Continue();
  linked.watcher.WaitUps(1);
}

TEST(RedisLinkFaultTest, RefusalOfRedisIsTheReason) {
  const PrivateRedis redis;
  ASSERT_EQ(redis.Run({"CONFIG", "SET", "maxclients", "1"}), "OK");
  Linked linked(redis.tcp_url());
  linked.link.Start(linked.watcher);
  EXPECT_THAT(std::string(linked.watcher.WaitDowns(1).message()),
              HasSubstr("max number of clients"));
}

TEST(RedisLinkFaultTest, HoleInEitherDirectionIsNoticed) {
  PrivateRedis redis;
  for (const Direction direction : {Direction::kToServer, Direction::kToClient}) {
    FaultProxy proxy(redis.socket_path());
    Linked linked(proxy.url(), Impatient());
    linked.StartUp();
    const size_t downs = linked.watcher.downs();
    const absl::Duration begin = Uptime();
    proxy.Hole(direction);
    EXPECT_FALSE(linked.watcher.WaitDowns(downs + 1).ok());
    EXPECT_LT(Uptime() - begin, Impatient().silence * 1.25 + kSlack);
    proxy.Heal();
    linked.watcher.WaitUps(downs + 2);
    EXPECT_TRUE(linked.Command({"PING"}).ok());
  }
}

TEST(RedisLinkFaultTest, ReplyThatIsCutIsNoAnswer) {
  PrivateRedis redis;
  FaultProxy proxy(redis.socket_path());
  Linked linked(proxy.url());
  linked.StartUp();
  redis.Run({"SET", "key", std::string(100'000, 'x')});
  proxy.CutAfter(Direction::kToClient, 50'000);
  const auto cut = linked.Command({"GET", "key"});
  EXPECT_TRUE(absl::IsUnavailable(cut.status())) << cut.status();
  EXPECT_FALSE(linked.watcher.WaitDowns(1).ok());
  linked.watcher.WaitUps(2);
  EXPECT_EQ(linked.Command({"GET", "key"})->text().size(), 100'000u);
}

TEST(RedisLinkFaultTest, ResetIsNoticedAtOnce) {
  PrivateRedis redis;
  FaultProxy proxy(redis.socket_path());
  Linked linked(proxy.url());
  linked.StartUp();
  proxy.Reset();
  EXPECT_FALSE(linked.watcher.WaitDowns(1).ok());
  linked.watcher.WaitUps(2);
}

TEST(RedisLinkFaultTest, OverdueCommandIsAnsweredOnceAndTheLinkGoesOn) {
  PrivateRedis redis;
  FaultProxy proxy(redis.socket_path());
  RedisPatience patience = Patient();
  patience.command = absl::Milliseconds(100);
  Linked linked(proxy.url(), patience);
  linked.StartUp();
  proxy.Delay(absl::Milliseconds(300));
  const auto late = linked.Command({"INCR", "key"});
  EXPECT_TRUE(absl::IsUnavailable(late.status())) << late.status();
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("in time"));
  proxy.Heal();
  // Those behind it wait for the late reply, and get their own.
  absl::StatusOr<RedisValue> next = late;
  while (!next.ok()) next = linked.Command({"ECHO", "own"});
  EXPECT_EQ(next->text(), "own");
  EXPECT_EQ(redis.Run({"GET", "key"}), "1");
  EXPECT_EQ(linked.watcher.downs(), 0u);
}

TEST(RedisLinkFaultTest, LostSubscriberTakesTheLinkDown) {
  PrivateRedis redis;
  Linked linked(redis.tcp_url());
  linked.StartUp();
  EXPECT_EQ(redis.Run({"CLIENT", "KILL", "TYPE", "pubsub"}), "1");
  EXPECT_FALSE(linked.watcher.WaitDowns(1).ok());
  linked.watcher.WaitUps(2);
  EXPECT_TRUE(linked.Subscribe("channel").ok());
}

TEST(RedisLinkFaultTest, SubscriptionThatRedisForbidsTakesTheLinkDownWithTheReason) {
  PrivateRedis redis;
  ASSERT_EQ(redis.Run({"ACL", "SETUSER", "node", "on", ">secret", "+@all", "~*", "resetchannels",
                       "&{wsrouter}:canary:*"}),
            "OK");
  Linked linked("redis://node:secret@127.0.0.1:" + std::to_string(redis.port()));
  linked.StartUp();
  EXPECT_TRUE(absl::IsUnavailable(linked.Subscribe("channel")));
  EXPECT_TRUE(absl::IsPermissionDenied(linked.watcher.WaitDowns(1)));
}

TEST(RedisLinkFaultTest, ReplicaIsLeft) {
  PrivateRedis redis;
  Linked linked(redis.tcp_url());
  linked.StartUp();
  ASSERT_EQ(redis.Run({"REPLICAOF", "127.0.0.1", "1"}), "OK");
  const auto refused = linked.Command({"SET", "key", "value"});
  EXPECT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
  EXPECT_THAT(std::string(linked.watcher.WaitDowns(1).message()), HasSubstr("READONLY"));
  ASSERT_EQ(redis.Run({"REPLICAOF", "NO", "ONE"}), "OK");
  linked.watcher.WaitUps(2);
}

}  // namespace
}  // namespace wsrouter
