#ifndef WSROUTER_BASE_LOG_H_
#define WSROUTER_BASE_LOG_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace wsrouter {

class LogQueue;

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// One key and its value. Text from outside is escaped and cut at 256 octets.
struct LogField {
  using Value = std::variant<std::string, int64_t, double, bool, std::vector<std::string>>;

  LogField(std::string_view field_key, std::string_view text)
      : key(field_key), value(std::string(text)) {}
  LogField(std::string_view field_key, const char* text)
      : key(field_key), value(std::string(text)) {}
  LogField(std::string_view field_key, std::vector<std::string> texts)
      : key(field_key), value(std::move(texts)) {}
  LogField(std::string_view field_key, bool truth) : key(field_key), value(truth) {}
  LogField(std::string_view field_key, double number) : key(field_key), value(number) {}
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) LogField(std::string_view field_key, Number number)
      : key(field_key), value(static_cast<int64_t>(number)) {}

  std::string_view key;
  Value value;
};

// Writes one JSON line to stderr: time, level, event, then the fields. `event` is a constant.
// For changes of state, never for single messages; no payloads, no secrets. Any thread.
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

void SetLogLevel(LogLevel level);

// Whether lines of this level are written: for what is costly to put together. Any thread.
bool LogsAt(LogLevel level);

// Lines that were not written: too many waited, nobody read stderr to the end, or it was closed.
// Any thread.
uint64_t LogLinesDropped();

// While it lives, a thread of its own writes the lines, so that a stderr that nobody reads blocks
// nobody who logs: of the lines that wait, the oldest give way to what is too much, and where lines
// are written again `log_lines_dropped` tells how many are missing. Its end writes what waits, for
// `patience` at most; where that is not enough, nothing is written any more. Before and behind it
// lines are written at once. One at a time, in main.
class LogThread {
 public:
  explicit LogThread(absl::Duration patience = absl::Seconds(1)) : LogThread(patience, 8192) {}
  LogThread(absl::Duration patience, size_t lines_max);
  ~LogThread();
  LogThread(const LogThread&) = delete;

 private:
  const absl::Duration patience_;
  const std::shared_ptr<LogQueue> queue_;
  std::thread thread_;
};

// Lets a kind of line through at most `lines_max` times a second, so that nobody outside can
// flood the log. Keep one per place as a static. Any thread.
class LogLimiter {
 public:
  explicit LogLimiter(int lines_max) : lines_max_(lines_max) {}

  // `suppressed` gets the number of lines swallowed since the last one let through.
  [[nodiscard]] bool Allow(int64_t uptime_seconds, int64_t* suppressed);

 private:
  const int lines_max_;
  absl::Mutex mutex_;
  int64_t second_ ABSL_GUARDED_BY(mutex_) = -1;
  int lines_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t swallowed_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_BASE_LOG_H_
