#include "control/limit_calls.h"

#include <optional>
#include <utility>

#include "control/checks.h"
#include "control/convert.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// Absent where what was set is to be forgotten.
template <typename Request>
std::optional<RateLimit> ReadLimit(Checks& checks, const Request& request) {
  if (request.reset()) {
    if (request.n() != 0 || request.has_window()) {
      checks.Fail(BadField("reset", "FIELD_INVALID", "is set, want n and window not set then"));
    }
    return std::nullopt;
  }
  RateLimit limit = {.n = request.n()};
  if (!limit.on()) return limit;
  if (limit.n > kRateMax) {
    checks.Fail(
        BadField("n", "FIELD_OUT_OF_RANGE", fmt::format("is {}, want 0 to {}", limit.n, kRateMax)));
  }
  if (!request.has_window()) checks.FailMissing("window", "is not set");
  limit.window =
      absl::Seconds(request.window().seconds()) + absl::Nanoseconds(request.window().nanos());
  if (checks.ok() && !IsRateLimit(limit)) {
    checks.Fail(BadField("window", "FIELD_OUT_OF_RANGE",
                         fmt::format("is {}, want 1ms to 1h", absl::FormatDuration(limit.window))));
  }
  return limit;
}

template <typename Response>
RateLimits::Done Answering(Answer<Response> answer) {
  return [answer = std::move(answer)](absl::Status set) mutable {
    if (!set.ok()) return std::move(answer)(std::move(set));
    std::move(answer)(Response());
  };
}

// What RateLimitsPage gives: a letter for what is limited, and its name.
bool IsCursor(std::string_view cursor) {
  return (cursor.front() == 'r' || cursor.front() == 'c') &&
         CheckName("cursor", cursor.substr(1)).ok();
}

}  // namespace

void LimitCalls::SetRoomRateLimit(const v1::SetRoomRateLimitRequest& request,
                                  Answer<v1::SetRoomRateLimitResponse> answer) {
  Checks checks;
  RoomName room = checks.Required<RoomName>("room", request.room());
  const std::optional<RateLimit> limit = ReadLimit(checks, request);
  if (!checks.ok()) return std::move(answer)(checks.status());
  rates_.Set(std::move(room), limit, Answering(std::move(answer)));
}

void LimitCalls::SetClientRateLimit(const v1::SetClientRateLimitRequest& request,
                                    Answer<v1::SetClientRateLimitResponse> answer) {
  Checks checks;
  ClientId client = checks.Required<ClientId>("client_id", request.client_id());
  const std::optional<RateLimit> limit = ReadLimit(checks, request);
  if (!checks.ok()) return std::move(answer)(checks.status());
  rates_.Set(std::move(client), limit, Answering(std::move(answer)));
}

void LimitCalls::GetLimits(const v1::GetLimitsRequest& request,
                           Answer<v1::GetLimitsResponse> answer) {
  Checks checks;
  const uint32_t count = checks.PageCount(request.count());
  if (!request.cursor().empty() && !IsCursor(request.cursor())) {
    checks.Fail(
        BadField("cursor", "CURSOR_INVALID", "is none that this call gave; begin with none"));
  }
  if (!checks.ok()) return std::move(answer)(checks.status());
  RateLimitsPage page = rates_.Get(request.cursor(), count);
  v1::GetLimitsResponse response;
  for (const auto& [subject, limit] : page.rows) {
    v1::RateLimitRow& row = *response.add_limits();
    if (const auto* room = std::get_if<RoomName>(&subject)) {
      row.set_room(room->value);
    } else {
      row.set_client_id(std::get<ClientId>(subject).value);
    }
    row.set_n(limit.n);
    if (limit.on()) *row.mutable_window() = ToProto(limit.window);
  }
  response.set_next_cursor(std::move(page.next_cursor));
  std::move(answer)(std::move(response));
}

}  // namespace wsrouter
