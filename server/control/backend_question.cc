#include "control/backend_question.h"

#include "core/close_code.h"

namespace wsrouter {
namespace {

CloseWith TryAgainLater() {
  return {.code = static_cast<uint16_t>(CloseCode::kTryAgainLater),
          .reason = "the service does not answer"};
}

}  // namespace

Admission AdmitUnasked(const ConnectQuestion& question) {
  return {.own = question.proved, .greetings = {}, .subprotocol = {}};
}

ConnectAnswer AnswerForService(const ConnectQuestion& question, ConnectOutage outage,
                               absl::Duration retry_after) {
  if (outage == ConnectOutage::kAcceptProved && question.proved.has_value()) {
    return AdmitUnasked(question);
  }
  return Denial{.close = TryAgainLater(), .retry_after = retry_after};
}

Effects AnswerForService(const ConnectionId& connection, MessageOutage outage) {
  Effects effects;
  if (outage == MessageOutage::kDisconnect) {
    effects.push_back({.to = connection, .action = Disconnect{.close = TryAgainLater()}});
  }
  return effects;
}

}  // namespace wsrouter
