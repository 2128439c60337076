#include "control/attached_service.h"

#include <tuple>

#include "absl/hash/hash.h"
#include "base/scatter.h"
#include "control/backend_question.h"
#include "control/convert.h"

namespace wsrouter {
// The hash alone keeps numbers that follow one another in an order that now and then gives one
// service nearly all connections.
uint64_t AttachedService::WeightFor(const ConnectionId& connection) const {
  return Scatter(absl::HashOf(connection) ^ Scatter(number_));
}

void AttachedService::Ask(uint64_t call, const BackendRequest& request, absl::Duration timeout) {
  v1::AttachResponse response;
  v1::AttachQuestion& question = *response.mutable_question();
  question.set_question_id(call);
  *question.mutable_deadline() = ToProto(timeout);
  switch (MethodOf(request)) {
    case BackendMethod::kConnect:
      *question.mutable_connect() = std::get<v1::ConnectRequest>(request);
      break;
    case BackendMethod::kMessage:
      *question.mutable_message() = std::get<v1::MessageRequest>(request);
      break;
    case BackendMethod::kDisconnected:
      *question.mutable_disconnected() = std::get<v1::DisconnectedRequest>(request);
      break;
    case BackendMethod::kJoinCheck:
      *question.mutable_join_check() = std::get<v1::JoinCheckRequest>(request);
      break;
  }
  stream_->Send(call, response);
}

absl::StatusOr<BackendResponse> ReadAttachAnswer(v1::AttachAnswer answer) {
  switch (answer.answer_case()) {
    case v1::AttachAnswer::kConnect:
      return std::move(*answer.mutable_connect());
    case v1::AttachAnswer::kMessage:
      return std::move(*answer.mutable_message());
    case v1::AttachAnswer::kDisconnected:
      return std::move(*answer.mutable_disconnected());
    case v1::AttachAnswer::kJoinCheck:
      return std::move(*answer.mutable_join_check());
    case v1::AttachAnswer::kError: {
      const auto code = static_cast<absl::StatusCode>(answer.error().code());
      return absl::Status(code == absl::StatusCode::kOk ? absl::StatusCode::kUnknown : code,
                          answer.error().message());
    }
    default:
      return UnreadableAnswer();
  }
}

}  // namespace wsrouter
