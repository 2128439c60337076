#include "base/log.h"

#include <utility>

#include "nlohmann/json.hpp"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace wsrouter {
namespace {

constexpr size_t kTextBytesMax = 256;

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = spdlog::stderr_logger_mt("wsrouter");
    // The message is the tail of a JSON object that the pattern opens.
    made->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v)",
                      spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: break;
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
  if (!Logger().should_log(ToSpdlog(level))) return;
  nlohmann::ordered_json line = {{"event", event}};
  for (const LogField& field : fields) line[std::string(field.key)] = ToJson(field.value);
  // Text that is not UTF-8 is mended, never a reason to fail.
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  Logger().log(ToSpdlog(level), "{}", std::string_view(text).substr(1));
}

void SetLogLevel(LogLevel level) { Logger().set_level(ToSpdlog(level)); }

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
