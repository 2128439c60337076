#include "base/log.h"

#include <utility>

#include "nlohmann/json.hpp"
#include "spdlog/async.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace wsrouter {
namespace {

constexpr size_t kTextBytesMax = 256;

constexpr size_t kLinesMax = 8192;

spdlog::sink_ptr MakeSink() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  // The message is the tail of a JSON object that the pattern opens.
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v)", spdlog::pattern_time_type::utc));
  return sink;
}

// Where lines go at present.
class Output {
 public:
  std::shared_ptr<spdlog::logger> Logger() {
    absl::MutexLock lock(&mutex_);
    return logger_;
  }
  // Through `pool`; at once without one.
  void Use(std::shared_ptr<spdlog::details::thread_pool> pool) {
    std::shared_ptr<spdlog::logger> logger;
    if (pool == nullptr) {
      logger = std::make_shared<spdlog::logger>(kName, sink_);
    } else {
      logger = std::make_shared<spdlog::async_logger>(
          kName, sink_, std::move(pool), spdlog::async_overflow_policy::overrun_oldest);
    }
    absl::MutexLock lock(&mutex_);
    logger->set_level(logger_->level());
    logger_ = std::move(logger);
  }

 private:
  static constexpr char kName[] = "wsrouter";

  const spdlog::sink_ptr sink_ = MakeSink();
  absl::Mutex mutex_;
  std::shared_ptr<spdlog::logger> logger_ ABSL_GUARDED_BY(mutex_) =
      std::make_shared<spdlog::logger>(kName, sink_);
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

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const std::shared_ptr<spdlog::logger> logger = TheOutput().Logger();
  if (!logger->should_log(ToSpdlog(level))) return;
  nlohmann::ordered_json line = {{"event", event}};
  for (const LogField& field : fields) line[std::string(field.key)] = ToJson(field.value);
  // Text that is not UTF-8 is mended, never a reason to fail.
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  logger->log(ToSpdlog(level), "{}", std::string_view(text).substr(1));
}

void SetLogLevel(LogLevel level) { TheOutput().Logger()->set_level(ToSpdlog(level)); }

LogThread::LogThread() : pool_(std::make_shared<spdlog::details::thread_pool>(kLinesMax, 1)) {
  TheOutput().Use(pool_);
}

// The pool's end waits for what was handed to it.
LogThread::~LogThread() { TheOutput().Use(nullptr); }

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
