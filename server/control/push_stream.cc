#include "control/push_stream.h"

#include <algorithm>
#include <utility>

#include "control/convert.h"
#include "control/errors.h"
#include "control/rpc.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// Results that one response has, but for the last one that fits not wholly.
constexpr size_t kResultBytesMax = size_t{1} << 20;

// Whether a push reached all that it was for, as far as the node can know.
template <typename Response>
bool IsWhole(const Response& response) {
  return !response.outcome().partial();
}
bool IsWhole(const v1::PushResponse& response) {
  return std::ranges::none_of(response.rooms(),
                              [](const auto& room) { return room.outcome().partial(); });
}
bool IsWhole(const v1::BroadcastResponse&) { return true; }

v1::PushError ToError(const absl::Status& status) {
  v1::PushError error;
  const grpc::Status shown = ToGrpc(status);
  error.set_code(shown.error_code());
  error.set_message(shown.error_message());
  error.set_reason(ReasonOf(status));
  if (const absl::Duration wait = WaitOf(status); wait > absl::ZeroDuration()) {
    *error.mutable_retry_after() = ToProto(wait);
  }
  return error;
}

}  // namespace

void PushStream::ReadOn() {
  // Under the lock, so that nothing is read behind the end.
  absl::MutexLock lock(&mutex_);
  if (reading_ || ended_.has_value() || pushes_ >= kPushesMax || bytes_ >= kBytesMax) return;
  reading_ = true;
  StartRead(&request_);
}

void PushStream::OnReadDone(bool ok) {
  const absl::Status status = ok ? OnRequest() : absl::OkStatus();
  {
    absl::MutexLock lock(&mutex_);
    reading_ = false;
  }
  if (ok && status.ok()) return ReadOn();
  End(status);
}

absl::Status PushStream::OnRequest() {
  v1::PushStreamRequest request;
  const absl::Status parsed = ParseRequest(request_, request);
  const size_t bytes = request_.Length();
  request_.Clear();
  if (bytes > parts_.request_bytes_max) return RequestTooLarge(bytes, parts_.request_bytes_max);
  if (!parsed.ok()) return parsed;
  if (request.items_size() > kItemsMax) {
    return BadField(
        "items", "TOO_MANY_ITEMS",
        fmt::format("has {} entries, want at most {}", request.items_size(), kItemsMax));
  }
  for (int i = 0; i < request.items_size(); ++i) {
    const v1::PushItem& item = request.items(i);
    const absl::StatusOr<uint64_t> place = Admit(item, i);
    if (!place.ok()) return place.status();
    const absl::Status charged = parts_.charge == nullptr ? absl::OkStatus() : parts_.charge();
    if (charged.ok()) {
      Dispatch(item, *place);
    } else {
      v1::PushResult result;
      *result.mutable_error() = ToError(charged);
      OnAnswer(*place, false, std::move(result));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> PushStream::Admit(const v1::PushItem& item, int index) {
  absl::MutexLock lock(&mutex_);
  if (item.sequence() <= sequence_) {
    return BadField(fmt::format("items[{}].sequence", index), "FIELD_OUT_OF_RANGE",
                    fmt::format("is {}, want more than {}", item.sequence(), sequence_));
  }
  if (item.item_case() == v1::PushItem::ITEM_NOT_SET) {
    return BadField(fmt::format("items[{}].push", index), "FIELD_MISSING",
                    "is missing, and so are the other kinds");
  }
  sequence_ = item.sequence();
  const size_t bytes = item.ByteSizeLong();
  ++pushes_;
  bytes_ += bytes;
  items_.push_back({.sequence = sequence_,
                    .bytes = bytes,
                    .wants_result = item.want_result(),
                    .result = std::nullopt});
  return first_place_ + items_.size() - 1;
}

template <typename Request, typename Response>
void PushStream::Call(void (PushCalls::*call)(const Request&, Answer<Response>),
                      const Request& request, Response* (v1::PushResult::*slot)(), uint64_t place) {
  (parts_.calls.*call)(request,
                       [self = shared_from_this(), slot, place](absl::StatusOr<Response> answer) {
                         v1::PushResult result;
                         const bool whole = answer.ok() && IsWhole(*answer);
                         if (answer.ok()) {
                           *(result.*slot)() = *std::move(answer);
                         } else {
                           *result.mutable_error() = ToError(answer.status());
                         }
                         self->OnAnswer(place, whole, std::move(result));
                       });
}

void PushStream::Dispatch(const v1::PushItem& item, uint64_t place) {
  using Result = v1::PushResult;
  switch (item.item_case()) {
    case v1::PushItem::kPush:
      return Call(&PushCalls::Push, item.push(), &Result::mutable_push, place);
    case v1::PushItem::kSendToClient:
      return Call(&PushCalls::SendToClient, item.send_to_client(), &Result::mutable_send_to_client,
                  place);
    case v1::PushItem::kSendToConnection:
      return Call(&PushCalls::SendToConnection, item.send_to_connection(),
                  &Result::mutable_send_to_connection, place);
    case v1::PushItem::kBroadcast:
      return Call(&PushCalls::Broadcast, item.broadcast(), &Result::mutable_broadcast, place);
    case v1::PushItem::kPushAll:
      return Call(&PushCalls::PushAll, item.push_all(), &Result::mutable_push_all, place);
    case v1::PushItem::ITEM_NOT_SET:
      break;  // Admit refuses it
  }
}

void PushStream::OnAnswer(uint64_t place, bool whole, v1::PushResult result) {
  {
    absl::MutexLock lock(&mutex_);
    Waiting& item = items_[place - first_place_];
    item.done = true;
    if (!whole || item.wants_result) {
      result.set_sequence(item.sequence);
      item.result = std::move(result);
    }
  }
  Pump();
}

grpc::ByteBuffer PushStream::TakeAnswers() {
  v1::PushStreamResponse response;
  size_t result_bytes = 0;
  while (!items_.empty() && items_.front().done && result_bytes < kResultBytesMax) {
    Waiting& item = items_.front();
    response.set_done(item.sequence);
    if (item.result.has_value()) {
      result_bytes += item.result->ByteSizeLong();
      *response.add_results() = *std::move(item.result);
    }
    ++pushes_written_;
    bytes_written_ += item.bytes;
    items_.pop_front();
    ++first_place_;
  }
  return SerializeResponse(response);
}

void PushStream::Pump() {
  std::optional<grpc::Status> end;
  {
    absl::MutexLock lock(&mutex_);
    if (writing_ || finished_) return;
    if (!cut_ && !items_.empty() && items_.front().done) {
      writing_ = true;
      response_ = TakeAnswers();
    } else if (ended_.has_value() && (cut_ || items_.empty())) {
      finished_ = true;
      end = ended_;
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

void PushStream::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    pushes_ -= std::exchange(pushes_written_, 0);
    bytes_ -= std::exchange(bytes_written_, 0);
  }
  if (!ok) return Cut(absl::CancelledError());
  Pump();
  ReadOn();
}

void PushStream::End(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ended_.has_value()) ended_ = ToGrpc(status);
  }
  Pump();
}

void PushStream::Cut(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    cut_ = true;
    ended_ = absl::IsCancelled(status) ? grpc::Status::CANCELLED : ToGrpc(status);
  }
  Pump();
}

}  // namespace wsrouter
