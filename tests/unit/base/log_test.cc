#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

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

// While it lives, stderr is a pipe.
class PipedStderr {
 public:
  PipedStderr() {
    std::signal(SIGPIPE, SIG_IGN);  // for good: a write may end behind the test
    EXPECT_EQ(pipe(ends_), 0);
    dup2(ends_[1], STDERR_FILENO);
    close(ends_[1]);
  }
  ~PipedStderr() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    close(ends_[0]);  // ends a write that is under way
  }

  // The next line; waits for it.
  nlohmann::json ReadLine() {
    char octets[4096];
    while (true) {
      if (const size_t end = text_.find('\n'); end != std::string::npos) {
        nlohmann::json line = nlohmann::json::parse(text_.substr(0, end));
        text_.erase(0, end + 1);
        return line;
      }
      const ssize_t got = read(ends_[0], octets, sizeof(octets));
      if (got <= 0) break;
      text_.append(octets, static_cast<size_t>(got));
    }
    ADD_FAILURE() << "no line";
    return {{"event", ""}};
  }

 private:
  const int saved_ = dup(STDERR_FILENO);
  int ends_[2] = {-1, -1};
  std::string text_;  // read, and no whole line yet
};

TEST(LogThreadTest, NeitherLoggingNorTheEndWaitsForAStderrThatNobodyReads) {
  const uint64_t before = LogLinesDropped();
  const PipedStderr nobody_reads;
  constexpr int kLines = 20'000;  // more than the pipe and the queue hold together
  {
    const LogThread thread(absl::Milliseconds(50));
    for (int i = 0; i < kLines; ++i) Log(LogLevel::kInfo, "counted", {{"i", i}});
  }
  Log(LogLevel::kInfo, "behind");
  // All but those that the pipe took: it holds 64 KiB, a line is longer than 64 octets.
  EXPECT_GT(LogLinesDropped() - before, kLines - 1024u);
  EXPECT_LE(LogLinesDropped() - before, kLines + 1u);
}

TEST(LogThreadTest, WhereLinesAreWrittenAgainItIsToldHowManyAreMissing) {
  const uint64_t before = LogLinesDropped();
  PipedStderr stderr_pipe;
  const LogThread thread(absl::Seconds(1), 16);
  for (int i = 0; i < 5'000; ++i) Log(LogLevel::kInfo, "counted", {{"i", i}});
  uint64_t missing = 0;
  uint64_t last = 0;
  // It is the oldest that give way, and what is missing is told behind. The pipe held a thousand.
  while ((last != 4'999 || missing < 4'000) && !HasFailure()) {
    const nlohmann::json line = stderr_pipe.ReadLine();
    if (line["event"] == "counted") last = line["i"];
    if (line["event"] == "log_lines_dropped") missing += line["lines"].get<uint64_t>();
  }
  EXPECT_LE(missing, LogLinesDropped() - before);
}

TEST(LogTest, SaysWhatItWouldWrite) {
  SetLogLevel(LogLevel::kWarning);
  EXPECT_FALSE(LogsAt(LogLevel::kInfo));
  EXPECT_TRUE(LogsAt(LogLevel::kWarning));
  SetLogLevel(LogLevel::kInfo);
  EXPECT_TRUE(LogsAt(LogLevel::kInfo));
  EXPECT_FALSE(LogsAt(LogLevel::kDebug));
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
