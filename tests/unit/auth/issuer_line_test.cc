#include "auth/issuer_line.h"

#include <string>

#include "gtest/gtest.h"

namespace wsrouter {
namespace {

TEST(IssuerLineTest, SaysWhoSignsHowAndWhereTheKeysAre) {
  const auto line = ParseIssuerLine("https://id.example RS256  https://id.example/jwks.json  id:");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->issuer, "https://id.example");
  EXPECT_EQ(line->algorithm, Algorithm::kRs256);
  EXPECT_EQ(line->keys, "https://id.example/jwks.json");
  EXPECT_EQ(line->client_id_prefix, "id:");
  EXPECT_TRUE(line->by_url());
  const auto file = ParseIssuerLine("- HS256 /etc/secret");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->issuer, "");
  EXPECT_FALSE(file->by_url());
}

TEST(IssuerLineTest, RefusesWhatWouldBeUnsafeOrUnclear) {
  for (const std::string bad :
       {"", "a", "a RS256", "a none /k", "a rs256 /k", "a RS256 /k p more",
        "a RS256 http://id.example/jwks", "a RS256 ftp://id.example/jwks", "a RS256 https://",
        "a HS256 https://id.example/jwks", "a RS256 http://127.0.0.1.evil.example/jwks"}) {
    EXPECT_FALSE(ParseIssuerLine(bad).ok()) << bad;
  }
  EXPECT_TRUE(ParseIssuerLine("a RS256 http://127.0.0.1:8000/jwks").ok());
}

}  // namespace
}  // namespace wsrouter
