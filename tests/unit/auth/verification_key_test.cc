#include "auth/verification_key.h"

#include <openssl/err.h>

#include <concepts>
#include <string>
#include <vector>

#include "auth/base64url.h"
#include "auth/hmac_sha256.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a MAC is compared by is the one function that takes the same time for every difference.
static_assert(!std::equality_comparable<HmacSha256>);
static_assert(!std::copy_constructible<HmacSha256>);

const TokenSigner& Rsa() {
  static const TokenSigner signer = TokenSigner::Rs256();
  return signer;
}

absl::StatusOr<VerificationKey> OfJwk(std::string_view text) {
  return VerificationKey::FromJwk(nlohmann::json::parse(text, nullptr, false));
}

void ExpectRefused(const absl::StatusOr<VerificationKey>& key, const std::string& why) {
  ASSERT_FALSE(key.ok()) << why;
  EXPECT_EQ(key.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(key.status().message()), HasSubstr(why));
  EXPECT_EQ(ERR_peek_error(), 0UL);
}

TEST(VerificationKeyTest, NamesOfAlgorithmsAreTheRfcsAndNoneIsNone) {
  for (const Algorithm algorithm :
       {Algorithm::kHs256, Algorithm::kRs256, Algorithm::kEs256, Algorithm::kEdDsa}) {
    EXPECT_EQ(ParseAlgorithm(AlgorithmName(algorithm)), algorithm);
  }
  for (const std::string_view name : {"none", "None", "NONE", "", "hs256", "HS384", "PS256"}) {
    EXPECT_EQ(ParseAlgorithm(name), std::nullopt) << name;
  }
}

struct RfcExample {
  std::string_view appendix;
  std::string_view jwk;
  std::string_view message;
  std::string_view signature;
};

constexpr std::string_view kClaims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";
const RfcExample kExamples[] = {
    {"7515 A.1",
     R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75)"
     R"(aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    {"7515 A.2",
     R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx)"
     "HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9w"
     "Gzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZl"
     R"(xvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb)"
     R"(54h4FRWyuXpoQ","e":"AQAB"})",
     "eyJhbGciOiJSUzI1NiJ9",
     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
     "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
     "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
     "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"7515 A.3",
     R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
     R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
     "eyJhbGciOiJFUzI1NiJ9",
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
};

TEST(VerificationKeyTest, VerifiesTheExamplesOfRfc7515) {
  for (const RfcExample& example : kExamples) {
    const auto key = OfJwk(example.jwk);
    ASSERT_TRUE(key.ok()) << example.appendix << ": " << key.status();
    const std::string message = fmt::format("{}.{}", example.message, kClaims);
    const std::string signature = DecodeBase64Url(example.signature).value();
    EXPECT_TRUE(key->Verifies(message, signature)) << example.appendix;
    EXPECT_FALSE(key->Verifies(message + "x", signature)) << example.appendix;
  }
}

TEST(VerificationKeyTest, VerifiesTheExampleOfRfc8037) {
  const auto key =
      OfJwk(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->algorithm(), Algorithm::kEdDsa);
  EXPECT_TRUE(
      key->Verifies("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                    DecodeBase64Url("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGj"
                                    "g5BhVsPt9g7sVvpAr_MuM0KAg")
                        .value()));
}

TEST(VerificationKeyTest, EveryChangedOctetOfASignatureIsSeen) {
  for (const TokenSigner& signer : {TokenSigner::Hs256(std::string(32, 's')), Rsa(),
                                    TokenSigner::Es256(), TokenSigner::EdDsa()}) {
    const auto key = OfJwk(signer.Jwk(""));
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(AlgorithmName(key->algorithm()), signer.algorithm());
    std::string signature = signer.Sign("message");
    ASSERT_TRUE(key->Verifies("message", signature)) << signer.algorithm();
    for (size_t i = 0; i < signature.size(); i += 5) {
      signature[i] = static_cast<char>(signature[i] ^ 1);
      EXPECT_FALSE(key->Verifies("message", signature)) << signer.algorithm() << i;
      signature[i] = static_cast<char>(signature[i] ^ 1);
    }
    for (const std::string& other : {std::string(), signature.substr(1), signature + '\0',
                                     std::string(signature.size(), '\0')}) {
      EXPECT_FALSE(key->Verifies("message", other)) << signer.algorithm();
    }
    EXPECT_EQ(ERR_peek_error(), 0UL) << signer.algorithm();
  }
}

TEST(VerificationKeyTest, ReadsPublicKeysInPem) {
  struct Case {
    Algorithm algorithm;
    TokenSigner signer;
  };
  for (const auto& [algorithm, signer] :
       {Case{Algorithm::kRs256, Rsa()}, Case{Algorithm::kEs256, TokenSigner::Es256()},
        Case{Algorithm::kEdDsa, TokenSigner::EdDsa()}}) {
    const auto key = VerificationKey::FromPem(algorithm, signer.PublicPem());
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_TRUE(key->Verifies("message", signer.Sign("message")));
  }
}

