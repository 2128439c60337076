#include "auth/key_set.h"

#include <string>
#include <utility>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<Algorithm> kAll = {Algorithm::kHs256, Algorithm::kRs256, Algorithm::kEs256,
                                     Algorithm::kEdDsa};
const std::string kSecret(32, 's');

std::string Jwks(const std::vector<std::string>& keys) {
  return fmt::format(R"({{"keys":[{}]}})", fmt::join(keys, ","));
}

void ExpectRefused(std::string_view text, const std::string& why,
                   const std::vector<Algorithm>& algorithms = kAll) {
  const auto set = KeySet::ParseJwks(text, algorithms);
  ASSERT_FALSE(set.ok()) << why;
  EXPECT_THAT(std::string(set.status().message()), HasSubstr(why));
}

TEST(KeySetTest, FindsKeysByNameAndAlgorithm) {
  const TokenSigner first = TokenSigner::EdDsa();
  const TokenSigner second = TokenSigner::EdDsa();
  const auto set = KeySet::ParseJwks(
      Jwks({first.Jwk("a"), second.Jwk("b"), TokenSigner::Es256().Jwk("c")}), kAll);
  ASSERT_TRUE(set.ok()) << set.status();
  const auto found = set->Find(Algorithm::kEdDsa, "b");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_TRUE(found[0]->Verifies("m", second.Sign("m")));
  EXPECT_FALSE(found[0]->Verifies("m", first.Sign("m")));
  EXPECT_THAT(set->Find(Algorithm::kEdDsa, ""), SizeIs(2));
  EXPECT_THAT(set->Find(Algorithm::kEdDsa, "c"), IsEmpty());
  EXPECT_THAT(set->Find(Algorithm::kEdDsa, "d"), IsEmpty());
  EXPECT_TRUE(set->Has("c"));
  EXPECT_FALSE(set->Has("d"));
}

TEST(KeySetTest, KeyWithoutNameStandsInForUnknownNamesOnly) {
  const auto set =
      KeySet::ParseJwks(Jwks({TokenSigner::EdDsa().Jwk("a"), TokenSigner::EdDsa().Jwk("")}), kAll);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_THAT(set->Find(Algorithm::kEdDsa, "other"), SizeIs(1));
  EXPECT_THAT(set->Find(Algorithm::kEdDsa, "a"), SizeIs(1));
  EXPECT_NE(set->Find(Algorithm::kEdDsa, "other"), set->Find(Algorithm::kEdDsa, "a"));
}

TEST(KeySetTest, KeysThatAreNotForUsAreLeftOut) {
  const TokenSigner signer = TokenSigner::EdDsa();
  const auto set = KeySet::ParseJwks(
      Jwks({signer.Jwk("enc", R"("use":"enc",)"), R"({"kty":"new","kid":"new"})", "17",
            R"({"kty":"RSA","alg":"PS256","n":"AQAB","e":"AQAB","kid":"ps"})", signer.Jwk("good"),
            TokenSigner::Hs256(kSecret).Jwk("secret"), TokenSigner::Es256().Jwk("es")}),
      {Algorithm::kEdDsa});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->size(), 1U);
  EXPECT_TRUE(set->Has("good"));
}

TEST(KeySetTest, SingleJwkIsASetOfOne) {
  const auto set = KeySet::ParseJwks(TokenSigner::EdDsa().Jwk("one"), kAll);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_TRUE(set->Has("one"));
}

TEST(KeySetTest, SetWithoutAUsableKeyIsRefused) {
  ExpectRefused("", "wanted a JWK Set");
  ExpectRefused("{}", "array of keys");
  ExpectRefused(R"({"keys":{}})", "array of keys");
  ExpectRefused(R"({"keys":[],"keys":[]})", "no name twice");
  ExpectRefused(R"({"keys":[]})", "the array is empty");
  ExpectRefused(R"({"keys":[{"kty":"x"}]})", "the first: the JWK is for no algorithm");
  ExpectRefused(TokenSigner::Hs256(kSecret).Jwk(""), "HS256, which is not wanted",
                {Algorithm::kEdDsa});
  ExpectRefused(R"({"kid":1,)" + TokenSigner::EdDsa().Jwk("").substr(1), "a kid that is text");
}

TEST(KeySetTest, SizeIsBounded) {
  ExpectRefused(std::string(KeySet::kJwksBytesMax + 1, ' '), "octets, wanted at most");
  ExpectRefused(Jwks(std::vector<std::string>(KeySet::kKeysMax + 1, "{}")), "65 keys");
  const auto key = VerificationKey::FromSecret(kSecret);
  ASSERT_TRUE(key.ok());
  KeySet set;
  EXPECT_FALSE(set.Add(std::string(256, 'k'), *key).ok());
  for (size_t i = 0; i < KeySet::kKeysMax; ++i) ASSERT_TRUE(set.Add("", *key).ok());
  EXPECT_FALSE(set.Add("", *key).ok());
  EXPECT_THAT(set.Find(Algorithm::kHs256, ""), SizeIs(KeySet::kTriedMax));
}

}  // namespace
}  // namespace wsrouter
