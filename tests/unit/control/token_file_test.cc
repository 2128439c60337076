#include "control/token_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kToken = "0123456789abcdef0123456789abcdef";
const std::string kOther = "fedcba9876543210fedcba9876543210";
const absl::Time kNow = absl::FromUnixSeconds(1'900'000'000);  // 2030-03-17T17:46:40Z

std::string Refusal(const std::string& text) {
  const absl::StatusOr<TokenTable> table = TokenTable::Parse(text);
  return table.ok() ? "(accepted)" : std::string(StdView(table.status().message()));
}

TEST(TokenFileTest, TokensHaveTheRoleOfTheirLine) {
  const absl::StatusOr<TokenTable> table =
      TokenTable::Parse("# who may call\n\n  chat  publish\t" + kToken + "\r\nops admin " + kOther);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->size(), 2u);
  EXPECT_EQ(table->RoleOf(kToken, kNow), Role::kPublish);
  EXPECT_EQ(table->RoleOf(kOther, kNow), Role::kAdmin);
}

TEST(TokenFileTest, WhatIsNotAWholeTokenHasNoRole) {
  const absl::StatusOr<TokenTable> table = TokenTable::Parse("chat publish " + kToken);
  ASSERT_TRUE(table.ok()) << table.status();
  for (const std::string& wrong : {std::string(), kToken.substr(1), kToken + "0", kOther,
                                   " " + kToken, std::string("chat"), std::string(8192, '0')}) {
    EXPECT_EQ(table->RoleOf(wrong, kNow), std::nullopt) << wrong;
  }
}

TEST(TokenFileTest, TokenEndsAtItsExpiry) {
  const absl::StatusOr<TokenTable> table =
      TokenTable::Parse("chat read " + kToken + " 2030-03-17T17:46:40Z");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->RoleOf(kToken, kNow - absl::Milliseconds(1)), Role::kRead);
  EXPECT_EQ(table->RoleOf(kToken, kNow), std::nullopt);
  EXPECT_EQ(table->RoleOf(kToken, kNow + absl::Hours(1)), std::nullopt);
}

TEST(TokenFileTest, OneNameMayHaveTwoTokensWhileTheyChange) {
  const absl::StatusOr<TokenTable> table = TokenTable::Parse(
      "chat publish " + kToken + "\nchat publish " + kOther + " 2031-01-01T00:00:00+01:00\n");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->RoleOf(kToken, kNow), Role::kPublish);
  EXPECT_EQ(table->RoleOf(kOther, kNow), Role::kPublish);
}

TEST(TokenFileTest, BadLineRefusesAllAndIsNamedWithoutItsText) {
  const std::string good = "chat publish " + kToken + "\n";
  EXPECT_EQ(Refusal(""), "has no token");
  EXPECT_EQ(Refusal("# chat publish " + kToken), "has no token");
  EXPECT_THAT(Refusal(good + "ops admin"), HasSubstr("line 2: wanted <name> <role> <token>"));
  EXPECT_THAT(Refusal(good + "ops admin a b c"), HasSubstr("line 2: wanted"));
  EXPECT_THAT(Refusal(good + "ops admin " + kToken.substr(1)),
              HasSubstr("line 2: the token is shorter than 32 octets"));
  EXPECT_THAT(Refusal(good + "ops root " + kOther),
              HasSubstr("line 2: the second word is no role"));
  EXPECT_THAT(Refusal(good + "ops admin " + kOther + " tomorrow"),
              HasSubstr("line 2: the fourth word is no time"));
  EXPECT_THAT(Refusal(good + "ops admin " + kOther + " 2030-03-17"), HasSubstr("no time"));
  EXPECT_THAT(Refusal(good + "ops admin " + kToken), HasSubstr("line 2: the token stands in"));
  for (const std::string& swapped :
       {kOther + " admin x", "admin " + kOther + " ops", "ops admin x " + kOther, kOther}) {
    EXPECT_THAT(Refusal(good + swapped), Not(HasSubstr(kOther))) << swapped;
    EXPECT_NE(Refusal(good + swapped), "(accepted)") << swapped;
  }
}

TEST(TokenFileTest, TokensAreBounded) {
  std::string text;
  for (size_t i = 0; i < TokenTable::kTokensMax; ++i) {
    text += "chat read " + kToken + std::to_string(i) + "\n";
  }
  EXPECT_EQ(Refusal(text), "(accepted)");
  EXPECT_THAT(Refusal(text + "chat read " + kOther), HasSubstr("more than 1000 tokens"));
}

}  // namespace
}  // namespace wsrouter
