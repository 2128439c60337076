#include "base/log.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "nlohmann/json.hpp"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/base_sink.h"
#include "spdlog/spdlog.h"

namespace wsrouter {
namespace {

constexpr size_t kTextBytesMax = 256;

std::atomic<uint64_t> lines_dropped{0};

// False where the line is lost.
bool WriteLine(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
    if (written >= 0) {
      line.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {  // whoever shares it has made it so
      pollfd waits = {.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
      (void)poll(&waits, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

// Where lines go: into a queue, or to stderr at once, or nowhere.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void Use(std::shared_ptr<LogQueue> queue, bool silent) {
    const std::lock_guard lock(mutex_);
    queue_ = std::move(queue);
    silent_ = silent;
  }

 private:
  // Under mutex_.
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

  std::shared_ptr<LogQueue> queue_;  // guarded by mutex_, as silent_ is
  bool silent_ = false;
};

struct Output {
  Output() {
    // The message is the tail of a JSON object that the pattern opens.
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v)", spdlog::pattern_time_type::utc));
  }

  const std::shared_ptr<LineSink> sink = std::make_shared<LineSink>();
  spdlog::logger logger{"wsrouter", sink};
};

// Never destroyed: libraries' threads may log to the last.
Output& TheOutput() {
  static Output& output = *new Output;
  return output;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

nlohmann::ordered_json ToJson(const LogField::Value& value) {
  return std::visit(
      [](const auto& held) -> nlohmann::ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::string>) {
          return held.substr(0, kTextBytesMax);
        } else {
          return held;
        }
      },
      value);
}

}  // namespace

// The lines that wait to be written, and the one that is being.
class LogQueue {
 public:
  explicit LogQueue(size_t lines_max) : lines_max_(lines_max) {}

  void Push(std::string line) {
    absl::MutexLock lock(&mutex_);
    lines_.push_back(std::move(line));
    if (lines_.size() > lines_max_) {
      lines_.pop_front();
      ++missing_;
      ++lines_dropped;
    }
    changed_.SignalAll();
  }

  // Writes until End, and what waits then.
  void Run() {
    std::string line;
    uint64_t missing = 0;
    while (Take(line, missing)) {
      if (!WriteLine(line)) OnLost();
      if (missing > 0) Log(LogLevel::kWarning, "log_lines_dropped", {{"lines", missing}});
    }
  }

  // Whether all was written.
  bool End(absl::Duration patience) {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
    changed_.SignalAll();
    const SystemClock clock;
    const absl::Duration end = clock.Now().uptime + patience;
    while (!ended_ && clock.Now().uptime < end) {
      changed_.WaitWithTimeout(&mutex_, end - clock.Now().uptime);
    }
    if (ended_) return true;
    lines_dropped += lines_.size() + 1;  // the one that is being written, too
    lines_.clear();
    abandoned_ = true;
    return false;
  }

 private:
  void OnLost() {
    absl::MutexLock lock(&mutex_);
    if (!abandoned_) ++lines_dropped;
  }

  bool Take(std::string& line, uint64_t& missing) {
    absl::MutexLock lock(&mutex_);
    while (lines_.empty() && !ending_) changed_.Wait(&mutex_);
    ended_ = lines_.empty();
    if (ended_) {
      changed_.SignalAll();
      return false;
    }
    line = std::move(lines_.front());
    lines_.pop_front();
    // Told once there is room again.
    missing = lines_.size() < lines_max_ / 2 ? std::exchange(missing_, 0) : 0;
    return true;
  }

  const size_t lines_max_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::deque<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  uint64_t missing_ ABSL_GUARDED_BY(mutex_) = 0;  // that nobody was told of
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;  // what is lost has been counted
};

void LineSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t text;
  formatter_->format(message, text);
  if (queue_ != nullptr) return queue_->Push(std::string(text.data(), text.size()));
  if (silent_ || !WriteLine({text.data(), text.size()})) ++lines_dropped;
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  spdlog::logger& logger = TheOutput().logger;
  if (!logger.should_log(ToSpdlog(level))) return;
  nlohmann::ordered_json line = {{"event", event}};
  for (const LogField& field : fields) line[std::string(field.key)] = ToJson(field.value);
  // Text that is not UTF-8 is mended, never a reason to fail.
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  logger.log(ToSpdlog(level), "{}", std::string_view(text).substr(1));
}

void SetLogLevel(LogLevel level) { TheOutput().logger.set_level(ToSpdlog(level)); }

bool LogsAt(LogLevel level) { return TheOutput().logger.should_log(ToSpdlog(level)); }

uint64_t LogLinesDropped() { return lines_dropped; }

LogThread::LogThread(absl::Duration patience, size_t lines_max)
    : patience_(patience),
      queue_(std::make_shared<LogQueue>(lines_max)),
      thread_([queue = queue_] { queue->Run(); }) {
  TheOutput().sink->Use(queue_, false);
}

LogThread::~LogThread() {
  const bool ended = queue_->End(patience_);
  TheOutput().sink->Use(nullptr, !ended);
  if (ended) {
    thread_.join();
    queue_->Run();  // what came meanwhile
  } else {
    thread_.detach();  // it hangs in a write that nobody can end, and keeps what it uses
  }
}

bool LogLimiter::Allow(int64_t uptime_seconds, int64_t* suppressed) {
  absl::MutexLock lock(&mutex_);
  if (uptime_seconds != second_) {
    second_ = uptime_seconds;
    lines_ = 0;
  }
  if (lines_ >= lines_max_) {
    ++swallowed_;
    return false;
  }
  ++lines_;
  *suppressed = std::exchange(swallowed_, 0);
  return true;
}

}  // namespace wsrouter