TEST(VerificationKeyTest, PemOfAnotherAlgorithmIsRefused) {
  ExpectRefused(VerificationKey::FromPem(Algorithm::kRs256, TokenSigner::Es256().PublicPem()),
                "RS256 wants an RSA key");
  ExpectRefused(VerificationKey::FromPem(Algorithm::kEs256, Rsa().PublicPem()), "P-256");
  ExpectRefused(
      VerificationKey::FromPem(Algorithm::kEs256, TokenSigner::Es256("P-384").PublicPem()),
      "P-256");
  ExpectRefused(VerificationKey::FromPem(Algorithm::kEdDsa, Rsa().PublicPem()), "Ed25519");
  ExpectRefused(VerificationKey::FromPem(Algorithm::kHs256, Rsa().PublicPem()), "a secret");
}

TEST(VerificationKeyTest, WeakKeysAreRefused) {
  const TokenSigner small = TokenSigner::Rs256(1024);
  ExpectRefused(VerificationKey::FromPem(Algorithm::kRs256, small.PublicPem()), "1024 bits");
  ExpectRefused(OfJwk(small.Jwk("")), "1024 bits");
  ExpectRefused(VerificationKey::FromSecret(std::string(31, 's')), "31 octets");
  std::string everybody_signs = Rsa().Jwk("");
  everybody_signs.replace(everybody_signs.find("AQAB"), 4, "AQ");  // e = 1
  ExpectRefused(OfJwk(everybody_signs), "not valid");
}

TEST(VerificationKeyTest, TextThatIsNoKeyIsRefused) {
  for (const std::string& pem :
       {std::string(), std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        std::string("-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
                    "AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n"
                    "-----END PUBLIC KEY-----\n"),
        Rsa().PublicPem().substr(0, 200)}) {
    ExpectRefused(VerificationKey::FromPem(Algorithm::kRs256, pem), "BEGIN PUBLIC KEY");
  }
  ExpectRefused(VerificationKey::FromPem(Algorithm::kRs256, std::string(16385, 'x')), "16385");
}

TEST(VerificationKeyTest, JwkThatIsNoKeyOfOursIsRefused) {
  const std::string x(43, 'A');
  for (const std::string& jwk : {
           std::string("[]"),
           std::string("{}"),
           std::string(R"({"kty":"RSA"})"),
           std::string(R"({"kty":"RSA","n":"AQAB","e":1})"),
           std::string(R"({"kty":1})"),
           std::string(R"({"kty":"RSA","n":"","e":"AQAB"})"),
           std::string(R"({"kty":"oct"})"),
           std::string(R"({"kty":"oct","k":"c2hvcnQ"})"),
           std::string(R"({"kty":"EC"})"),
           fmt::format(R"({{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}})", x),  // off the curve
           fmt::format(R"({{"kty":"EC","crv":"P-384","x":"{0}","y":"{0}"}})", x),
           fmt::format(R"({{"kty":"OKP","crv":"X25519","x":"{}"}})", x),
           std::string(R"({"kty":"OKP","crv":"Ed25519","x":"AQAB"})"),
           fmt::format(R"({{"kty":"oct","alg":"RS256","k":"{}"}})", x),
           fmt::format(R"({{"kty":"oct","alg":"HS512","k":"{}"}})", x),
           fmt::format(R"({{"kty":"RSA","alg":"HS256","k":"{}"}})", x),
           fmt::format(R"({{"kty":"oct","alg":1,"k":"{}"}})", x),
       }) {
    ExpectRefused(OfJwk(jwk), "");
  }
}

TEST(VerificationKeyTest, JwkForSomethingElseIsRefused) {
  const TokenSigner signer = TokenSigner::EdDsa();
  EXPECT_TRUE(OfJwk(signer.Jwk("", R"("use":"sig","key_ops":["sign","verify"],)")).ok());
  for (const std::string_view members :
       {R"("use":"enc",)", R"("use":null,)", R"("key_ops":["sign"],)", R"("key_ops":"verify",)"}) {
    ExpectRefused(OfJwk(signer.Jwk("", members)), "use or key_ops");
  }
  ExpectRefused(OfJwk(signer.Jwk("", R"("alg":"ES256",)")), "P-256");
}

TEST(VerificationKeyTest, ErrorsDoNotShowTheSecret) {
  const auto key = OfJwk(R"({"kty":"oct","k":"c2hvcnQ"})");
  ASSERT_FALSE(key.ok());
  EXPECT_THAT(std::string(key.status().message()), Not(HasSubstr("short")));
  EXPECT_THAT(std::string(key.status().message()), Not(HasSubstr("c2hvcnQ")));
}

}  // namespace
}  // namespace wsrouter
