#include "core/rate_limits.h"

#include "core/error.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kSecond = absl::Seconds(1);

Envelope To(Topic to, std::string from = "") {
  return {.to = std::move(to), .action = Deliver{}, .from = {std::move(from)}};
}

TEST(RateLimitTest, ParsesPushesAndAWindow) {
  EXPECT_EQ(*ParseRateLimit("100/1s"), (RateLimit{.n = 100, .window = kSecond}));
  EXPECT_EQ(*ParseRateLimit("10000/1h"), (RateLimit{.n = 10'000, .window = absl::Hours(1)}));
  EXPECT_FALSE(ParseRateLimit("0")->on());
  for (const char* bad :
       {"", "1", "1/", "/1s", "0/1s", "10001/1s", "1/2h", "1/1us", "-1/1s", "x/1s"}) {
    EXPECT_FALSE(ParseRateLimit(bad).ok()) << bad;
  }
}

TEST(RateLimitTest, ARefusalSaysWhoIsOverAndHowLong) {
  const RateCharge charge = {.client = {.log = "c", .limit = {.n = 2, .window = kSecond}},
                             .room = {}};
  const absl::Status status =
      RateStatus({RateVerdict::Result::kClient, absl::Milliseconds(1500)}, charge);
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(ReasonOf(status), "RATE_CLIENT");
  EXPECT_EQ(RetryAfter(status), absl::Milliseconds(1500));
  EXPECT_EQ(RetryAfter(absl::OkStatus()), absl::ZeroDuration());
}

TEST(NamespacesTest, TheLongestPrefixCountsAndInheritsTheRest) {
  const NamespaceOptions defaults = {.room_rate = {.n = 1, .window = kSecond},
                                     .client_rate = {.n = 2, .window = kSecond}};
  const auto spaces = Namespaces::Parse(
      {"chat: room_rate=50/1s", "chat:vip: client_rate=0 on_limit=disconnect"}, defaults);
  ASSERT_TRUE(spaces.ok()) << spaces.status();
  EXPECT_EQ(spaces->Of("news").options.room_rate.n, 1u);
  EXPECT_EQ(spaces->Of("chat:a").options.room_rate.n, 50u);
  EXPECT_EQ(spaces->Of("chat:a").options.client_rate.n, 2u);
  EXPECT_FALSE(spaces->Of("chat:vip:a").options.client_rate.on());
  EXPECT_EQ(spaces->Of("chat:vip:a").options.on_limit, OnRateLimit::kDisconnect);
  EXPECT_EQ(spaces->Of("chat:a").options.on_limit, OnRateLimit::kDrop);
}

TEST(NamespacesTest, WhatRoomsKeepIsInheritedToo) {
  const auto spaces =
      Namespaces::Parse({"chat: history_size=10000 reliable=always", "dm: history_ttl=90s"},
                        {.history = {.size = 7, .ttl = absl::Minutes(1)}});
  ASSERT_TRUE(spaces.ok()) << spaces.status();
  const HistoryOptions chat = spaces->Of("chat:a").options.history;
  EXPECT_EQ(chat.size, 10'000u);
  EXPECT_EQ(chat.ttl, absl::Minutes(1));
  EXPECT_TRUE(chat.always);
  const HistoryOptions dm = spaces->Of("dm:a").options.history;
  EXPECT_EQ(dm.size, 7u);
  EXPECT_EQ(dm.ttl, absl::Seconds(90));
  EXPECT_FALSE(dm.always);
  EXPECT_TRUE(spaces->AnyHistory());
  EXPECT_FALSE(Namespaces().AnyHistory());
}

TEST(NamespacesTest, ABadLineIsRefused) {
  for (const char* bad : {"", "chat:", "chat: room_rate", "chat: room_rate=x", "chat: other=1",
                          "chat: on_limit=close", "chat: history_size=10001",
                          "chat: log_messages=yes", "chat: history_size=-1", "chat: history_ttl=0s",
                          "chat: history_ttl=721h", "chat: history_ttl=5", "chat: reliable=yes"}) {
    EXPECT_FALSE(Namespaces::Parse({bad}, {}).ok()) << bad;
  }
  EXPECT_FALSE(Namespaces::Parse({"a room_rate=0", "a client_rate=0"}, {}).ok());
}

TEST(RateRulesTest, WithoutALimitNothingIsCharged) {
  RateRules rules;
  EXPECT_FALSE(rules.ChargeOf(To(RoomName{"lobby"}, "alice")).has_value());
  EXPECT_TRUE(rules.Set(RoomName{"lobby"}, RateLimit{.n = 1, .window = kSecond}));
  EXPECT_TRUE(rules.ChargeOf(To(RoomName{"lobby"})).has_value());
  EXPECT_FALSE(rules.ChargeOf(To(RoomName{"other"})).has_value());
  EXPECT_TRUE(rules.Set(RoomName{"lobby"}, std::nullopt));
  EXPECT_FALSE(rules.ChargeOf(To(RoomName{"lobby"})).has_value());
}

TEST(RateRulesTest, TheSenderIsChargedAndNeverTheRecipient) {
  RateRules rules;
  rules.Set(ClientId{"bob"}, RateLimit{.n = 1, .window = kSecond});
  EXPECT_FALSE(rules.ChargeOf(To(ClientId{"bob"})).has_value());
  EXPECT_FALSE(rules.ChargeOf(To(ClientId{"bob"}, "alice")).has_value());
  const auto charge = rules.ChargeOf(To(ClientId{"alice"}, "bob"));
  ASSERT_TRUE(charge.has_value());
  EXPECT_EQ(charge->client.limit.n, 1u);
  EXPECT_FALSE(charge->room.limit.on());
}

TEST(RateRulesTest, WhatWasSetCountsBeforeTheNamespaceAlsoWhereItIsOff) {
  RateRules rules(Namespaces({.room_rate = {.n = 5, .window = kSecond}}));
  EXPECT_EQ(rules.ChargeOf(To(RoomName{"lobby"}))->room.limit.n, 5u);
  rules.Set(RoomName{"lobby"}, RateLimit{});
  EXPECT_FALSE(rules.ChargeOf(To(RoomName{"lobby"})).has_value());
  EXPECT_TRUE(rules.ChargeOf(To(RoomName{"other"})).has_value());
}

TEST(RateRulesTest, NamespacesThatAreReplacedCountAtOnceBehindWhatWasSet) {
  RateRules rules;
  rules.SetNamespaces(Namespaces({.room_rate = {.n = 5, .window = kSecond}}));
  EXPECT_EQ(rules.ChargeOf(To(RoomName{"lobby"}))->room.limit.n, 5u);
  rules.Set(RoomName{"lobby"}, RateLimit{.n = 7, .window = kSecond});
  rules.SetNamespaces(Namespaces({.room_rate = {.n = 6, .window = kSecond}}));
  EXPECT_EQ(rules.ChargeOf(To(RoomName{"lobby"}))->room.limit.n, 7u);
  EXPECT_EQ(rules.ChargeOf(To(RoomName{"other"}))->room.limit.n, 6u);
  rules.SetNamespaces(Namespaces());
  EXPECT_EQ(rules.ChargeOf(To(RoomName{"lobby"}))->room.limit.n, 7u);
  EXPECT_FALSE(rules.ChargeOf(To(RoomName{"other"})).has_value());
}

TEST(RateRulesTest, ANamespaceWithItsOwnClientRateCountsApart) {
  RateRules rules(
      *Namespaces::Parse({"chat: client_rate=3/1s"}, {.client_rate = {.n = 5, .window = kSecond}}));
  EXPECT_NE(rules.ChargeOf(To(RoomName{"chat:a"}, "bob"))->client.log,
            rules.ChargeOf(To(RoomName{"news"}, "bob"))->client.log);
  EXPECT_EQ(rules.ChargeOf(To(RoomName{"other"}, "bob"))->client.log,
            rules.ChargeOf(To(ClientId{"x"}, "bob"))->client.log);
}

TEST(RateRulesTest, PagesListEachLimitOnceAndMoreThanTheMostAreRefused) {
  RateRules rules;
  const RateLimit limit = {.n = 1, .window = kSecond};
  for (size_t i = 0; i < kRateOverridesMax; ++i) {
    const std::string name = std::to_string(i);
    ASSERT_TRUE(rules.Set(i % 3 == 0 ? RateSubject(ClientId{name}) : RoomName{name}, limit));
  }
  EXPECT_FALSE(rules.Set(ClientId{"one more"}, limit));
  EXPECT_TRUE(rules.Set(RoomName{"7"}, RateLimit{}));
  size_t rows = 0;
  std::string cursor;
  do {
    const RateLimitsPage page = rules.Page(cursor, 1000);
    rows += page.rows.size();
    cursor = page.next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(rows, kRateOverridesMax);
}

}  // namespace
}  // namespace wsrouter
