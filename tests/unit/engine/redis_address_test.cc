#include "engine/redis_address.h"

#include <string>

#include "gmock/gmock.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedisAddressTest, HostAloneHasTheUsualPort) {
  const auto address = ParseRedisUrl("redis://redis.example");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->host, "redis.example");
  EXPECT_EQ(address->port, 6379);
  EXPECT_EQ(address->database, 0u);
  EXPECT_EQ(address->username, "");
  EXPECT_EQ(address->password, "");
  EXPECT_EQ(address->ToString(), "redis://redis.example:6379");
}

TEST(RedisAddressTest, EveryPartIsTaken) {
  const auto address = ParseRedisUrl("redis://node%41:p%40ss%3a%2F@10.0.0.1:7000/12");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->username, "nodeA");
  EXPECT_EQ(address->password, "p@ss:/");
  EXPECT_EQ(address->host, "10.0.0.1");
  EXPECT_EQ(address->port, 7000);
  EXPECT_EQ(address->database, 12u);
  EXPECT_EQ(address->ToString(), "redis://10.0.0.1:7000/12");
}

TEST(RedisAddressTest, PasswordAloneIsTheDefaultUsers) {
  const auto address = ParseRedisUrl("redis://:secret@host/");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->username, "");
  EXPECT_EQ(address->password, "secret");
}

TEST(RedisAddressTest, SixthVersionIsInBrackets) {
  const auto address = ParseRedisUrl("redis://[::1]:6380");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, 6380);
  EXPECT_EQ(address->ToString(), "redis://[::1]:6380");
  EXPECT_FALSE(address->tls.on);
  const auto secure = ParseRedisUrl("rediss://redis.example/2");
  ASSERT_TRUE(secure.ok());
  EXPECT_TRUE(secure->tls.on);
  EXPECT_EQ(secure->ToString(), "rediss://redis.example:6379/2");
}

TEST(RedisAddressTest, UnixSocketHasAPath) {
  const auto address = ParseRedisUrl("redis+unix://u:p@/run/redis.sock?db=3");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->host, "");
  EXPECT_EQ(address->unix_path, "/run/redis.sock");
  EXPECT_EQ(address->username, "u");
  EXPECT_EQ(address->password, "p");
  EXPECT_EQ(address->database, 3u);
  EXPECT_EQ(address->ToString(), "redis+unix:///run/redis.sock?db=3");
}

TEST(RedisAddressTest, WhatIsMalformedIsRefused) {
  for (const std::string url : {"",
                                "redis",
                                "http://host",
                                "redis://",
                                "redis://:7000",
                                "redis://host:",
                                "redis://host:0",
                                "redis://host:65536",
                                "redis://host:1x",
                                "redis://[::1",
                                "redis://[::1]x",
                                "redis://host/x",
                                "redis://host/-1",
                                "redis://host/4294967296",
                                "redis://user@host",
                                "redis://:@host",
                                "redis://:%4@host",
                                "redis://:%zz@host",
                                "redis+unix://",
                                "redis+unix://host/path",
                                "redis+unix:///",
                                "redis+unix:///a?x=1",
                                "redis+unix:///a?db=",
                                "redis+unix:///a?db=1&x"}) {
    EXPECT_FALSE(ParseRedisUrl(url).ok()) << url;
  }
  EXPECT_FALSE(ParseRedisUrl("redis+unix:///" + std::string(120, 'a')).ok());
  EXPECT_FALSE(ParseRedisUrl(std::string("redis://a\0b", 11)).ok());
}

TEST(RedisAddressTest, ErrorShowsNoPassword) {
  for (const std::string url : {"redis://u:secret@host:x", "redis://u:secret%z@host",
                                "http://u:secret@host", "redis+unix://u:secret@host/path"}) {
    const auto address = ParseRedisUrl(url);
    ASSERT_FALSE(address.ok()) << url;
    EXPECT_THAT(address.status().ToString(), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace wsrouter
