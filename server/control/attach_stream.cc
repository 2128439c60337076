#include "control/attach_stream.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "control/errors.h"
#include "control/rpc.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr uint32_t kQuestionsDefault = 100;
constexpr uint32_t kQuestionsMax = 10'000;
constexpr size_t kPrefixBytesMax = 255;

class Refused final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit Refused(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RefusedAttach(
    const absl::Status& status) {
  return new Refused(ToGrpc(status));
}

absl::StatusOr<AttachTerms> ReadAttachment(const v1::Attachment& attachment) {
  AttachTerms terms = {.prefix = attachment.path_prefix(),
                       .questions_max = attachment.questions_max(),
                       .methods = {}};
  if (terms.prefix.empty()) terms.prefix.push_back('/');
  if (!terms.prefix.starts_with('/') || terms.prefix.size() > kPrefixBytesMax ||
      !IsPlainText(terms.prefix)) {
    return BadField("attach.path_prefix", "FIELD_INVALID", "is no path that begins with '/'");
  }
  if (terms.questions_max == 0) terms.questions_max = kQuestionsDefault;
  if (terms.questions_max > kQuestionsMax) {
    return BadField("attach.questions_max", "FIELD_OUT_OF_RANGE",
                    fmt::format("is {}, want at most {}", terms.questions_max, kQuestionsMax));
  }
  for (const std::string& name : attachment.methods()) {
    const std::optional<BackendMethod> method = ParseBackendMethod(name);
    if (!method.has_value()) {
      return BadField("attach.methods", "FIELD_INVALID",
                      "has an entry that is none of Connect, Message, Disconnected and JoinCheck");
    }
    terms.methods.set(static_cast<size_t>(*method));
  }
  if (attachment.methods().empty()) terms.methods.set();
  return terms;
}

void AttachStream::ReadOn() {
  // Under the lock, so that nothing is read behind the end.
  absl::MutexLock lock(&mutex_);
  if (!finished_) StartRead(&request_);
}

absl::Status AttachStream::OnRequest() {
  v1::AttachRequest request;
  const absl::Status parsed = ParseRequest(request_, request);
  const size_t octets = request_.Length();
  request_.Clear();  // before the desk has the answer: then it reads on, from a thread of its own
  if (!parsed.ok()) {
    // What was parsed until then tells which question it is for; nothing else of it counts.
    const uint64_t question = attached_ ? request.answer().question_id() : 0;
    if (question == 0) return parsed;
    request.Clear();
    request.mutable_answer()->set_question_id(question);
  }
  if (octets > answer_bytes_max_ && request.has_answer()) {
    // What gRPC says of such an answer of a service that was dialled.
    google::rpc::Status& error = *request.mutable_answer()->mutable_error();
    error.set_code(static_cast<int>(absl::StatusCode::kResourceExhausted));
  }
  switch (request.item_case()) {
    case v1::AttachRequest::kAttach: {
      if (std::exchange(attached_, true)) {
        return BadField("attach", "FIELD_INVALID", "comes twice");
      }
      absl::StatusOr<AttachTerms> terms = ReadAttachment(request.attach());
      if (!terms.ok()) return terms.status();
      desk_.Attach(shared_from_this(), *std::move(terms));
      return absl::OkStatus();
    }
    case v1::AttachRequest::kAnswer:
      if (!attached_) break;
      desk_.Answer(shared_from_this(), std::move(*request.mutable_answer()));
      return absl::OkStatus();
    default:
      break;
  }
  return BadField(attached_ ? "answer" : "attach", "FIELD_MISSING", "is missing");
}

void AttachStream::OnReadDone(bool ok) {
  const absl::Status status = ok ? OnRequest() : absl::OkStatus();
  if (ok && status.ok()) return;
  desk_.Detach(*this, status);
  End(status);
}

void AttachStream::Send(uint64_t call, const v1::AttachResponse& response) {
  {
    absl::MutexLock lock(&mutex_);
    if (ended_.has_value()) return;
    queue_.push_back({.call = call, .octets = SerializeResponse(response)});
  }
  Pump();
}

void AttachStream::Withdraw(uint64_t call) {
  v1::AttachResponse response;
  response.set_cancelled_question_id(call);
  {
    absl::MutexLock lock(&mutex_);
    if (std::erase_if(queue_, [&](const Waiting& one) { return one.call == call; }) > 0) return;
  }
  Send(0, response);
}

void AttachStream::Pump() {
  std::optional<grpc::Status> end;
  {
    absl::MutexLock lock(&mutex_);
    if (writing_ || finished_) return;
    if (ended_.has_value()) {
      finished_ = true;
      end = ended_;
    } else if (!queue_.empty()) {
      writing_ = true;
      response_ = std::move(queue_.front().octets);
      queue_.pop_front();
    } else {
      return;
    }
  }
  if (end.has_value()) {
    Finish(*end);
  } else {
    StartWrite(&response_);
  }
}

void AttachStream::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
  }
  if (ok) return Pump();
  OnCancel();
}

void AttachStream::End(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ended_.has_value()) ended_ = ToGrpc(status);
    queue_.clear();
  }
  Pump();
}

void AttachStream::Cut(const absl::Status& status) {
  desk_.Detach(*this, absl::OkStatus());
  End(status);
}

void AttachStream::OnCancel() {
  desk_.Detach(*this, absl::OkStatus());
  {
    absl::MutexLock lock(&mutex_);
    ended_ = grpc::Status::CANCELLED;
    queue_.clear();
  }
  Pump();
}

void AttachStream::OnDone() {
  {
    // Whoever frees the stream, perhaps the desk, comes behind all that gRPC called before.
    absl::MutexLock lock(&mutex_);
    queue_.clear();
  }
  desk_.Detach(*this, absl::OkStatus());
  std::move(closed_)(*this);
}

}  // namespace wsrouter
