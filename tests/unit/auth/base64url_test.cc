#include "auth/base64url.h"

#include <string>

#include "gmock/gmock.h"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST(Base64UrlTest, DecodesWhatWasEncoded) {
  std::string octets;
  for (int i = 0; i < 260; ++i) {
    EXPECT_THAT(DecodeBase64Url(Base64UrlOf(octets)), Optional(octets));
    EXPECT_THAT(DecodeBase64(Base64Of(octets)), Optional(octets));
    octets.push_back(static_cast<char>(251 - i));
  }
}

// RFC 7515 appendix C.
TEST(Base64UrlTest, DecodesTheExampleOfTheRfc) {
  EXPECT_THAT(DecodeBase64Url("A-z_4ME"), Optional(Eq(std::string("\x03\xec\xff\xe0\xc1"))));
}

TEST(Base64UrlTest, OctetsHaveOneSpelling) {
  for (const std::string_view other : {"A-z_4MF", "QR", "QUJ", "Q", "QQ==", "QQ=", " QQ", "QQ\n",
                                       "Q Q", "A+z/4ME", "QQ\x80", "=", "QQ.", "AAAAA"}) {
    EXPECT_EQ(DecodeBase64Url(other), std::nullopt) << other;
  }
  EXPECT_EQ(DecodeBase64Url(std::string_view("QQ\0", 3)), std::nullopt);
}

TEST(Base64UrlTest, AlphabetsAreNotMixed) {
  EXPECT_EQ(DecodeBase64("A-z_4ME"), std::nullopt);
  EXPECT_THAT(DecodeBase64("A+z/4ME"), Optional(Eq(std::string("\x03\xec\xff\xe0\xc1"))));
}

TEST(HexTest, DecodesDigitsOfBothCases) {
  EXPECT_THAT(DecodeHex("00ffFFa9"), Optional(Eq(std::string("\0\xff\xff\xa9", 4))));
  EXPECT_THAT(DecodeHex(""), Optional(Eq("")));
  for (const std::string_view bad : {"0", "0g", "g0", "0x", " 0", "00 "}) {
    EXPECT_EQ(DecodeHex(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace wsrouter
