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
  {
    absl::MutexLock lock(&mutex_);
    if (writing_ || ended_.has_value() || !Next(response_)) return;
    writing_ = true;
  }
  // Whoever ends the stream now leaves Finish to OnWriteDone.
  StartWrite(&response_);
}

void EventStream::OnWriteDone(bool ok) {
  std::optional<grpc::Status> ended;
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok && !ended_.has_value()) ended_ = grpc::Status::CANCELLED;
    ended = ended_;
  }
  if (ended.has_value()) {
    Finish(*ended);
  } else {
    Pump();
  }
}

void EventStream::End(const absl::Status& status) { EndWith(ToGrpc(status)); }

void EventStream::OnCancel() { EndWith(grpc::Status::CANCELLED); }

void EventStream::EndWith(const grpc::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (ended_.has_value()) return;
    ended_ = status;
    if (writing_) return;
  }
  Finish(status);
}

void EventStream::OnDone() {
  Unsubscribe();
  std::move(closed_)(*this);
}

}  // namespace wsrouter
