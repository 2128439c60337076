#include "control/library_logs.h"

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/log.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/support/log.h"

namespace wsrouter {
namespace {

void OnGrpcLog(gpr_log_func_args* line) {
  static const SystemClock clock;
  static LogLimiter limiter(5);
  if (line->severity != GPR_LOG_SEVERITY_ERROR) return;
  int64_t suppressed = 0;
  if (!limiter.Allow(absl::ToInt64Seconds(clock.Now().uptime), &suppressed)) return;
  Log(LogLevel::kWarning, "grpc", {{"message", line->message}, {"suppressed", suppressed}});
}

}  // namespace

void RedirectLibraryLogs() {
  gpr_set_log_function(&OnGrpcLog);
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace wsrouter
