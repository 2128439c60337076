#include "auth/session_cookie.h"

#include <string>

#include "auth/token_refusal.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSecret = "a secret of a framework, 32 octets!";
const std::string kNext = "another secret of the framework";

SessionCookie CookieOf(CookieForm form, const std::string& field = "",
                       const std::vector<std::string>& secrets = {kSecret}) {
  return SessionCookie::Create({.form = form, .secrets = secrets, .field = field}).value();
}

std::string Signed(std::string_view value, const std::string& secret = kSecret) {
  return fmt::format("{}.{}", value, Base64UrlOf(HmacSha256Of(secret, value)));
}

std::string ReasonFor(const SessionCookie& cookie, std::string_view text) {
  const auto client = cookie.Verify(text);
  EXPECT_FALSE(client.ok()) << text;
  EXPECT_EQ(client.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(client.status().message()), Not(HasSubstr("user-42")));
  return ReasonOf(client.status());
}

// The signatures are another implementation's, Python's hmac.
TEST(SessionCookieTest, ValueIsTheClientInEveryForm) {
  for (const auto& [form, text] : {
           std::pair(CookieForm::kHex,
                     "user-42.32e3cb2e8b3b2daed97dc44262c84a26574dbcb44ce2e03cabbde4f1c3b3b3cd"),
           std::pair(CookieForm::kBase64Url, "user-42.MuPLLos7La7ZfcRCYshKJldNvLRM4uA8q73k8cOzs80"),
           std::pair(CookieForm::kExpress,
                     "s%3Auser-42.MuPLLos7La7ZfcRCYshKJldNvLRM4uA8q73k8cOzs80"),
       }) {
    const auto client = CookieOf(form).Verify(text);
    ASSERT_TRUE(client.ok()) << text << client.status();
    EXPECT_EQ(client->value, "user-42");
  }
}

TEST(SessionCookieTest, FieldOfAnObjectIsTheClient) {
  const SessionCookie express = CookieOf(CookieForm::kExpress, "uid");
  const auto client = express.Verify(
      "s%3Aj%3A%7B%22user%22%3A%7B%22id%22%3A1%7D%2C%22uid%22%3A42%7D.w4ereqU"
      "OwNqzOTgsZ%2BNLwivIYxvyYz4VhWNIC0lP6KA");
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ(client->value, "42");
  const SessionCookie plain = CookieOf(CookieForm::kBase64Url, "uid");
  for (const std::string& value :
       {Base64UrlOf(R"({"uid":"user-42","x":[1]})"), std::string(R"({"uid":"user-42"})")}) {
    const auto named = plain.Verify(Signed(value));
    ASSERT_TRUE(named.ok()) << named.status();
    EXPECT_EQ(named->value, "user-42");
  }
}

TEST(SessionCookieTest, FieldThatIsNoClientIdIsRefused) {
  const SessionCookie cookie = CookieOf(CookieForm::kBase64Url, "uid");
  for (const std::string_view value : {"user-42", "{}", "[]", R"({"uid":1.5})", R"({"uid":""})",
                                       R"({"uid":"\n"})", R"({"uid":1,"uid":2})", ""}) {
    EXPECT_EQ(ReasonFor(cookie, Signed(value)), kTokenClaims) << value;
    EXPECT_EQ(ReasonFor(cookie, Signed(Base64UrlOf(value))), kTokenClaims) << value;
  }
  const SessionCookie whole = CookieOf(CookieForm::kBase64Url);
  EXPECT_EQ(ReasonFor(whole, Signed("")), kTokenClaims);
  EXPECT_EQ(ReasonFor(whole, Signed(std::string(256, 'u'))), kTokenClaims);
}

TEST(SessionCookieTest, DotsBelongToTheValue) {
  const auto client = CookieOf(CookieForm::kBase64Url).Verify(Signed("a.b.c"));
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ(client->value, "a.b.c");
}

TEST(SessionCookieTest, EverySecretIsAcceptedAndNoOther) {
  const SessionCookie rotating = CookieOf(CookieForm::kBase64Url, "", {kNext, kSecret});
  EXPECT_TRUE(rotating.Verify(Signed("user-42")).ok());
  EXPECT_TRUE(rotating.Verify(Signed("user-42", kNext)).ok());
  const SessionCookie rotated = CookieOf(CookieForm::kBase64Url, "", {kNext});
  EXPECT_EQ(ReasonFor(rotated, Signed("user-42")), kTokenBadSignature);
}

TEST(SessionCookieTest, ChangedCookieIsRefused) {
  const SessionCookie cookie = CookieOf(CookieForm::kBase64Url);
  const std::string good = Signed("user-42");
  for (size_t i = 0; i + 1 < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const std::string reason = ReasonFor(cookie, changed);
    EXPECT_EQ(reason, good[i] == '.' ? kTokenMalformed : kTokenBadSignature);
  }
  const std::string mac = HmacSha256Of(kSecret, "user-42");
  EXPECT_EQ(ReasonFor(cookie, "user-42." + Base64UrlOf(mac.substr(0, 31))), kTokenBadSignature);
  EXPECT_EQ(ReasonFor(cookie, "user-42."), kTokenBadSignature);
}

TEST(SessionCookieTest, MalformedCookieIsRefused) {
  const SessionCookie plain = CookieOf(CookieForm::kBase64Url);
  for (const std::string_view text : {"", "user-42", "user-42.!", "user-42.QQ=="}) {
    EXPECT_EQ(ReasonFor(plain, text), kTokenMalformed) << text;
  }
  EXPECT_EQ(ReasonFor(CookieOf(CookieForm::kHex), "user-42.xyz"), kTokenMalformed);
  const SessionCookie express = CookieOf(CookieForm::kExpress);
  for (const std::string_view text :
       {"", "s", "s:", "s%3", "s%", "s%zz", "j%3A{}.QQ", "user-42.QQ"}) {
    EXPECT_EQ(ReasonFor(express, text), kTokenMalformed) << text;
  }
  EXPECT_EQ(ReasonFor(plain, std::string(8192, 'a')), kTokenTooLong);
}

TEST(SessionCookieTest, SecretsAreWantedAndLong) {
  EXPECT_FALSE(SessionCookie::Create({}).ok());
  EXPECT_FALSE(SessionCookie::Create({.secrets = {std::string(15, 's')}}).ok());
  EXPECT_FALSE(SessionCookie::Create({.secrets = std::vector<std::string>(9, kSecret)}).ok());
}

}  // namespace
}  // namespace wsrouter
