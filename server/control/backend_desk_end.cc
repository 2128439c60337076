// How the desk ends a question: by the service's answer, by a policy, or by nothing at all.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/overloaded.h"
#include "base/strings.h"
#include "control/backend_confine.h"
#include "control/backend_convert.h"
#include "control/backend_desk.h"
#include "core/error.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kBackoffMin = absl::Milliseconds(100);
constexpr absl::Duration kBackoffMax = absl::Seconds(1);
// How often an end is told to a service that is away.
constexpr uint32_t kEndAttemptsMax = 6;
// Clients that are refused come back spread over this time.
constexpr absl::Duration kRetryAfterMin = absl::Seconds(1);
constexpr absl::Duration kRetryAfterSpread = absl::Seconds(4);

using Connecting = BackendQuestion::Connecting;
using Speaking = BackendQuestion::Speaking;
using Joining = BackendQuestion::Joining;
using Ending = BackendQuestion::Ending;

// Of an attempt that failed.
QuestionOutcome OutcomeOf(const absl::Status& status) {
  if (absl::IsDeadlineExceeded(status)) return QuestionOutcome::kLate;
  const bool unasked = IsOurs(status) && IsOutage(status);
  return unasked ? QuestionOutcome::kUnasked : QuestionOutcome::kFailed;
}

}  // namespace

void BackendDesk::Accept(BackendQuestion& question, BackendResponse& response,
                         const BackendService& service) {
  if (response.index() != question.request.index()) {
    return Fail(question,
                Refusal(absl::StatusCode::kInvalidArgument, "FIELD_INVALID",
                        "the answer is to another kind of question"),
                &service);
  }
  const Route* route = RouteOf(question.path);
  if (route != nullptr && !route->rooms_prefix.empty()) {
    const absl::StatusOr<size_t> dropped = Confine(route->rooms_prefix, question.request, response);
    if (!dropped.ok()) return Fail(question, dropped.status(), &service);
    counters_.Add(Counter::kEffectsFailed, *dropped);
    if (*dropped > 0) LogFailure(question, OutsideOfPrefix("effects"), &service);
  }
  const absl::Time now = clock_.Now().wall;
  if (const auto* connecting = std::get_if<Connecting>(&question.waiter)) {
    auto answer = ReadAnswer(std::get<v1::ConnectResponse>(response), connecting->question,
                             options_.payload_bytes_max, now);
    if (!answer.ok()) return Fail(question, answer.status(), &service);
    return Finish(question, *std::move(answer));
  }
  if (std::holds_alternative<Ending>(question.waiter)) {
    Forget(question);
    return CheckIdle();
  }
  if (std::holds_alternative<Joining>(question.waiter)) {
    auto verdict = ReadAnswer(std::get<v1::JoinCheckResponse>(response));
    if (!verdict.ok()) return Fail(question, verdict.status(), &service);
    return Finish(question, std::move(verdict->status));
  }
  auto answer = ReadAnswer(std::get<v1::MessageResponse>(response), question.connection,
                           options_.payload_bytes_max, now);
  if (!answer.ok()) return Fail(question, answer.status(), &service);
  for (const Envelope& effect : answer->effects) {
    if (!std::holds_alternative<Deliver>(effect.action)) continue;
    if (std::holds_alternative<RoomName>(effect.to)) counters_.Add(Counter::kRoomPushes);
    if (std::holds_alternative<ClientId>(effect.to)) counters_.Add(Counter::kSendToClient);
  }
  Finish(question, *std::move(answer));
}

void BackendDesk::AcceptUnasked(BackendQuestion& question) {
  question.begun.reset();
  if (const auto* connecting = std::get_if<Connecting>(&question.waiter)) {
    return Finish(question, AdmitUnasked(connecting->question));
  }
  if (std::holds_alternative<Speaking>(question.waiter)) return Finish(question, MessageAnswer());
  if (std::holds_alternative<Joining>(question.waiter)) return Finish(question, JoinForbidden({}));
  Forget(question);
  CheckIdle();
}

void BackendDesk::Fail(BackendQuestion& question, const absl::Status& status,
                       const BackendService* service) {
  counters_.Add(Counter::kBackendFailures);
  LogFailure(question, status, service);
  Measure(question, OutcomeOf(status));
  const absl::Duration retry_after = RetryAfter(service);
  if (AskAgain(question, status)) return;
  if (const auto* connecting = std::get_if<Connecting>(&question.waiter)) {
    return Finish(question, AnswerForService(connecting->question, status, options_.connect_outage,
                                             retry_after));
  }
  if (std::holds_alternative<Speaking>(question.waiter)) {
    return Finish(question, AnswerForService(question.connection, options_.message_outage));
  }
  if (std::holds_alternative<Joining>(question.waiter)) {
    return Finish(question, JoinForService(status));
  }
  counters_.Add(Counter::kBackendEndsLost);
  Forget(question);
  CheckIdle();
}

