#include "auth/strict_json.h"

#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

std::string Nested(int depth, std::string_view open, std::string_view close) {
  std::string text = R"({"a":)";
  for (int i = 1; i < depth; ++i) text += open;
  text += "1";
  for (int i = 1; i < depth; ++i) text += close;
  return text + "}";
}

TEST(StrictJsonTest, ReadsAnObject) {
  const auto object = ParseJsonObject(R"( {"a": "x", "b": {"a": 1}, "c": [{"a": 1}, {"a": 2}]} )");
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(*FindString(*object, "a"), "x");
  EXPECT_EQ(FindString(*object, "b"), nullptr);
  EXPECT_EQ(FindString(*object, "d"), nullptr);
}

TEST(StrictJsonTest, RefusesWhatIsNoObject) {
  for (const std::string_view text :
       {"", " ", "[]", "1", "null", "\"a\"", "{", "{}x", "{\"a\"}", "{'a':1}", "{\"a\":1,}",
        "{\"a\":1e999}", "{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}", "{}{}", "{\"a\":01}",
        "{\"a\":NaN}", "{/* */}"}) {
    EXPECT_FALSE(ParseJsonObject(text).has_value()) << text;
  }
  EXPECT_FALSE(ParseJsonObject(std::string_view("{}\0x", 4)).has_value());
}

TEST(StrictJsonTest, RefusesANameThatIsThereTwice) {
  for (const std::string_view text :
       {R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})", R"({"x":{"b":1,"c":{},"b":2}})",
        R"({"x":[{"b":1,"b":2}]})", R"({"x":[[{"b":[],"b":2}]],"y":1})"}) {
    EXPECT_FALSE(ParseJsonObject(text).has_value()) << text;
  }
}

TEST(StrictJsonTest, DepthIsBounded) {
  EXPECT_TRUE(ParseJsonObject(Nested(kJsonDepthMax, "[", "]")).has_value());
  EXPECT_FALSE(ParseJsonObject(Nested(kJsonDepthMax + 1, "[", "]")).has_value());
  EXPECT_TRUE(ParseJsonObject(Nested(kJsonDepthMax, R"({"a":)", "}")).has_value());
  EXPECT_FALSE(ParseJsonObject(Nested(kJsonDepthMax + 1, R"({"a":)", "}")).has_value());
  EXPECT_FALSE(ParseJsonObject(Nested(100'000, R"({"a":[)", "]}")).has_value());
}

TEST(StrictJsonTest, TakesTheStringsOfAnArray) {
  const auto object = ParseJsonObject(R"({"a":["x","y"],"b":["x",1],"c":"x"})");
  ASSERT_TRUE(object.has_value());
  EXPECT_THAT(StringsOf((*object)["a"]), Optional(ElementsAre("x", "y")));
  EXPECT_EQ(StringsOf((*object)["b"]), std::nullopt);
  EXPECT_EQ(StringsOf((*object)["c"]), std::nullopt);
}

}  // namespace
}  // namespace wsrouter
