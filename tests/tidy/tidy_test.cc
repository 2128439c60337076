#include "tests/tidy/tidy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace wsrouter::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Messages(std::string_view path, std::string_view text) {
  std::vector<std::string> messages;
  for (const Finding& finding : Check({std::string(path), std::string(text)})) {
    messages.push_back(fmt::format("{}: {}", finding.line, finding.message));
  }
  return messages;
}

std::string Lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "  F();\n";
  return text;
}

TEST(TidyTest, TreeFollowsItsRules) {
  const std::vector<SourceFile> files = ReadTree(WSROUTER_SOURCE_DIR);

  EXPECT_GT(files.size(), 20u) << "the walk found too little to prove anything";
  for (const SourceFile& file : files) {
    for (const Finding& finding : Check(file)) {
      ADD_FAILURE_AT(finding.path.c_str(), finding.line) << finding.message;
    }
  }
}

TEST(TidyIncludesTest, LayerMustNotKnowTheLayersAboveAndBesideIt) {
  EXPECT_THAT(Messages("server/base/a.cc", "#include \"core/ids.h\"\n"),
              ElementsAre("1: base includes \"core/ids.h\" of core, which it must not know"));
  EXPECT_THAT(Messages("server/core/a.cc", "\n#include \"engine/memory.h\"\n"),
              ElementsAre(HasSubstr("2: core includes")));
  EXPECT_THAT(Messages("server/engine/a.cc", "#include \"gateway/x.h\"\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/control/a.cc", "#include \"admin/x.h\"\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/gateway/a.cc", "#include \"node.h\"\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/main.cc", "#include \"gateway/x.h\"\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/node.cc", "# include  \"main.h\"\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/extra/a.cc", "#include <string>\n"), SizeIs(1));
}

TEST(TidyIncludesTest, LayerMayKnowTheLayersBelowIt) {
  EXPECT_THAT(Messages("server/core/a.cc", "#include \"base/clock.h\"\n#include \"core/ids.h\"\n"),
              IsEmpty());
  EXPECT_THAT(Messages("server/node.cc", "#include \"config.h\"\n#include \"admin/x.h\"\n"),
              IsEmpty());
  EXPECT_THAT(Messages("tests/unit/core/a.cc", "#include \"core/ids.h\"\n"), IsEmpty());
}

TEST(TidyIncludesTest, ServerAndClientDoNotKnowEachOther) {
  EXPECT_THAT(Messages("client/cpp/a.cc", "#include \"core/ids.h\"\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/node.cc", "#include \"client/cpp/a.h\"\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/node.cc", "#include \"tests/support/a.h\"\n"), SizeIs(1));
}

TEST(TidyIncludesTest, LibraryIsKnownInItsPlaceOnly) {
  EXPECT_THAT(Messages("server/engine/memory.cc", "#include <hiredis/async.h>\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/engine/redis_link.cc", "#include <hiredis/async.h>\n"), IsEmpty());
  EXPECT_THAT(Messages("server/admin/a.cc", "#include <libwebsockets.h>\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/gateway/a.cc", "#include <libwebsockets.h>\n"), IsEmpty());
  EXPECT_THAT(Messages("server/node.cc", "#include <grpcpp/grpcpp.h>\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/node.cc", "#include \"wsrouter/v1/router.grpc.pb.h\"\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/control/a.cc", "#include <grpcpp/grpcpp.h>\n"), IsEmpty());
  EXPECT_THAT(Messages("server/core/a.cc", "#include \"wsrouter/v1/client.pb.h\"\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/base/a.cc", "#include <google/protobuf/message.h>\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/config.cc", "#include \"wsrouter/v1/config.pb.h\"\n"), IsEmpty());
}

TEST(TidyWordsTest, BannedCallIsFoundInCode) {
  EXPECT_THAT(Messages("server/core/a.cc", "auto t = absl::Now();\n"),
              ElementsAre(HasSubstr("1: 'absl::Now(' reads a clock")));
  EXPECT_THAT(Messages("server/core/a.cc", "auto t = std::chrono::steady_clock::now();\n"),
              SizeIs(1));
  EXPECT_THAT(Messages("tests/integration/a.cc", "std::this_thread::sleep_for(x);\n"), SizeIs(1));
  EXPECT_THAT(Messages("client/cpp/a.cc", "\n\nstd::system(x);\n"),
              ElementsAre(HasSubstr("3: 'system('")));
  EXPECT_THAT(Messages("server/node.cc", "std::cout << 1;\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/node.cc", "std::printf(\"\");\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/core/a.cc", "std::unordered_map<int, int> m;\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/core/a.cc", "int x = rand();\n"), SizeIs(1));
  EXPECT_THAT(Messages("server/core/a.cc", "void F() { throw 1; }\n"), SizeIs(1));
}

TEST(TidyWordsTest, BannedWordElsewhereIsNotACall) {
  EXPECT_THAT(Messages("server/base/clock.h",
                       "#ifndef WSROUTER_BASE_CLOCK_H_\n#define WSROUTER_BASE_CLOCK_H_\n"
                       "absl::Now();\n#endif\n"),
              IsEmpty());
  EXPECT_THAT(Messages("server/core/a.cc", "// never sleep(1)\n/* rand() */ int x;\n"), IsEmpty());
  EXPECT_THAT(Messages("server/core/a.cc", "auto s = \"sleep(1)\";\n"), IsEmpty());
  EXPECT_THAT(Messages("server/core/a.cc", "auto s = R\"x(rand() \" )\" )x\";\n"), IsEmpty());
  EXPECT_THAT(Messages("server/core/a.cc", "snprintf(a, b); my_sleep(1); x.time(0);\n"), IsEmpty());
}

