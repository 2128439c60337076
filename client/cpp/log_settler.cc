#include "log_settler.h"

#include <algorithm>
#include <utility>

#include "to_proto.h"

namespace wsrouter::client {
namespace {

constexpr size_t kBatchMax = 1000;  // as many as a Settlement may have
// How long what was settled waits for more: a message costs the node a round trip to Redis.
constexpr std::chrono::milliseconds kLinger(2);

}  // namespace

uint64_t LogSettler::Attach(Stream& stream) {
  std::lock_guard lock(mutex_);
  attached_ = true;
  writer_ = std::thread([this, &stream] { Write(stream); });
  return ++stream_;
}

void LogSettler::Detach() {
  {
    std::lock_guard lock(mutex_);
    attached_ = false;
  }
  changed_.notify_all();
  writer_.join();
}

void LogSettler::Settle(uint64_t stream, std::string receipt,
                        std::optional<absl::Duration> again_after) {
  {
    std::lock_guard lock(mutex_);
    if (finishing_ && !attached_) return;  // nobody will write it
    waiting_.push_back(
        {.stream = stream, .receipt = std::move(receipt), .again_after = again_after});
  }
  changed_.notify_all();
}

void LogSettler::Finish(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  finishing_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, patience, [this] { return !attached_; });
}

std::optional<v1::ConsumeRequest> LogSettler::Next() {
  std::unique_lock lock(mutex_);
  const auto ends = [this] { return !attached_ || finishing_; };
  changed_.wait(lock, [&] { return ends() || !waiting_.empty(); });
  changed_.wait_for(lock, kLinger, [&] { return ends() || waiting_.size() >= kBatchMax; });
  if (!attached_ || waiting_.empty()) return std::nullopt;
  v1::ConsumeRequest request;
  v1::Settlement& settle = *request.mutable_settle();
  for (size_t i = 0; i < kBatchMax && !waiting_.empty(); ++i) {
    Settled one = std::move(waiting_.front());
    waiting_.pop_front();
    if (one.stream == stream_) settle.set_credits(settle.credits() + 1);
    if (one.again_after.has_value()) {
      v1::GivenBack& back = *settle.add_again();
      back.set_receipt(std::move(one.receipt));
      *back.mutable_after() = ToProto(std::max(*one.again_after, absl::ZeroDuration()));
    } else {
      settle.add_done(std::move(one.receipt));
    }
  }
  return request;
}

void LogSettler::Write(Stream& stream) {
  while (const auto request = Next()) {
    if (!stream.Write(*request)) return;  // it has ended; what it did not say comes again
  }
  std::unique_lock lock(mutex_);
  const bool finished = attached_ && finishing_;
  lock.unlock();
  if (finished) stream.WritesDone();
}

}  // namespace wsrouter::client