bool BackendDesk::AskAgain(BackendQuestion& question, const absl::Status& status) {
  const absl::Duration pause = Backoff(question.attempts++);
  const bool again = std::visit(
      Overloaded{[&](const Connecting&) {
                   return options_.connect_outage == ConnectOutage::kHold && IsOutage(status) &&
                          Now() + pause < question.give_up;
                 },
                 [](const Speaking&) { return false; }, [](const Joining&) { return false; },
                 [&](const Ending&) {
                   return absl::IsUnavailable(status) && question.attempts < kEndAttemptsMax;
                 }},
      question.waiter);
  if (!again || held_ >= options_.queue_max) return false;
  question.held = true;
  ++held_;
  thread_.Drop(question.timer);
  question.timer = thread_.After(pause, [this, &question] {
    question.held = false;
    --held_;
    Begin(question);
  });
  return true;
}

void BackendDesk::Finish(BackendQuestion& question, ConnectAnswer answer) {
  const auto ended = Forget(question);
  std::move(std::get<Connecting>(ended->waiter).done)(std::move(answer));
  CheckIdle();
}

void BackendDesk::Finish(BackendQuestion& question, MessageAnswer answer) {
  const auto ended = Forget(question);
  std::move(std::get<Speaking>(ended->waiter).done)(std::move(answer));
  CheckIdle();
}

void BackendDesk::Finish(BackendQuestion& question, absl::Status join) {
  const auto ended = Forget(question);
  std::move(std::get<Joining>(ended->waiter).done)(std::move(join));
  CheckIdle();
}

std::unique_ptr<BackendQuestion> BackendDesk::Forget(BackendQuestion& question) {
  Measure(question, QuestionOutcome::kAnswered);
  thread_.Drop(question.timer);
  if (question.held) --held_;
  auto forgotten = std::move(questions_.extract(question.ticket).mapped());
  MeasureLoad();
  return forgotten;
}

void BackendDesk::Measure(BackendQuestion& question, QuestionOutcome outcome) {
  if (!question.begun) return;
  const absl::Duration took = Now() - *std::exchange(question.begun, std::nullopt);
  measures_.questions.Add(question.request.index(), static_cast<size_t>(outcome), took);
}

void BackendDesk::MeasureLoad() {
  measures_.questions_running = running_;
  measures_.questions_waiting = questions_.size() - running_;
}

void BackendDesk::MeasurePauses() {
  const auto paused = [](const auto& service) { return service->gate.paused(); };
  const auto dialled = [](const Route& route) {
    return route.service != nullptr && route.service->gate.paused();
  };
  measures_.services_paused = static_cast<uint64_t>(std::ranges::count_if(attached_, paused) +
                                                    std::ranges::count_if(routes_, dialled));
}

void BackendDesk::CheckIdle() {
  if (idle_ == nullptr || !questions_.empty()) return;
  std::exchange(idle_, nullptr)();
}

void BackendDesk::WhenIdle(absl::AnyInvocable<void() &&> idle) {
  idle_ = std::move(idle);
  CheckIdle();
}

void BackendDesk::Abandon() {
  for (const auto& [ticket, question] : questions_) {
    if (std::holds_alternative<Ending>(question->waiter)) counters_.Add(Counter::kBackendEndsLost);
  }
  questions_.clear();
  calls_.clear();
  running_ = 0;
  MeasureLoad();
}

void BackendDesk::LogFailure(const BackendQuestion& question, const absl::Status& status,
                             const BackendService* service) {
  static LogLimiter limiter(5);
  int64_t suppressed = 0;
  if (!limiter.Allow(absl::ToInt64Seconds(Now()), &suppressed)) return;
  const Route* route = RouteOf(question.path);
  Log(LogLevel::kWarning, "backend_failed",
      {{"path", question.path},
       {"route", route == nullptr ? std::string_view() : route->prefix},
       {"service", service == nullptr ? std::string() : service->Name()},
       {"method", kBackendMethodNames[question.request.index()]},
       {"code", absl::StatusCodeToString(status.code())},
       {"message", IsOurs(status) ? StdView(status.message()) : std::string_view()},
       {"suppressed", suppressed}});
}

absl::Duration BackendDesk::Backoff(uint32_t attempts) {
  const absl::Duration most = std::min(kBackoffMax, kBackoffMin * (1 << std::min(attempts, 10u)));
  return most * std::uniform_real_distribution<double>(0.5, 1.0)(random_);
}

absl::Duration BackendDesk::RetryAfter(const BackendService* service) {
  const absl::Duration pause =
      service == nullptr ? absl::ZeroDuration() : service->gate.PauseLeft(Now());
  return std::max(kRetryAfterMin, pause) +
         kRetryAfterSpread * std::uniform_real_distribution<double>(0.0, 1.0)(random_);
}

}  // namespace wsrouter
