#include "auth/token_claims.h"

#include <string>

#include "auth/strict_json.h"
#include "auth/token_refusal.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const TokenOptions kOptions = {.clock_slack = absl::Seconds(30)};

nlohmann::json Claims(std::string_view text) { return ParseJsonObject(text).value(); }

std::string ReasonOfTimes(std::string_view claims, const TokenOptions& options = kOptions) {
  return ReasonOf(CheckTimes(Claims(claims), options, kNow).status());
}

TEST(TokenTimesTest, TokenExpiresWithTheClockSlack) {
  const auto end = CheckTimes(Claims(R"({"exp":1800000000})"), kOptions, kNow);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, kNow + absl::Seconds(30));
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1799999971})"), "");
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1799999970.5})"), "");
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1799999970})"), kTokenExpired);
  EXPECT_EQ(ReasonOfTimes(R"({"exp":0})"), kTokenExpired);
}

TEST(TokenTimesTest, TokenThatBeginsLaterIsNotYetValid) {
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1800000060,"nbf":1800000030})"), "");
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1800000060,"nbf":1800000031})"), kTokenNotYetValid);
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1800000060,"iat":1800000030})"), "");
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1800000060,"iat":1800000031})"), kTokenNotYetValid);
}

TEST(TokenTimesTest, ExpiryIsWantedUnlessToldOtherwise) {
  EXPECT_EQ(ReasonOfTimes("{}"), kTokenClaims);
  const auto end = CheckTimes(Claims("{}"), {.require_expiry = false}, kNow);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, absl::InfiniteFuture());
}

TEST(TokenTimesTest, WhatIsNoDateIsRefused) {
  for (const std::string_view value : {"\"1800000060\"", "-1", "null", "true", "[]", "1e300",
                                       "1800000060000", "18446744073709551615"}) {
    for (const std::string_view name : {"exp", "nbf", "iat"}) {
      const std::string others = name == "exp" ? "" : R"(,"exp":1800000060)";
      EXPECT_EQ(ReasonOfTimes(fmt::format(R"({{"{}":{}{}}})", name, value, others)), kTokenClaims)
          << name << value;
    }
  }
}

TEST(TokenTimesTest, LifetimeIsBoundedWhereThatIsConfigured) {
  const TokenOptions options = {.lifetime_max = absl::Hours(1), .require_expiry = false};
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1800003600,"iat":1800000000})", options), "");
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1800003601,"iat":1800000000})", options), kTokenClaims);
  EXPECT_EQ(ReasonOfTimes(R"({"exp":1800000060})", options), kTokenClaims);
  EXPECT_EQ(ReasonOfTimes(R"({"iat":1800000000})", options), kTokenClaims);
}

TEST(TokenAudienceTest, OneOfOursMustBeNamed) {
  const TokenIssuer issuer = {.audiences = {"ws", "ws-2"}};
  for (const std::string_view claims :
       {R"({"aud":"ws"})", R"({"aud":"ws-2"})", R"({"aud":["x","ws"]})"}) {
    EXPECT_TRUE(CheckAudience(Claims(claims), issuer).ok()) << claims;
  }
  for (const std::string_view claims :
       {"{}", R"({"aud":"WS"})", R"({"aud":"ws "})", R"({"aud":[]})", R"({"aud":["ws",1]})",
        R"({"aud":{"ws":1}})", R"({"aud":""})", R"({"aud":["x"]})"}) {
    EXPECT_EQ(ReasonOf(CheckAudience(Claims(claims), issuer)), kTokenWrongAudience) << claims;
  }
}

TEST(TokenAudienceTest, TokenForOthersIsRefusedWhereNoAudienceIsConfigured) {
  EXPECT_TRUE(CheckAudience(Claims("{}"), {}).ok());
  EXPECT_EQ(ReasonOf(CheckAudience(Claims(R"({"aud":"x"})"), {})), kTokenWrongAudience);
}

