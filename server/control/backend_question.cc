#include "control/backend_question.h"

#include "control/errors.h"
#include "core/close_code.h"
#include "core/error.h"

namespace wsrouter {
namespace {

CloseWith TryAgainLater() {
  return {.code = static_cast<uint16_t>(CloseCode::kTryAgainLater),
          .reason = "the service does not answer"};
}

Denial Deny(CloseCode code) {
  return {.close = {static_cast<uint16_t>(code), ""}, .retry_after = {}};
}

}  // namespace

Admission AdmitUnasked(const ConnectQuestion& question) {
  return {.own = question.proved, .greetings = {}, .subprotocol = {}};
}

absl::Status Unasked(std::string_view reason, std::string_view message) {
  return Refusal(absl::StatusCode::kUnavailable, reason, message);
}

absl::Status UnreadableAnswer() {
  return BadField("answer", "FIELD_INVALID", "is not set or cannot be parsed");
}

bool IsOurs(const absl::Status& failure) { return !ReasonOf(failure).empty(); }

bool IsOutage(const absl::Status& failure) {
  return absl::IsUnavailable(failure) || absl::IsDeadlineExceeded(failure);
}

bool IsOfTheMethod(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

ConnectAnswer AnswerForService(const ConnectQuestion& question, const absl::Status& failure,
                               ConnectOutage outage, absl::Duration retry_after) {
  if (absl::IsPermissionDenied(failure)) return Deny(CloseCode::kForbidden);
  if (absl::IsUnauthenticated(failure)) return Deny(CloseCode::kNotAuthenticated);
  const bool lets_in = outage == ConnectOutage::kAcceptProved && IsOutage(failure);
  if (lets_in && question.proved.has_value()) return AdmitUnasked(question);
  return Denial{.close = TryAgainLater(), .retry_after = retry_after};
}

absl::Status JoinForbidden(std::string_view why) {
  return Refusal(absl::StatusCode::kPermissionDenied, "JOIN_FORBIDDEN",
                 why.empty() ? "the client may not join this room" : why);
}

absl::Status JoinForService(const absl::Status& failure) {
  if (absl::IsPermissionDenied(failure)) return JoinForbidden({});
  return Refusal(absl::StatusCode::kUnavailable, "JOIN_UNDECIDED",
                 "the service that decides about joins does not answer");
}

Effects AnswerForService(const ConnectionId& connection, MessageOutage outage) {
  Effects effects;
  if (outage == MessageOutage::kDisconnect) {
    effects.push_back({.to = connection, .action = Disconnect{.close = TryAgainLater()}});
  }
  return effects;
}

}  // namespace wsrouter
