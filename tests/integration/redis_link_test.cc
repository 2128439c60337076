#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/support/linked.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kAppend = "return redis.call('APPEND', KEYS[1], ARGV[1])";

RedisScript Hashed(const PrivateRedis& redis, std::string_view text) {
  return {.text = text, .sha1 = redis.Run({"SCRIPT", "LOAD", std::string(text)})};
}

TEST(RedisLinkTest, IsUpAfterStartOnBothKindsOfSocket) {
  const PrivateRedis redis;
  for (const std::string& url : {redis.url(), redis.tcp_url()}) {
    Linked linked(url);
    EXPECT_FALSE(linked.link.up());
    linked.StartUp();
    EXPECT_TRUE(linked.link.up());
    EXPECT_EQ(linked.Command({"ECHO", "hello"})->text(), "hello");
    EXPECT_TRUE(linked.Command({"GET", "none"})->nil());
    EXPECT_EQ(linked.Command({"STRLEN", "none"})->integer(), 0);
    EXPECT_EQ(linked.Command({"TIME"})->array().size(), 2u);
  }
}

TEST(RedisLinkTest, CommandsOfEachThreadKeepTheirOrder) {
  const PrivateRedis redis;
  Linked linked(redis.url());
  linked.StartUp();
  constexpr int kThreads = 4;
  constexpr int kCommands = 2000;
  absl::BlockingCounter answered(kThreads * kCommands);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCommands; ++i) {
        linked.link.Command({"RPUSH", fmt::format("list{}", t), std::to_string(i)},
                            [&](const absl::StatusOr<RedisValue>& length) {
                              EXPECT_TRUE(length.ok()) << length.status();
                              answered.DecrementCount();
                            });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  answered.Wait();
  for (int t = 0; t < kThreads; ++t) {
    const auto list = linked.Command({"LRANGE", fmt::format("list{}", t), "0", "-1"});
    ASSERT_EQ(list->array().size(), static_cast<size_t>(kCommands));
    for (int i = 0; i < kCommands; ++i) EXPECT_EQ(list->array()[i].text(), std::to_string(i));
  }
}