TEST(TokenClaimsTest, ClaimsBecomeWhatAConnectionIs) {
  const auto token =
      MapClaims(Claims(R"({"sub":"u","rooms":["a","b:c"],"labels":{"plan":"gold","x":""},)"
                       R"("wsrouter.join":["team:*","lobby"]})"),
                {.name = "i"}, kOptions);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->issuer, "i");
  EXPECT_EQ(token->client_id.value, "u");
  ASSERT_THAT(token->rooms, SizeIs(2));
  EXPECT_EQ(token->rooms[1].value, "b:c");
  EXPECT_THAT(token->labels, ElementsAre(Pair("plan", "gold"), Pair("x", "")));
  EXPECT_THAT(token->may_join, ElementsAre("team:*", "lobby"));
}

TEST(TokenClaimsTest, NamesOfClaimsAndPrefixAreConfigured) {
  const TokenOptions options = {
      .claims = {.client_id = "uid", .rooms = "https://x/rooms", .labels = "l", .may_join = "j"},
      .may_join = {"public:*"}};
  const auto token = MapClaims(Claims(R"({"uid":-7,"https://x/rooms":["a"],"l":{},"rooms":1})"),
                               {.client_id_prefix = "x/"}, options);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->client_id.value, "x/-7");
  EXPECT_THAT(token->rooms, SizeIs(1));
  EXPECT_THAT(token->may_join, ElementsAre("public:*"));
  const auto none = MapClaims(Claims(R"({"uid":18446744073709551615,"j":[]})"), {}, options);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(none->client_id.value, "18446744073709551615");
  EXPECT_THAT(none->may_join, IsEmpty());
}

TEST(TokenClaimsTest, ClaimsThatBreakTheRulesOfCoreAreRefused) {
  const std::string long_name(256, 'n');
  std::string many_labels = R"("l0":"")";
  for (int i = 1; i <= 32; ++i) many_labels += fmt::format(R"(,"l{}":"")", i);
  std::string many_rooms = R"("r")";
  for (int i = 1; i <= 128; ++i) many_rooms += R"(,"r")";
  for (const std::string& claims : {
           std::string("{}"),
           std::string(R"({"sub":""})"),
           std::string(R"({"sub":1.5})"),
           std::string(R"({"sub":null})"),
           std::string(R"({"sub":["u"]})"),
           std::string(R"({"sub":"u\u0000"})"),
           std::string(R"({"sub":"u\u0085"})"),
           fmt::format(R"({{"sub":"{}"}})", long_name),
           std::string(R"({"sub":"u","rooms":"a"})"),
           std::string(R"({"sub":"u","rooms":[1]})"),
           std::string(R"({"sub":"u","rooms":[""]})"),
           std::string(R"({"sub":"u","rooms":["secret\n"]})"),
           fmt::format(R"({{"sub":"u","rooms":["{}"]}})", long_name),
           fmt::format(R"({{"sub":"u","rooms":[{}]}})", many_rooms),
           std::string(R"({"sub":"u","labels":[]})"),
           std::string(R"({"sub":"u","labels":{"":""}})"),
           std::string(R"({"sub":"u","labels":{"a":1}})"),
           std::string(R"({"sub":"u","labels":{"a":"secret\t"}})"),
           std::string(R"({"sub":"u","labels":{"a\u007f":""}})"),
           fmt::format(R"({{"sub":"u","labels":{{"a":"{}"}}}})", std::string(1024, 'v')),
           fmt::format(R"({{"sub":"u","labels":{{{}}}}})", many_labels),
           std::string(R"({"sub":"u","wsrouter.join":"*"})"),
           std::string(R"({"sub":"u","wsrouter.join":["\n"]})"),
       }) {
    const auto token = MapClaims(Claims(claims), {}, kOptions);
    EXPECT_EQ(ReasonOf(token.status()), kTokenClaims) << claims;
    EXPECT_THAT(std::string(token.status().message()), Not(HasSubstr("secret")));
    EXPECT_THAT(std::string(token.status().message()), Not(HasSubstr("nnn")));
  }
}

}  // namespace
}  // namespace wsrouter
