#include "wsrouter/uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace wsrouter::client {
namespace {

using ::testing::HasSubstr;

TEST(QueryValueTest, FirstValueOfTheNameIsDecoded) {
  EXPECT_EQ(QueryValue("name=alice&room=lobby", "room"), "lobby");
  EXPECT_EQ(QueryValue("name=J%C3%bcrgen+K%2B&x", "name"), "J\xC3\xBCrgen K+");
  EXPECT_EQ(QueryValue("a=1&a=2", "a"), "1");
  EXPECT_EQ(QueryValue("a%62=1=2", "ab"), "1=2");
}

TEST(QueryValueTest, NameWithoutAValueIsEmptyNotAbsent) {
  EXPECT_EQ(QueryValue("name", "name"), "");
  EXPECT_EQ(QueryValue("&name=&", "name"), "");
}

TEST(QueryValueTest, AbsentNameHasNoValue) {
  EXPECT_EQ(QueryValue("", "name"), std::nullopt);
  EXPECT_EQ(QueryValue("names=alice&xname=bob", "name"), std::nullopt);
}

TEST(QueryValueTest, BrokenEscapeHasNoValue) {
  for (const char* query : {"n=%", "n=%4", "n=%zz", "n=ab%4g"}) {
    EXPECT_EQ(QueryValue(query, "n"), std::nullopt) << query;
  }
}

TEST(QueryValueTest, ValueThatIsNotUtf8HasNone) {
  for (const char* query : {"n=%FF", "n=%C3", "n=%C0%80", "n=%E0%80%80", "n=%ED%A0%80", "n=%80",
                            "n=%F0%80%80%80", "n=%F4%90%80%80", "n=%F5%80%80%80", "n=%E2%82x"}) {
    EXPECT_EQ(QueryValue(query, "n"), std::nullopt) << query;
  }
  EXPECT_EQ(QueryValue("n=%F0%9F%98%80%EF%BF%BF", "n"), "\xF0\x9F\x98\x80\xEF\xBF\xBF");
}

TEST(PercentEncodeTest, DecodingGivesTheSameText) {
  const std::string text = "a b&c=d%+/?\xC3\xBC~.-_\n";

  EXPECT_EQ(PercentEncode(text), "a%20b%26c%3Dd%25%2B%2F%3F%C3%BC~.-_%0A");
  EXPECT_EQ(QueryValue("x=" + PercentEncode(text), "x"), text);
}

TEST(WebSocketUrlTest, PartsAreTakenApartAndDefaultsFilledIn) {
  const auto plain = ParseWebSocketUrl("ws://example.org");
  ASSERT_TRUE(plain.ok());
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "example.org");
  EXPECT_EQ(plain->port, "80");
  EXPECT_EQ(plain->target, "/");

  const auto secure = ParseWebSocketUrl("wss://[::1]:8443/ws?a=b");
  ASSERT_TRUE(secure.ok());
  EXPECT_TRUE(secure->tls);
  EXPECT_EQ(secure->host, "::1");
  EXPECT_EQ(secure->port, "8443");
  EXPECT_EQ(secure->target, "/ws?a=b");

  EXPECT_EQ(ParseWebSocketUrl("wss://example.org?a")->target, "/?a");
  EXPECT_EQ(ParseWebSocketUrl("wss://example.org?a")->port, "443");
}

TEST(WebSocketUrlTest, WhatCannotBeConnectedToIsRefused) {
  for (const char* url :
       {"", "http://a", "ws:/a", "ws://", "ws://:80", "ws://a:", "ws://a:0", "ws://a:65536",
        "ws://a:8x", "ws://[::1", "ws://[]", "ws://[::1]8", "ws://u@a", "ws://a/#f",
        "ws://a/\r\nX: y", "ws://a/b c", "ws://\xC3\xBC/"}) {
    EXPECT_FALSE(ParseWebSocketUrl(url).ok()) << url;
  }
  EXPECT_THAT(std::string(ParseWebSocketUrl("ws://a:0").status().message()),
              HasSubstr("port must be a number of 1 to 65535"));
}

}  // namespace
}  // namespace wsrouter::client
