#include "auth/token_verifier.h"

#include <string>
#include <utility>

#include "auth/token_refusal.h"
#include "core/room_pattern.h"
#include "gmock/gmock.h"
#include "tests/support/fixed_keys.h"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr std::string_view kClaims =
    R"({"iss":"https://id","aud":"ws","sub":"secret-user","exp":1800000060})";
const std::vector<Algorithm> kAll = {Algorithm::kHs256, Algorithm::kRs256, Algorithm::kEs256,
                                     Algorithm::kEdDsa};

class TokenVerifierTest : public ::testing::Test {
 protected:
  explicit TokenVerifierTest() { SetKeys("https://id", {signer_.Jwk("k1")}); }

  void SetKeys(const std::string& issuer, const std::vector<std::string>& jwks) {
    const auto set =
        KeySet::ParseJwks(fmt::format(R"({{"keys":[{}]}})", fmt::join(jwks, ",")), kAll);
    ASSERT_TRUE(set.ok()) << set.status();
    keys_->sets[issuer] = std::make_shared<const KeySet>(*set);
  }

  absl::StatusOr<VerifiedToken> Verify(std::string_view token) {
    auto verifier = TokenVerifier::Create(
        {.issuers = {{.name = "https://id", .audiences = {"ws"}, .algorithms = algorithms_},
                     {.name = "https://other", .audiences = {"ws"}, .algorithms = algorithms_}}},
        keys_);
    return verifier->Verify(token, kNow);
  }

