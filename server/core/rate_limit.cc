#include "core/rate_limit.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr char kRetryUrl[] = "wsrouter/retry_after";  // nanoseconds, decimal

}  // namespace

bool IsRateLimit(const RateLimit& limit) {
  if (!limit.on()) return true;
  return limit.n <= kRateMax && limit.window >= kRateWindowMin && limit.window <= kRateWindowMax;
}

absl::StatusOr<RateLimit> ParseRateLimit(std::string_view text) {
  if (text == "0") return RateLimit{};
  const size_t slash = text.find('/');
  RateLimit limit;
  const bool read = slash != std::string_view::npos &&
                    absl::SimpleAtoi(AbslView(text.substr(0, slash)), &limit.n) &&
                    absl::ParseDuration(AbslView(text.substr(slash + 1)), &limit.window);
  if (read && limit.on() && IsRateLimit(limit)) return limit;
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no rate, want 0, or pushes and a window such as 100/1s, 1 to {} in 1ms "
                  "to 1h",
                  text, kRateMax));
}

absl::Status RateStatus(const RateVerdict& verdict, const RateCharge& charge) {
  if (verdict.result == RateVerdict::Result::kAllowed) return absl::OkStatus();
  const bool room = verdict.result == RateVerdict::Result::kRoom;
  const RateLimit& limit = room ? charge.room.limit : charge.client.limit;
  return WithRetryAfter(
      Refusal(absl::StatusCode::kResourceExhausted, room ? "RATE_ROOM" : "RATE_CLIENT",
              fmt::format("the {} has had its {} pushes in {}", room ? "room" : "sender", limit.n,
                          absl::FormatDuration(limit.window))),
      verdict.retry_after);
}

absl::Duration RetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryUrl);
  int64_t nanos = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &nanos)) {
    return absl::ZeroDuration();
  }
  return absl::Nanoseconds(nanos);
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration retry_after) {
  status.SetPayload(kRetryUrl,
                    absl::Cord(fmt::format("{}", absl::ToInt64Nanoseconds(retry_after))));
  return status;
}

}  // namespace wsrouter