TEST(TidyWordsTest, UnfinishedWorkIsFoundInComments) {
  EXPECT_THAT(Messages("server/core/a.cc", "int x;  // TODO: more\n"),
              ElementsAre("1: 'TODO' left"));
  EXPECT_THAT(Messages("tests/unit/a.cc", "/* a\n FIXME */\n"), ElementsAre("2: 'FIXME' left"));
  EXPECT_THAT(Messages("server/core/a.cc", "auto s = \"TODO\";\n"), IsEmpty());
}

TEST(TidyFileTest, FileOfMoreThan300LinesIsFound) {
  EXPECT_THAT(Messages("server/core/a.cc", std::string(300, '\n')), IsEmpty());
  EXPECT_THAT(Messages("server/core/a.cc", std::string(301, '\n')),
              ElementsAre(HasSubstr("301 lines, at most 300")));
}

TEST(TidyFileTest, GuardSpellsThePath) {
  EXPECT_THAT(Messages("server/core/a_b.h", "#pragma once\n"),
              ElementsAre("1: no include guard WSROUTER_CORE_A_B_H_"));
  EXPECT_THAT(Messages("tests/support/x.h",
                       "#ifndef WSROUTER_TESTS_SUPPORT_X_H_\n#define WSROUTER_TESTS_SUPPORT_X_H_\n"
                       "#endif\n"),
              IsEmpty());
}

TEST(TidyFileTest, GuardOfTheClientNamesTheClient) {
  EXPECT_THAT(Messages("client/cpp/uri.h", ""),
              ElementsAre("1: no include guard WSROUTER_CLIENT_CPP_URI_H_"));
  EXPECT_THAT(Messages("client/cpp/include/wsrouter/uri.h", ""),
              ElementsAre("1: no include guard WSROUTER_CLIENT_URI_H_"));
}

TEST(TidyFunctionTest, FunctionOf60LinesIsShortEnough) {
  EXPECT_THAT(Messages("server/core/a.cc", fmt::format("void F() {{\n{}}}\n", Lines(58))),
              IsEmpty());
  EXPECT_THAT(Messages("server/core/a.cc", fmt::format("void F() {{\n{}}}\n", Lines(59))),
              ElementsAre("1: function of 61 lines, at most 60 wanted"));
}

TEST(TidyFunctionTest, FunctionOfMoreThan60LinesIsFoundInEveryForm) {
  for (const std::string_view head : {
           "int F(int a,\n      int b) noexcept {\n",
           "A::A(int a) : a_{a}, b_(1), c_{2} {\n\n",
           "template <class T>\nvoid F(T x) {\n",
           "TEST(ATest, B) {\n\n",
           "auto f = [](int x) {\n\n",
           "bool operator==(const A& a) const {\n\n",
           "auto F() -> std::pair<int, int> {\n\n",
           "void F(std::vector<int> v = {1, 2}) {\n\n",
           "class A {\n public: void F() {\n",
       }) {
    const std::string fits = fmt::format("{}{}}}\n", head, Lines(57));
    const std::string exceeds = fmt::format("{}{}}}\n", head, Lines(60));
    EXPECT_THAT(Messages("server/core/a.cc", fits), IsEmpty()) << head;
    EXPECT_THAT(Messages("server/core/a.cc", exceeds), ElementsAre(HasSubstr("function of 6")))
        << head;
  }
}

TEST(TidyFunctionTest, LambdaCountsForTheFunctionAroundIt) {
  const std::string text = fmt::format("void F() {{\n  G([] {{\n{0}  }});\n{0}}}\n", Lines(30));

  EXPECT_THAT(Messages("server/core/a.cc", text),
              ElementsAre("1: function of 64 lines, at most 60 wanted"));
}

TEST(TidyFunctionTest, WhatHoldsFunctionsIsNotOne) {
  const std::string functions = fmt::format("void F() {{\n{0}}}\nvoid G() {{\n{0}}}\n", Lines(40));
  for (const std::string_view head :
       {"namespace a::b {\n", "namespace {\n", "class A final : public B<C> {\n public:\n",
        "struct alignas(64) A {\n", "extern \"C\" {\n",
        "template <class T>\n  requires(C<T>)\nclass A {\n"}) {
    EXPECT_THAT(Messages("server/core/a.cc", fmt::format("{}{}}}\n", head, functions)), IsEmpty())
        << head;
  }
  EXPECT_THAT(
      Messages("server/core/a.cc", fmt::format("const T t = {{\n{}}};\n", std::string(90, '\n'))),
      IsEmpty());
}

TEST(TidyFunctionTest, BracesInLiteralsAndDirectivesDoNotCount) {
  const std::string text = fmt::format(
      "#define OPEN {{ \\\n  {{\nvoid F() {{\n  Use('{{', \"}}}}\", R\"({{{{)\", 1'000);\n{}}}\n",
      Lines(58));

  EXPECT_THAT(Messages("server/core/a.cc", text),
              ElementsAre("3: function of 61 lines, at most 60 wanted"));
}

}  // namespace
}  // namespace wsrouter::tidy