TEST(RedisLinkTest, ErrorsOfRedisBecomeStatuses) {
  const PrivateRedis redis;
  Linked linked(redis.url());
  linked.StartUp();
  const auto unknown = linked.Command({"NOSUCH"});
  EXPECT_TRUE(absl::IsInternal(unknown.status())) << unknown.status();
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("unknown command"));
  EXPECT_EQ(redis.Run({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  const auto full = linked.Command({"SET", "key", "value"});
  EXPECT_TRUE(absl::IsUnavailable(full.status())) << full.status();
  EXPECT_TRUE(linked.link.up());
}

TEST(RedisLinkTest, ScriptRunsAlsoWhereRedisHasForgottenIt) {
  const PrivateRedis redis;
  const RedisScript script = Hashed(redis, kAppend);
  Linked linked(redis.url());
  linked.StartUp();
  EXPECT_EQ(linked.Run(script, {"key"}, {"ab"})->integer(), 2);
  ASSERT_EQ(redis.Run({"SCRIPT", "FLUSH"}), "OK");
  EXPECT_EQ(linked.Run(script, {"key"}, {"c"})->integer(), 3);
  EXPECT_EQ(linked.Command({"GET", "key"})->text(), "abc");
}

TEST(RedisLinkTest, LoadedScriptIsThereFromTheBeginningAndBehindARestart) {
  PrivateRedis redis;
  const RedisScript script = Hashed(redis, kAppend);
  Linked linked(redis.url());
  linked.link.Load(script);
  redis.Kill();
  redis.Start();
  linked.StartUp();
  EXPECT_EQ(redis.Run({"SCRIPT", "EXISTS", script.sha1}), "1\n");
  redis.Kill();
  redis.Start();
  linked.watcher.WaitUps(2);
  EXPECT_EQ(redis.Run({"SCRIPT", "EXISTS", script.sha1}), "1\n");
}

TEST(RedisLinkTest, DatabaseIsSelected) {
  const PrivateRedis redis;
  Linked linked(redis.url() + "?db=5");
  linked.StartUp();
  EXPECT_TRUE(linked.Command({"SET", "key", "value"}).ok());
  EXPECT_EQ(redis.Run({"GET", "key"}), "");
  EXPECT_THAT(redis.Run({"INFO", "keyspace"}), HasSubstr("db5:keys=1"));
}

TEST(RedisLinkTest, WrongPasswordStaysDownAndSaysSo) {
  const PrivateRedis redis({"--requirepass", "right"});
  for (const std::string login : {"", ":wrong@", "nobody:right@"}) {
    Linked linked(fmt::format("redis://{}127.0.0.1:{}", login, redis.port()));
    linked.link.Start(linked.watcher);
    const absl::Status why = linked.watcher.WaitDowns(1);
    EXPECT_TRUE(absl::IsPermissionDenied(why)) << why;
    const auto refused = linked.Command({"PING"});
    EXPECT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("Redis is not reachable: "));
    EXPECT_FALSE(linked.link.up());
  }
  Linked linked(fmt::format("redis://:right@127.0.0.1:{}", redis.port()));
  linked.StartUp();
}

TEST(RedisLinkTest, UserWithFewRightsWorks) {
  const PrivateRedis redis;
  ASSERT_EQ(redis.Run({"ACL", "SETUSER", "node", "on", ">s:e@c", "~own:*", "&own:*",
                       "&{wsrouter}:canary:*", "+publish", "+subscribe", "+unsubscribe", "+set"}),
            "OK");
  Linked linked(fmt::format("redis://node:s%3Ae%40c@127.0.0.1:{}", redis.port()));
  linked.StartUp();
  EXPECT_TRUE(linked.Command({"SET", "own:key", "value"}).ok());
  const auto denied = linked.Command({"SET", "key", "value"});
  EXPECT_TRUE(absl::IsPermissionDenied(denied.status())) << denied.status();
  EXPECT_TRUE(linked.Subscribe("own:channel").ok());
}

TEST(RedisLinkTest, SubscribedChannelIsHeardUntilUnsubscribed) {
  const PrivateRedis redis;
  Linked linked(redis.url());
  linked.StartUp();
  ASSERT_TRUE(linked.Subscribe("a").ok());
  ASSERT_TRUE(linked.Subscribe("b").ok());
  ASSERT_TRUE(linked.Subscribe("b").ok());
  EXPECT_EQ(redis.Run({"PUBLISH", "a", "1"}), "1");
  EXPECT_EQ(redis.Run({"PUBLISH", "b", "2"}), "1");
  linked.watcher.WaitMessages(2);
  linked.link.Post([&] { linked.link.Unsubscribe("a"); });
  ASSERT_TRUE(linked.Subscribe("c").ok());  // behind the end of a
  EXPECT_EQ(redis.Run({"PUBLISH", "a", "3"}), "0");
  EXPECT_EQ(redis.Run({"PUBLISH", "c", "4"}), "1");
  EXPECT_THAT(linked.watcher.WaitMessages(3), ElementsAre("a 1", "b 2", "c 4"));
}

TEST(RedisLinkTest, OfSubscriptionsInARowTheLastCounts) {
  const PrivateRedis redis;
  Linked linked(redis.url());
  linked.StartUp();
  ASSERT_TRUE(linked.Subscribe("on").ok());
  ASSERT_TRUE(linked.Subscribe("off").ok());
  for (int i = 0; i < 50; ++i) {
    Awaited<absl::Status> overtaken;
    Awaited<absl::Status> last;
    linked.link.Post([&] {
      linked.link.Unsubscribe("on");
      linked.link.Subscribe("on", overtaken.Take());
      linked.link.Unsubscribe("on");
    });
    linked.link.Post([&] { linked.link.Subscribe("on", last.Take()); });
    linked.link.Post([&] { linked.link.Unsubscribe("off"); });
    EXPECT_TRUE(absl::IsCancelled(overtaken.Wait()));
    ASSERT_TRUE(last.Wait().ok());
    EXPECT_EQ(redis.Run({"PUBLISH", "on", std::to_string(i)}), "1");
    linked.watcher.WaitMessages(static_cast<size_t>(i) + 1);
    EXPECT_EQ(redis.Run({"PUBLISH", "off", "x"}), "0");
    ASSERT_TRUE(linked.Subscribe("off").ok());
  }
}

TEST(RedisLinkTest, TwentyThousandSubscriptionsAreLiveAndComeBack) {
  constexpr int kChannels = 20'000;
  PrivateRedis redis;
  Linked linked(redis.url());
  const auto subscribe_all = [&](absl::BlockingCounter& live) {
    for (int i = 0; i < kChannels; ++i) {
      linked.link.Subscribe(fmt::format("channel:{}", i), [&](const absl::Status& status) {
        EXPECT_TRUE(status.ok()) << status;
        live.DecrementCount();
      });
    }
  };
  for (size_t round = 1; round <= 2; ++round) {
    absl::BlockingCounter live(kChannels);
    linked.watcher.AtUp([&] { subscribe_all(live); });
    if (round == 1) {
      linked.link.Start(linked.watcher);
    } else {
      redis.Kill();
      redis.Start();
    }
    live.Wait();
    EXPECT_EQ(redis.Run({"PUBLISH", "channel:19999", "x"}), "1");
    linked.watcher.WaitMessages(round);
  }
}

TEST(RedisLinkTest, TasksRunInOrderAndPeriodically) {
  const PrivateRedis redis;
  Linked linked(redis.url());
  absl::BlockingCounter ticks(3);
  std::atomic<int> left{3};
  linked.link.Every(absl::Milliseconds(5), [&] {
    if (left.fetch_sub(1) > 0) ticks.DecrementCount();
  });
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) linked.link.Post([&order, i] { order.push_back(i); });
  linked.StartUp();
  ticks.Wait();
  linked.link.Stop();
  linked.link.Post([&order] { order.push_back(9); });
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

TEST(RedisLinkTest, StopAnswersWhatWaits) {
  constexpr int kThreads = 2;
  constexpr int kCommands = 20'000;
  PrivateRedis redis;
  Linked linked(redis.url());
  linked.StartUp();
  redis.Pause();
  std::atomic<int> answered{0};
  absl::BlockingCounter begun(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kCommands; ++i) {
        linked.link.Command({"PING"}, [&](const absl::StatusOr<RedisValue>&) { ++answered; });
        if (i == 1000) begun.DecrementCount();
      }
    });
  }
  begun.Wait();
  linked.link.Stop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kThreads * kCommands);
  const auto late = linked.Command({"PING"});
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("stopped"));
  EXPECT_EQ(linked.watcher.downs(), 1u);
  redis.Continue();
}

TEST(RedisLinkTest, NoMoreCommandsWaitThanMay) {
  PrivateRedis redis;
  RedisPatience patience = Patient();
  patience.command = absl::Minutes(1);
  patience.silence = absl::Minutes(1);
  Linked linked(redis.url(), patience);
  linked.StartUp();
  redis.Pause();
  std::atomic<size_t> refused{0};
  absl::BlockingCounter answered(static_cast<int>(RedisLink::kCommandsMax));
  for (size_t i = 0; i < RedisLink::kCommandsMax; ++i) {
    linked.link.Command({"PING"}, [&](const absl::StatusOr<RedisValue>& answer) {
      if (!answer.ok()) ++refused;
      answered.DecrementCount();
    });
  }
  EXPECT_TRUE(absl::IsUnavailable(linked.Command({"PING"}).status()));
  redis.Continue();
  answered.Wait();
  EXPECT_EQ(refused, 0u);
  EXPECT_TRUE(linked.Command({"PING"}).ok());
}

}  // namespace
}  // namespace wsrouter
