#include "control/consume_stream.h"

#include <algorithm>
#include <utility>

#include "control/checks.h"
#include "control/convert.h"
#include "control/errors.h"
#include "control/rpc.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

using GroupName = Id<struct GroupKind>;
using ReceiptName = Id<struct ReceiptKind>;

constexpr absl::Duration kVisibilityMin = absl::Seconds(1);
constexpr absl::Duration kVisibilityMax = absl::Hours(1);
// Bounds for how long one script keeps Redis from everybody else.
constexpr uint32_t kTakenMax = 200;
// Messages may be large, and are looked up.
constexpr uint32_t kMessagesTakenMax = 16;
constexpr size_t kQueueBytesMax = size_t{1} << 20;
// A consumer without credits asks this seldom, to be taken for alive.
constexpr int kTicksWithoutCredits = 10;

absl::Duration ToAbsl(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace

absl::StatusOr<ConsumerTerms> ReadConsumption(const v1::Consumption& consumption) {
  ConsumerTerms terms;
  Checks checks;
  terms.consumer.group = checks.Required<GroupName>("open.group", consumption.group()).value;
  terms.consumer.name =
      checks.Optional<ClientId>("open.consumer", consumption.consumer()).value_or(ClientId()).value;
  for (int i = 0; i < consumption.kinds_size(); ++i) {
    const int kind = consumption.kinds(i);
    const bool known = kind >= v1::LOG_KIND_CONNECTED && kind <= v1::LOG_KIND_ROOM_MESSAGE;
    checks.Known(fmt::format("open.kinds[{}]", i), known);
    if (known) terms.kinds.set(static_cast<size_t>(kind));
  }
  if (consumption.kinds().empty()) terms.kinds.set().reset(v1::LOG_KIND_ROOM_MESSAGE);
  if (consumption.has_visibility()) {
    terms.consumer.visibility = ToAbsl(consumption.visibility());
    if (terms.consumer.visibility < kVisibilityMin || terms.consumer.visibility > kVisibilityMax) {
      checks.Fail(BadField("open.visibility", "FIELD_OUT_OF_RANGE", "want 1s to 1h"));
    }
  }
  terms.consumer.from_start = consumption.from_start();
  terms.credits = std::min(consumption.credits(), ConsumeStream::kCreditsMax);
  if (!checks.ok()) return checks.status();
  return terms;
}

void ConsumeStream::Post(absl::AnyInvocable<void(ConsumeStream&) &&> task) {
  parts_.thread.PostAnswer(
      [self = shared_from_this(), task = std::move(task)]() mutable { std::move(task)(*self); });
}

bool ConsumeStream::ended() const {
  absl::MutexLock lock(&mutex_);
  return ended_.has_value();
}

void ConsumeStream::ReadOn() {
  // Under the lock, so that nothing is read behind the end.
  absl::MutexLock lock(&mutex_);
  if (!finished_) StartRead(&request_);
}

void ConsumeStream::OnReadDone(bool ok) {
  if (!ok) return End(absl::OkStatus());
  Post([](ConsumeStream& self) { self.OnRequest(); });
}

void ConsumeStream::OnRequest() {
  if (ended()) return;
  v1::ConsumeRequest request;
  absl::Status status = ParseRequest(request_, request);
  request_.Clear();
  if (status.ok() && request.has_open()) {
    status = terms_.has_value() ? BadField("open", "FIELD_INVALID", "comes twice")
                                : Open(request.open());
  } else if (status.ok() && request.has_settle() && terms_.has_value()) {
    status = Settle(request.settle());
  } else if (status.ok()) {
    status = BadField(terms_.has_value() ? "settle" : "open", "FIELD_MISSING", "is missing");
  }
  if (!status.ok()) End(status);
}

absl::Status ConsumeStream::Open(const v1::Consumption& consumption) {
  absl::StatusOr<ConsumerTerms> terms = ReadConsumption(consumption);
  if (!terms.ok()) return terms.status();
  terms_ = *std::move(terms);
  terms_->consumer.name = fmt::format("{} {}", number_, terms_->consumer.name);
  active_at_ = parts_.clock.Now().uptime;
  Ask();
  ReadOn();
  return absl::OkStatus();
}

absl::Status ConsumeStream::Settle(const v1::Settlement& settlement) {
  Checks checks;
  std::vector<LogSettlement> settlements;
  for (ReceiptName& done : checks.List<ReceiptName>("settle.done", settlement.done())) {
    settlements.push_back({.receipt = std::move(done.value), .again_after = std::nullopt});
  }
  if (settlement.again_size() > kNamesMax) {
    checks.Fail(BadField("settle.again", "TOO_MANY_ITEMS", "want at most 1000"));
  }
  for (int i = 0; checks.ok() && i < settlement.again_size(); ++i) {
    const v1::GivenBack& back = settlement.again(i);
    const auto receipt =
        checks.Required<ReceiptName>(fmt::format("settle.again[{}].receipt", i), back.receipt());
    const absl::Duration after =
        std::clamp(ToAbsl(back.after()), absl::ZeroDuration(), terms_->consumer.visibility);
    settlements.push_back({.receipt = receipt.value, .again_after = after});
  }
  if (!checks.ok()) return checks.status();
  active_at_ = parts_.clock.Now().uptime;
  Add(settlement.credits());
  if (settlements.empty()) {
    ReadOn();
    return absl::OkStatus();
  }
  // No more is read while it is under way, so that who settles cannot flood Redis.
  parts_.log.Settle(terms_->consumer, std::move(settlements),
                    [self = shared_from_this()](const absl::StatusOr<uint64_t>&) {
                      self->Post([](ConsumeStream& stream) { stream.ReadOn(); });
                    });
  return absl::OkStatus();
}

void ConsumeStream::Add(uint32_t credits) {
  terms_->credits = std::min(terms_->credits + std::min(credits, kCreditsMax), kCreditsMax);
  if (terms_->credits > 0) Ask();
}

void ConsumeStream::Tick() {
  Post([](ConsumeStream& self) { self.OnTick(); });
}

void ConsumeStream::OnTick() {
  if (!terms_.has_value() || ended()) return;
  if (terms_->credits > 0) return Ask();
  if (++ticks_ % kTicksWithoutCredits != 0) return;
  if (parts_.clock.Now().uptime - active_at_ <= terms_->consumer.visibility) return Ask();
  if (!std::exchange(left_, true)) parts_.log.Leave(terms_->consumer);
}

bool ConsumeStream::full() const {
  absl::MutexLock lock(&mutex_);
  return queue_bytes_ > kQueueBytesMax;
}

void ConsumeStream::Ask() {
  if (std::exchange(asking_, true)) return;
  left_ = false;
  const uint32_t most =
      terms_->kinds.test(v1::LOG_KIND_ROOM_MESSAGE) ? kMessagesTakenMax : kTakenMax;
  // For 0 it only stays.
  parts_.log.Take(terms_->consumer, full() ? 0 : std::min(terms_->credits, most),
                  [self = shared_from_this()](absl::StatusOr<LogTaken> taken) {
                    self->Post([taken = std::move(taken)](ConsumeStream& stream) mutable {
                      stream.OnTaken(std::move(taken));
                    });
                  });
}

void ConsumeStream::Leave() {
  if (terms_.has_value()) parts_.log.Leave(terms_->consumer);
}

void ConsumeStream::Send(const v1::ConsumeResponse& response) {
  {
    absl::MutexLock lock(&mutex_);
    if (ended_.has_value()) return;
    queue_.push_back(SerializeResponse(response));
    queue_bytes_ += queue_.back().Length();
  }
  Pump();
}

void ConsumeStream::Pump() {
  std::optional<grpc::Status> end;
  {
    absl::MutexLock lock(&mutex_);
    if (writing_ || finished_) return;
    if (ended_.has_value()) {
      finished_ = true;
      end = ended_;
    } else if (!queue_.empty()) {
      writing_ = true;
      response_ = std::move(queue_.front());
      queue_.pop_front();
      queue_bytes_ -= response_.Length();
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

void ConsumeStream::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
  }
  if (ok) return Pump();
  OnCancel();
}

void ConsumeStream::End(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ended_.has_value()) ended_ = ToGrpc(status);
    queue_.clear();
    queue_bytes_ = 0;
  }
  Pump();
}

void ConsumeStream::OnCancel() { End(absl::CancelledError()); }

void ConsumeStream::OnDone() {
  // Whoever has ended it has left the lock; gRPC says so, and the lock makes it visible.
  { absl::MutexLock lock(&mutex_); }
  // Behind whatever the thread still does for it.
  Post([](ConsumeStream& self) {
    self.Leave();
    std::move(self.closed_)(self);
  });
}

}  // namespace wsrouter