  void ExpectRefused(std::string_view token, std::string_view reason) {
    const auto verified = Verify(token);
    ASSERT_FALSE(verified.ok()) << reason;
    EXPECT_EQ(verified.status().code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(ReasonOf(verified.status()), reason) << verified.status();
    EXPECT_THAT(std::string(verified.status().message()), Not(HasSubstr("secret")));
  }

  std::vector<Algorithm> algorithms_ = {Algorithm::kEdDsa};
  TokenSigner signer_ = TokenSigner::EdDsa();
  std::shared_ptr<FixedKeys> keys_ = std::make_shared<FixedKeys>();
};

TEST_F(TokenVerifierTest, AcceptsATokenOfEachAlgorithm) {
  for (const TokenSigner& signer : {TokenSigner::Hs256(std::string(32, 's')), TokenSigner::Rs256(),
                                    TokenSigner::Es256(), TokenSigner::EdDsa()}) {
    SetKeys("https://id", {signer.Jwk("k1")});
    algorithms_ = {ParseAlgorithm(signer.algorithm()).value()};
    for (const std::string_view kid : {"k1", ""}) {
      const auto verified = Verify(signer.TokenOf(kClaims, kid));
      ASSERT_TRUE(verified.ok()) << signer.algorithm() << verified.status();
      EXPECT_EQ(verified->client_id.value, "secret-user");
      EXPECT_EQ(verified->issuer, "https://id");
      EXPECT_EQ(verified->expires_at, kNow + absl::Seconds(90));
    }
  }
  EXPECT_THAT(keys_->missed, IsEmpty());
}

TEST_F(TokenVerifierTest, EightKibibytesAreTooLong) {
  ExpectRefused(std::string(8192, 'a'), kTokenTooLong);
  const std::string claims =
      fmt::format(R"({{"iss":"https://id","aud":"ws","sub":"u","exp":1800000060,"x":"{}"}})",
                  std::string(6200, 'x'));
  std::string token = signer_.TokenOf(claims, "k1");
  ASSERT_GE(token.size(), 8192U);
  ExpectRefused(token, kTokenTooLong);
  token = signer_.TokenOf(claims.substr(0, 6000) + "\"}", "k1");
  ASSERT_LT(token.size(), 8192U);
  EXPECT_TRUE(Verify(token).ok());
}

TEST_F(TokenVerifierTest, MalformedTokensAreRefusedBeforeKeysAreAskedFor) {
  const std::string good = signer_.TokenOf(kClaims, "k1");
  const std::string header = good.substr(0, good.find('.'));
  const std::string rest = good.substr(good.find('.'));
  for (const std::string& token : {
           std::string(),
           std::string("."),
           std::string(".."),
           std::string("..."),
           header,
           good + ".",
           good + "=",
           " " + good,
           good + "\n",
           good + std::string(1, '\0'),
           good.substr(0, good.rfind('.')),
           "!" + good,
           rest,
           good + "." + header,
           signer_.Token("{", kClaims),
           signer_.Token("[]", kClaims),
           signer_.Token("{}", kClaims),
           signer_.Token(R"({"alg":1})", kClaims),
           signer_.Token(R"({"alg":"EdDSA"})", "[]"),
           signer_.Token(R"({"alg":"EdDSA"})", "not JSON"),
           signer_.Token(R"({"alg":"EdDSA","alg":"EdDSA"})", kClaims),
           signer_.Token(R"({"alg":"EdDSA"})", R"({"iss":"https://id","iss":"https://id"})"),
           signer_.Token(R"({"alg":"EdDSA","crit":["exp"],"exp":1})", kClaims),
           signer_.Token(R"({"alg":"EdDSA","crit":[]})", kClaims),
           signer_.Token(R"({"alg":"EdDSA","kid":1})", kClaims),
           signer_.Token(R"({"alg":"EdDSA","kid":""})", kClaims),
           signer_.TokenOf(kClaims, std::string(256, 'k')),
       }) {
    ExpectRefused(token, kTokenMalformed);
  }
  EXPECT_THAT(keys_->asked, IsEmpty());
}

TEST_F(TokenVerifierTest, AlgorithmNoneIsRefusedHoweverItIsSpelled) {
  algorithms_ = kAll;
  for (const std::string_view name : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string header = fmt::format(R"({{"alg":"{}"}})", name);
    const std::string signed_token = signer_.Token(header, kClaims);
    ExpectRefused(signed_token, kTokenAlgorithm);
    ExpectRefused(signed_token.substr(0, signed_token.rfind('.') + 1), kTokenAlgorithm);
  }
}

TEST_F(TokenVerifierTest, TokenDoesNotChooseTheAlgorithm) {
  const TokenSigner rsa = TokenSigner::Rs256();
  SetKeys("https://id", {rsa.Jwk("k1")});
  // RFC 8725 section 2.1: the public key, which everybody has, taken for a secret.
  const TokenSigner swapped = TokenSigner::Hs256(rsa.PublicPem());
  algorithms_ = {Algorithm::kRs256};
  ExpectRefused(swapped.TokenOf(kClaims, "k1"), kTokenAlgorithm);
  algorithms_ = kAll;
  ExpectRefused(swapped.TokenOf(kClaims, "k1"), kTokenAlgorithm);
  ExpectRefused(swapped.TokenOf(kClaims), kTokenUnknownKey);
  // Signed by the right key, under another name for how.
  ExpectRefused(rsa.Token(R"({"alg":"ES256","kid":"k1"})", kClaims), kTokenAlgorithm);
  ExpectRefused(rsa.Token(R"({"alg":"RS512","kid":"k1"})", kClaims), kTokenAlgorithm);
}

TEST_F(TokenVerifierTest, WrongKeyIsABadSignature) {
  ExpectRefused(TokenSigner::EdDsa().TokenOf(kClaims, "k1"), kTokenBadSignature);
  ExpectRefused(TokenSigner::EdDsa().TokenOf(kClaims), kTokenBadSignature);
  const std::string good = signer_.TokenOf(kClaims, "k1");
  ExpectRefused(good.substr(0, good.rfind('.') + 1), kTokenBadSignature);
  const std::string other = signer_.TokenOf(R"({"iss":"https://id","sub":"admin"})", "k1");
  ExpectRefused(other.substr(0, other.rfind('.')) + good.substr(good.rfind('.')),
                kTokenBadSignature);
  EXPECT_THAT(keys_->missed, IsEmpty());
}

TEST_F(TokenVerifierTest, WrongSecretIsABadSignatureWhereverTheMacDiffers) {
  const TokenSigner secret = TokenSigner::Hs256(std::string(32, 's'));
  SetKeys("https://id", {secret.Jwk("")});
  algorithms_ = {Algorithm::kHs256};
  const std::string good = secret.TokenOf(kClaims);
  ASSERT_TRUE(Verify(good).ok());
  for (size_t i = good.rfind('.') + 1; i + 1 < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    ExpectRefused(changed, kTokenBadSignature);
  }
}

TEST_F(TokenVerifierTest, KeyThatTheHeaderBringsIsNotUsed) {
  const TokenSigner stranger = TokenSigner::EdDsa();
  ExpectRefused(stranger.Token(fmt::format(R"({{"alg":"EdDSA","jwk":{},"jku":"https://evil"}})",
                                           stranger.Jwk("k1")),
                               kClaims),
                kTokenBadSignature);
}

TEST_F(TokenVerifierTest, RotatedKeyIsUnknownUntilTheSourceHasIt) {
  const TokenSigner next = TokenSigner::EdDsa();
  const std::string token = next.TokenOf(kClaims, "k2");
  ExpectRefused(token, kTokenUnknownKey);
  EXPECT_THAT(keys_->missed, ElementsAre("https://id k2"));
  SetKeys("https://id", {signer_.Jwk("k1"), next.Jwk("k2")});
  EXPECT_TRUE(Verify(token).ok());
  EXPECT_TRUE(Verify(signer_.TokenOf(kClaims, "k1")).ok());
  SetKeys("https://id", {next.Jwk("k2")});
  ExpectRefused(signer_.TokenOf(kClaims, "k1"), kTokenUnknownKey);
  EXPECT_THAT(keys_->missed, ElementsAre("https://id k2", "https://id k1"));
}

TEST_F(TokenVerifierTest, KeyWithoutNameProvesTokensThatNameOne) {
  SetKeys("https://id", {signer_.Jwk("")});
  EXPECT_TRUE(Verify(signer_.TokenOf(kClaims, "any")).ok());
  EXPECT_THAT(keys_->missed, IsEmpty());
  ExpectRefused(TokenSigner::EdDsa().TokenOf(kClaims, "any"), kTokenBadSignature);
  EXPECT_THAT(keys_->missed, ElementsAre("https://id any"));
}

TEST_F(TokenVerifierTest, IssuerWithoutKeysYetIsMissed) {
  keys_->sets.clear();
  ExpectRefused(signer_.TokenOf(kClaims, "k1"), kTokenUnknownKey);
  EXPECT_THAT(keys_->missed, ElementsAre("https://id "));
}

TEST_F(TokenVerifierTest, NothingIsAskedForAnIssuerThatIsNotConfigured) {
  for (const std::string_view claims :
       {R"({"iss":"https://evil","aud":"ws","sub":"u","exp":1800000060})",
        R"({"iss":"https://id/","aud":"ws","sub":"u","exp":1800000060})",
        R"({"iss":["https://id"],"aud":"ws","sub":"u","exp":1800000060})",
        R"({"iss":"","aud":"ws","sub":"u","exp":1800000060})",
        R"({"aud":"ws","sub":"u","exp":1800000060})"}) {
    ExpectRefused(signer_.TokenOf(claims, "k9"), kTokenWrongIssuer);
  }
  EXPECT_THAT(keys_->asked, IsEmpty());
  EXPECT_THAT(keys_->missed, IsEmpty());
}

TEST_F(TokenVerifierTest, KeyOfOneIssuerProvesNothingOfAnother) {
  SetKeys("https://other", {TokenSigner::EdDsa().Jwk("k1")});
  ExpectRefused(
      signer_.TokenOf(R"({"iss":"https://other","aud":"ws","sub":"u","exp":1800000060})", "k1"),
      kTokenBadSignature);
}

TEST_F(TokenVerifierTest, ClaimsAreReadBehindTheSignatureOnly) {
  ExpectRefused(TokenSigner::EdDsa().TokenOf(R"({"iss":"https://id","exp":1})", "k1"),
                kTokenBadSignature);
}

TEST(TokenOptionsTest, WhatNoVerifierCanBeMadeOfIsRefused) {
  const TokenIssuer issuer = {.name = "a", .algorithms = {Algorithm::kEs256}};
  EXPECT_TRUE(CheckTokenOptions({.issuers = {issuer}}).ok());
  EXPECT_FALSE(CheckTokenOptions({}).ok());
  EXPECT_FALSE(CheckTokenOptions({.issuers = {issuer, issuer}}).ok());
  EXPECT_FALSE(CheckTokenOptions({.issuers = {{.name = "a"}}}).ok());
  EXPECT_FALSE(CheckTokenOptions({.issuers = {issuer}, .claims = {.rooms = ""}}).ok());
  EXPECT_FALSE(CheckTokenOptions({.issuers = {issuer}, .may_join = {"a\n"}}).ok());
  EXPECT_FALSE(CheckTokenOptions({.issuers = {issuer}, .clock_slack = -absl::Seconds(1)}).ok());
  EXPECT_FALSE(CheckTokenOptions({.issuers = {issuer}, .clock_slack = absl::Hours(1)}).ok());
  EXPECT_FALSE(CheckTokenOptions({.issuers = {issuer}, .lifetime_max = {}}).ok());
  EXPECT_FALSE(TokenVerifier::Create({}, nullptr).ok());
}

TEST(RoomPatternTest, StarAtTheEndStandsForAllNamesThatBeginLikeIt) {
  EXPECT_TRUE(MatchesRoom("lobby", "lobby"));
  EXPECT_FALSE(MatchesRoom("lobby", "lobby2"));
  EXPECT_TRUE(MatchesRoom("team:*", "team:a"));
  EXPECT_TRUE(MatchesRoom("team:*", "team:"));
  EXPECT_FALSE(MatchesRoom("team:*", "team"));
  EXPECT_TRUE(MatchesRoom("*", "any"));
  EXPECT_FALSE(MatchesRoom("a*b", "axb"));
  EXPECT_FALSE(MatchesRoom("", "a"));
}

}  // namespace
}  // namespace wsrouter
