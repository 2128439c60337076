#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

nlohmann::json Logged(std::initializer_list<LogField> fields) {
  testing::internal::CaptureStderr();
  Log(LogLevel::kWarning, "something_happened", fields);
  return nlohmann::json::parse(testing::internal::GetCapturedStderr());
}

TEST(LogTest, WritesOneJsonObjectALine) {
  const nlohmann::json line = Logged({{"text", "a"},
                                      {"number", uint64_t{7}},
                                      {"ratio", 0.5},
                                      {"truth", true},
                                      {"list", std::vector<std::string>{"b", "c"}}});
  EXPECT_EQ(line["event"], "something_happened");
  EXPECT_EQ(line["level"], "warning");
  EXPECT_TRUE(line["time"].get<std::string>().ends_with("Z"));
  EXPECT_EQ(line["text"], "a");
  EXPECT_EQ(line["number"], 7);
  EXPECT_EQ(line["ratio"], 0.5);
  EXPECT_EQ(line["truth"], true);
  EXPECT_EQ(line["list"], nlohmann::json({"b", "c"}));
}

TEST(LogTest, EscapesTextFromOutside) {
  const std::string hostile = "a\"}\n{\"level\":\"error\"%v%%";
  EXPECT_EQ(Logged({{"text", hostile}})["text"], hostile);
}

TEST(LogTest, MendsTextThatIsNotUtf8) {
  EXPECT_EQ(Logged({{"text", std::string("a\xFF")}})["text"], "a\xEF\xBF\xBD");
}

TEST(LogTest, CutsTextAt256Octets) {
  EXPECT_EQ(Logged({{"text", std::string(1000, 'x')}})["text"], std::string(256, 'x'));
}

TEST(LogTest, IsSilentBelowItsLevel) {
  SetLogLevel(LogLevel::kError);
  testing::internal::CaptureStderr();
  Log(LogLevel::kWarning, "unseen");
  SetLogLevel(LogLevel::kInfo);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(LogThreadTest, ItsEndWritesWhatWaits) {
  testing::internal::CaptureStderr();
  {
    const LogThread thread;
    for (int i = 0; i < 100; ++i) Log(LogLevel::kInfo, "counted", {{"i", i}});
  }
  Log(LogLevel::kInfo, "behind");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 101);
  EXPECT_NE(text.find(R"("i":99)"), std::string::npos);
  EXPECT_GT(text.find("behind"), text.find(R"("i":99)"));
}

TEST(LogThreadTest, KeepsTheLevel) {
  SetLogLevel(LogLevel::kError);
  testing::internal::CaptureStderr();
  {
    const LogThread thread;
    Log(LogLevel::kWarning, "unseen");
  }
  SetLogLevel(LogLevel::kInfo);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(LogThreadTest, NobodyWaitsForAStderrThatNobodyReads) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  const int saved = dup(STDERR_FILENO);
  dup2(pipe_ends[1], STDERR_FILENO);
  {
    const LogThread thread;
    // More than the pipe and the queue hold together.
    for (int i = 0; i < 20'000; ++i) Log(LogLevel::kInfo, "counted", {{"i", i}});
    close(pipe_ends[0]);  // ends the write that is under way
  }
  dup2(saved, STDERR_FILENO);
  close(saved);
  close(pipe_ends[1]);
  std::signal(SIGPIPE, handler);
}

TEST(LogLimiterTest, LetsSoManyLinesThroughASecond) {
  LogLimiter limiter(2);
  int64_t suppressed = -1;
  EXPECT_TRUE(limiter.Allow(10, &suppressed));
  EXPECT_EQ(suppressed, 0);
  EXPECT_TRUE(limiter.Allow(10, &suppressed));
  EXPECT_FALSE(limiter.Allow(10, &suppressed));
  EXPECT_FALSE(limiter.Allow(10, &suppressed));
}

TEST(LogLimiterTest, TellsOnceHowManyItSwallowed) {
  LogLimiter limiter(1);
  int64_t suppressed = 0;
  EXPECT_TRUE(limiter.Allow(10, &suppressed));
  EXPECT_FALSE(limiter.Allow(10, &suppressed));
  EXPECT_FALSE(limiter.Allow(10, &suppressed));
  EXPECT_TRUE(limiter.Allow(11, &suppressed));
  EXPECT_EQ(suppressed, 2);
  EXPECT_TRUE(limiter.Allow(12, &suppressed));
  EXPECT_EQ(suppressed, 0);
}

TEST(LogLimiterTest, StartsAtSecondZero) {
  LogLimiter limiter(1);
  int64_t suppressed = 0;
  EXPECT_TRUE(limiter.Allow(0, &suppressed));
  EXPECT_FALSE(limiter.Allow(0, &suppressed));
}

}  // namespace
}  // namespace wsrouter
