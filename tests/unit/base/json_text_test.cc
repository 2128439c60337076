#include "base/json_text.h"

#include <gtest/gtest.h>

#include <random>

#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

std::string Expected(const std::string& text) {
  using nlohmann::json;
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

TEST(QuotedTest, OnlyWhatMustBeIsEscaped) {
  EXPECT_EQ(Quoted(""), R"("")");
  EXPECT_EQ(Quoted("a plain text/\x7F \xC3\xA4 \xF0\x9F\x98\x80"),
            "\"a plain text/\x7F \xC3\xA4 \xF0\x9F\x98\x80\"");
  EXPECT_EQ(Quoted(R"(say "hi" \o/)"), R"("say \"hi\" \\o/")");
  EXPECT_EQ(Quoted("\b\f\n\r\t\x01\x1F"), R"("\b\f\n\r\t\u0001\u001f")");
  EXPECT_EQ(Quoted(std::string(1, '\0')), R"("\u0000")");
  EXPECT_EQ(Quoted("\xE2\x82x\xFF"), "\"\xEF\xBF\xBDx\xEF\xBF\xBD\"");
}

TEST(QuotedTest, IsAppended) {
  std::string into = "{\"text\":";
  AppendQuoted(into, "x");
  EXPECT_EQ(into, R"({"text":"x")");
}

TEST(QuotedTest, EachOctetAndEachPairIsAsTheLibraryHasIt) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text = {static_cast<char>(first), static_cast<char>(second)};
      ASSERT_EQ(Quoted(text), Expected(text)) << first << " " << second;
      const std::string within = "seven__" + text + "behind these";
      ASSERT_EQ(Quoted(within), Expected(within)) << first << " " << second;
    }
  }
}

TEST(QuotedTest, WhateverComesIsAsTheLibraryHasIt) {
  std::mt19937 random(7);
  const std::string interesting =
      "\xC2\xE0\xE1\xED\xEF\xF0\xF1\xF4\xF5\x80\x8F\x90\x9F\xA0\xBF\"\\";
  for (int i = 0; i < 200'000; ++i) {
    std::string text(random() % 24, 'x');
    const bool wild = i % 2 == 0;
    for (char& octet : text) {
      if (random() % 3 == 0) continue;
      octet = wild ? static_cast<char>(random() % 256) : interesting[random() % interesting.size()];
    }
    ASSERT_EQ(Quoted(text), Expected(text)) << i;
  }
}

}  // namespace
}  // namespace wsrouter
