// That the checker of the directory's keys finds faults: each is planted alone.
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/directory_node.h"
#include "tests/support/private_redis.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {
namespace {

TEST(RedisCheckerTest, FindsEachFault) {
  const PrivateRedis redis;
  const std::string node = "a.0000000000000001";
  const std::string connection = node + ".00.1";
  const std::string nul(1, '\0');
  const std::string row = "c" + nul + "alice" + nul + connection;
  const std::vector<std::vector<std::string>> faults = {
      {"SREM", "{test}:index:" + node, row},
      {"SADD", "{test}:leftover:" + node, row},
      {"SADD", "{test}:index:" + node, "c" + nul + "bob" + nul + connection},
      {"SADD", "{test}:index:b.0000000000000001", row},
      {"ZREM", "{test}:nodes", node},
      {"DEL", "{test}:node:" + node},
      {"ZADD", "{test}:nodes", "9e15", "b.0000000000000001"},
      {"HDEL", "{test}:client:alice", connection},
      {"HSET", "{test}:client:bob", connection, "a1"},
      {"ZADD", "{test}:room:hall", "0", "alice" + nul + connection},
      {"DEL", "{test}:room:lobby"},
      {"ZADD", "{test}:room:lobby", "1", "alice" + nul + connection},
      {"HSET", "{test}:roomclients:lobby", "alice", "2"},
      {"HSET", "{test}:roomclients:hall", "alice", "1"},
      {"ZADD", "{test}:rooms", "0", "hall"},
      {"HINCRBY", "{test}:counts", "connections", "1"},
      {"HDEL", "{test}:counts", "clients:" + node},
      {"HSET", "{test}:counts", "more", "0"},
      {"SET", "{test}:unknown", "x"},
      {"LPUSH", "{test}:client:eve", "x"}};
  for (const std::vector<std::string>& fault : faults) {
    EXPECT_EQ(redis.Run({"FLUSHALL"}), "OK");
    DirectoryNode a(redis, {});
    EXPECT_TRUE(a.Bind(1, "alice").ok());
    EXPECT_TRUE(a.Join("lobby", 1, "alice").ok());
    EXPECT_EQ(CheckRedis(redis, "test"), "");
    EXPECT_FALSE(redis.Run(fault).starts_with("-"));
    EXPECT_NE(CheckRedis(redis, "test"), "") << fault[0] << " " << fault[1];
  }
}

}  // namespace
}  // namespace wsrouter
