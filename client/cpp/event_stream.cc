#include "wsrouter/event_stream.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "status.h"
#include "wsrouter/error.h"

namespace wsrouter::client {
namespace {

absl::Duration Uptime() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// Whether the node refused the request as such, so that the same one will be refused again.
bool IsFinal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace

EventStream::EventStream(const BackoffOptions& backoff, StreamHandlers handlers,
                         ReadToEnd read_to_end, std::function<void()> finish)
    : handlers_(std::move(handlers)),
      read_to_end_(std::move(read_to_end)),
      finish_(std::move(finish)),
      backoff_(backoff, SystemRandom()),
      thread_([this] { Run(); }) {}

EventStream::~EventStream() { Stop(); }

void EventStream::Stop() {
  bool in_handler = false;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    in_handler = std::this_thread::get_id() == reader_;
  }
  stop_requested_.notify_all();
  if (finish_ && !in_handler) finish_();
  {
    std::lock_guard lock(mutex_);
    if (context_ != nullptr) context_->TryCancel();
  }
  if (in_handler) return;
  std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

bool EventStream::stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void EventStream::ReportLive(const Live& live) {
  backoff_.OnConnected(Uptime());
  if (handlers_.on_live && !stopping()) handlers_.on_live(live);
}

void EventStream::ReportMissed(uint64_t missed) {
  if (handlers_.on_missed && missed > 0 && !stopping()) handlers_.on_missed(missed);
}

void EventStream::Run() {
  {
    std::lock_guard lock(mutex_);
    reader_ = std::this_thread::get_id();
  }
  for (bool resumed = false;; resumed = true) {
    grpc::ClientContext context;
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      context_ = &context;
    }
    // A cancellation that comes before the stream is opened is kept by the context.
    const absl::Status cause = FromGrpc(read_to_end_(*this, context, resumed));
    {
      std::lock_guard lock(mutex_);
      context_ = nullptr;
    }
    if (!AwaitRetry(cause)) return;
  }
}

bool EventStream::AwaitRetry(const absl::Status& cause) {
  constexpr absl::Duration kRetryDelayMax = absl::Hours(1);  // whatever the node asks for
  std::optional<absl::Duration> retry_in;
  if (!IsFinal(cause)) {
    const absl::Duration wanted = Details(cause).retry_delay.value_or(absl::ZeroDuration());
    retry_in = std::min(std::max(backoff_.OnLost(Uptime()), wanted), kRetryDelayMax);
  }
  if (handlers_.on_down && !stopping()) handlers_.on_down(cause, retry_in);
  if (!retry_in) return false;
  std::unique_lock lock(mutex_);
  return !stop_requested_.wait_for(lock, absl::ToChronoNanoseconds(*retry_in),
                                   [this] { return stopping_; });
}

}  // namespace wsrouter::client
