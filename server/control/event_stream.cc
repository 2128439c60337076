#include "control/event_stream.h"

#include <utility>

#include "control/errors.h"

namespace wsrouter {
namespace {

class Refused final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit Refused(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* RefusedStream(const absl::Status& status) {
  return new Refused(ToGrpc(status));
}

void EventStream::Pump() {
  std::optional<grpc::Status> end;
  {
    absl::MutexLock lock(&mutex_);
    if (writing_ || finished_) return;
    writing_ = !cut_ && Next(response_);
    if (!writing_ && !ended_.has_value()) return;
    finished_ = !writing_;
    if (finished_) end = ended_;
  }
  // Whoever ends the stream while it writes leaves the rest to OnWriteDone.
  if (end.has_value()) {
    Finish(*end);
  } else {
    StartWrite(&response_);
  }
}

void EventStream::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
  }
  if (ok) return Pump();
  OnCancel();
}

void EventStream::End(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (ended_.has_value()) return;
    ended_ = ToGrpc(status);
  }
  Wake();
}

void EventStream::Cut(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    cut_ = true;
    if (!ended_.has_value()) ended_ = ToGrpc(status);
  }
  Wake();
}

void EventStream::OnCancel() {
  {
    absl::MutexLock lock(&mutex_);
    cut_ = true;
    ended_ = grpc::Status::CANCELLED;
  }
  Pump();
}

void EventStream::OnDone() {
  Unsubscribe();
  std::move(closed_)(*this);
}

}  // namespace wsrouter
