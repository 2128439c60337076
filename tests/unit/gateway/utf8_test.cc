#include "gateway/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/utf8.h"
#include "tests/fuzz/reference_decoder.h"

namespace wsrouter {
namespace {

std::string EncodeCodePoint(uint32_t code_point) {
  const auto tail = [&](int shift) {
    return static_cast<char>(0x80 | (code_point >> shift & 0x3F));
  };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) return {static_cast<char>(0xC0 | code_point >> 6), tail(0)};
  if (code_point < 0x10000) return {static_cast<char>(0xE0 | code_point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | code_point >> 18), tail(12), tail(6), tail(0)};
}

TextVerdict Check(std::string_view text) {
  Utf8Checker checker;
  if (!checker.Feed(text)) return TextVerdict::kBroken;
  return checker.at_boundary() ? TextVerdict::kWhole : TextVerdict::kCut;
}

TEST(Utf8Test, EveryCodePointButSurrogatesIsTaken) {
  for (uint32_t code_point = 0; code_point < 0x110000; ++code_point) {
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    ASSERT_EQ(IsUtf8(EncodeCodePoint(code_point)), !surrogate) << code_point;
  }
}

TEST(Utf8Test, CodePointsAboveTheLastAreRefused) {
  for (uint32_t code_point = 0x110000; code_point < 0x200000; code_point += 17) {
    ASSERT_FALSE(IsUtf8(EncodeCodePoint(code_point))) << code_point;
  }
}

TEST(Utf8Test, EverySequenceOfThreeOctetsIsJudgedLikeTheReference) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      for (int third = 0x70; third < 0xD0; ++third) {
        const char octets[] = {static_cast<char>(first), static_cast<char>(second),
                               static_cast<char>(third)};
        const std::string_view text(octets, 3);
        ASSERT_EQ(Check(text), CheckTextByReference(text))
            << first << ' ' << second << ' ' << third;
      }
    }
  }
}

TEST(Utf8Test, EveryStartOfAFourOctetSequenceIsJudgedLikeTheReference) {
  for (int first = 0xEF; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      for (int third = 0; third < 256; third += 5) {
        for (int fourth : {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF}) {
          const char octets[] = {static_cast<char>(first), static_cast<char>(second),
                                 static_cast<char>(third), static_cast<char>(fourth)};
          const std::string_view text(octets, 4);
          ASSERT_EQ(Check(text), CheckTextByReference(text));
          ASSERT_EQ(Check(text.substr(0, 2)), CheckTextByReference(text.substr(0, 2)));
        }
      }
    }
  }
}

TEST(Utf8Test, CutsDoNotMatter) {
  const std::string text = "plain ascii, more than a word, \u00E9 \u20AC \U0001F600 and \uFFFF end";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Checker checker;
    EXPECT_TRUE(checker.Feed(text.substr(0, cut)));
    EXPECT_TRUE(checker.Feed(text.substr(cut)));
    EXPECT_TRUE(checker.at_boundary());
  }
}

TEST(Utf8Test, HighOctetIsSeenAtEveryPlaceOfAWord) {
  for (size_t size = 1; size < 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text[at] = '\xFF';
      EXPECT_EQ(Check(text), TextVerdict::kBroken) << size << ' ' << at;
    }
  }
}

TEST(Utf8Test, EmptyTextIsWhole) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8(std::string_view()));
}

TEST(Utf8Test, PrefixNeverCutsACodePoint) {
  const std::string text = "a\u00E9\u20AC\U0001F600";
  const size_t good[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (size_t bytes_max = 0; bytes_max < 12; ++bytes_max) {
    EXPECT_EQ(Utf8Prefix(text, bytes_max), text.substr(0, good[bytes_max])) << bytes_max;
  }
}

TEST(Utf8Test, PrefixEndsBeforeTheFirstFault) {
  EXPECT_EQ(Utf8Prefix("ok\xFFno", 100), "ok");
  EXPECT_EQ(Utf8Prefix("ok\xE2\x82", 100), "ok");
}

}  // namespace
}  // namespace wsrouter
