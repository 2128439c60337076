#include "control/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "core/error.h"

namespace wsrouter {
namespace {

const std::string kReader = "reader-0123456789abcdef0123456789";
const std::string kPublisher = "publisher-0123456789abcdef0123456789";
const std::string kAdmin = "admin-0123456789abcdef0123456789";
const absl::Time kNow = absl::FromUnixSeconds(1'900'000'000);

constexpr char kStats[] = "/wsrouter.v1.Admin/Stats";
constexpr char kPush[] = "/wsrouter.v1.Router/Push";
constexpr char kGetConfig[] = "/wsrouter.v1.Admin/GetConfig";
constexpr char kHealth[] = "/grpc.health.v1.Health/Check";

std::shared_ptr<const TokenTable> Tokens() {
  absl::StatusOr<TokenTable> table =
      TokenTable::Parse("a read " + kReader + "\nb publish " + kPublisher + "\nc admin " + kAdmin);
  EXPECT_TRUE(table.ok()) << table.status();
  return std::make_shared<const TokenTable>(*std::move(table));
}

std::string Verdict(const Access& access, std::string_view method, const Caller& caller) {
  const absl::Status status = access.Check(method, caller, kNow);
  return status.ok() ? "OK" : ReasonOf(status);
}

std::string WithHeader(const Access& access, std::string_view method, const std::string& header) {
  return Verdict(access, method, {.names = {}, .authorization = {header}});
}

TEST(AccessTest, WithoutRulesEverybodyMayCallEverything) {
  const Access access({}, nullptr);
  EXPECT_FALSE(access.required());
  EXPECT_EQ(Verdict(access, kGetConfig, {}), "OK");
}

TEST(AccessTest, EachRoleMayDoWhatThoseBeforeItMay) {
  const Access access({}, Tokens());
  const std::pair<std::string, std::vector<std::string>> wanted[] = {
      {kReader, {"OK", "ROLE_MISSING", "ROLE_MISSING"}},
      {kPublisher, {"OK", "OK", "ROLE_MISSING"}},
      {kAdmin, {"OK", "OK", "OK"}}};
  for (const auto& [token, verdicts] : wanted) {
    const std::string header = "Bearer " + token;
    EXPECT_EQ(WithHeader(access, kStats, header), verdicts[0]) << token;
    EXPECT_EQ(WithHeader(access, kPush, header), verdicts[1]) << token;
    EXPECT_EQ(WithHeader(access, kGetConfig, header), verdicts[2]) << token;
  }
}

TEST(AccessTest, UnknownMethodIsForNobodyAndHealthForAll) {
  const Access access({}, Tokens());
  EXPECT_EQ(WithHeader(access, "/wsrouter.v1.Admin/Nope", "Bearer " + kAdmin), "ROLE_MISSING");
  EXPECT_EQ(WithHeader(access, "", "Bearer " + kAdmin), "ROLE_MISSING");
  EXPECT_EQ(Verdict(access, kHealth, {}), "OK");
}

TEST(AccessTest, WhatIsWrongWithACredentialIsNotSaid) {
  Access access({}, Tokens());
  absl::StatusOr<TokenTable> expired =
      TokenTable::Parse("a admin " + kAdmin + " 2001-01-01T00:00:00Z");
  const absl::Status none = access.Check(kStats, {}, kNow);
  const absl::Status wrong = access.Check(
      kStats, {.names = {}, .authorization = {"Bearer 0123456789abcdef0123456789abcdef"}}, kNow);
  access.SetTokens(std::make_shared<const TokenTable>(*std::move(expired)));
  const std::string header = "Bearer " + kAdmin;
  const absl::Status late = access.Check(kStats, {.names = {}, .authorization = {header}}, kNow);
  EXPECT_EQ(ReasonOf(none), "UNAUTHENTICATED_CALL");
  EXPECT_EQ(none.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(none, wrong);
  EXPECT_EQ(none, late);
}

TEST(AccessTest, HeaderMustBeOneBearerToken) {
  const Access access({}, Tokens());
  EXPECT_EQ(WithHeader(access, kStats, "bEARER " + kReader), "OK");
  for (const std::string& header :
       {kReader, "Basic " + kReader, "Bearer  " + kReader, "Bearer" + kReader,
        "Bearer " + kReader + " ", std::string("Bearer "), std::string()}) {
    EXPECT_EQ(WithHeader(access, kStats, header), "UNAUTHENTICATED_CALL") << header;
  }
  const std::string header = "Bearer " + kReader;
  EXPECT_EQ(Verdict(access, kStats, {.names = {}, .authorization = {header, header}}),
            "UNAUTHENTICATED_CALL");
}

TEST(AccessTest, NameOfACertificateHasItsRole) {
  const Access access({{.name = "chat.example.org", .role = Role::kPublish},
                       {.name = "spiffe://example.org/ops", .role = Role::kAdmin}},
                      nullptr);
  EXPECT_TRUE(access.required());
  EXPECT_EQ(Verdict(access, kPush, {.names = {"x", "chat.example.org"}, .authorization = {}}),
            "OK");
  EXPECT_EQ(Verdict(access, kGetConfig, {.names = {"chat.example.org"}, .authorization = {}}),
            "ROLE_MISSING");
  EXPECT_EQ(
      Verdict(access, kGetConfig,
              {.names = {"chat.example.org", "spiffe://example.org/ops"}, .authorization = {}}),
      "OK");
  for (const char* stranger : {"", "example.org", "chat.example.org.evil", "CHAT.example.org"}) {
    EXPECT_EQ(Verdict(access, kStats, {.names = {stranger}, .authorization = {}}),
              "UNAUTHENTICATED_CALL")
        << stranger;
  }
}

TEST(AccessTest, WhoShowsATokenIsJudgedByItAlone) {
  const Access access({{.name = "ops", .role = Role::kAdmin}}, Tokens());
  const std::string reader = "Bearer " + kReader;
  EXPECT_EQ(Verdict(access, kGetConfig, {.names = {"ops"}, .authorization = {}}), "OK");
  EXPECT_EQ(Verdict(access, kGetConfig, {.names = {"ops"}, .authorization = {reader}}),
            "ROLE_MISSING");
  EXPECT_EQ(Verdict(access, kGetConfig, {.names = {"ops"}, .authorization = {"Bearer no"}}),
            "UNAUTHENTICATED_CALL");
}

TEST(NamedRoleTest, IsANameAndARole) {
  const std::optional<NamedRole> parsed = ParseNamedRole("chat backend publish");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->name, "chat backend");
  EXPECT_EQ(parsed->role, Role::kPublish);
  for (const char* bad : {"", "admin", " admin", "chat", "chat root", "chat  admin", " chat admin",
                          "chat admin ", "ch\tat admin", "chat Admin"}) {
    EXPECT_FALSE(ParseNamedRole(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace wsrouter
