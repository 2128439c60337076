#ifndef WSROUTER_CONTROL_CONSUME_STREAM_H_
#define WSROUTER_CONTROL_CONSUME_STREAM_H_

#include <bitset>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "control/timed_thread.h"
#include "core/counters.h"
#include "core/event_log.h"
#include "core/history.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "wsrouter/v1/events.pb.h"

namespace wsrouter {

// What a consumer said of itself.
struct ConsumerTerms {
  LogConsumer consumer;
  std::bitset<16> kinds;
  uint32_t credits = 0;
};
absl::StatusOr<ConsumerTerms> ReadConsumption(const v1::Consumption& consumption);

// The stream of one consumer of the event log. It asks the log again and again (Tick), at most one
// question under way; what waits to be written is bounded by the credits. A consumer that gives no
// credits and settles nothing for longer than its visibility leaves its group until it does.
//
// What gRPC and the log say is handed to `thread`, and all else happens there. gRPC uses the object
// until OnDone, so whoever owns it keeps it until `closed` is called.
class ConsumeStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                            public std::enable_shared_from_this<ConsumeStream> {
 public:
  using Closed = absl::AnyInvocable<void(ConsumeStream&) &&>;
  struct Parts {
    EventLog& log;
    History& history;  // has what ROOM_MESSAGE tells of
    TimedThread& thread;
    Counters& counters;
    const Clock& clock;
  };
  static constexpr uint32_t kCreditsMax = 10'000;

  // `number` tells it from other streams of the cluster.
  ConsumeStream(const Parts& parts, std::string number, Closed closed)
      : parts_(parts), number_(std::move(number)), closed_(std::move(closed)) {}

  void ReadOn();
  // About every 100 ms. Any thread.
  void Tick();
  // Ends it; nothing that it says counts from now on. Any thread.
  void End(const absl::Status& status);
  void Cut(const absl::Status& status) { End(status); }

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // The thread's.
  void OnRequest();
  absl::Status Open(const v1::Consumption& consumption);
  absl::Status Settle(const v1::Settlement& settlement);
  void OnTick();
  void Ask();
  // What was taken, while the payloads of its messages are looked up.
  struct Taken {
    LogTaken taken;
    std::vector<v1::LogEntry> shown;  // as many as deliveries
    std::vector<bool> unknown;        // whose payload nobody could look up for now
    size_t awaited = 0;
  };
  void OnTaken(absl::StatusOr<LogTaken> taken);
  void LookUp(const std::shared_ptr<Taken>& taken, size_t index);
  void OnLookedUp(Taken& taken, size_t index, const absl::StatusOr<HistoryPage>& page);
  void Settled(Taken& taken);
  // Those whose kind the consumer does not want.
  std::vector<LogSettlement> HandOn(Taken& taken);
  void SayStatus(const LogTaken& taken);
  void Add(uint32_t credits);
  void Leave();

  void Post(absl::AnyInvocable<void(ConsumeStream&) &&> task);
  void Send(const v1::ConsumeResponse& response);
  // Writes what waits first, or ends the stream.
  void Pump();
  bool ended() const;
  // So much waits to be written that no more is taken.
  bool full() const;

  const Parts parts_;
  const std::string number_;
  Closed closed_;
  grpc::ByteBuffer request_;  // gRPC's while it reads, then the thread's

  // The thread's.
  std::optional<ConsumerTerms> terms_;
  v1::ConsumerStatus said_;
  bool greeted_ = false;
  bool asking_ = false;
  bool left_ = false;  // until it gives credits
  int ticks_ = 0;
  absl::Duration active_at_;  // uptime

  mutable absl::Mutex mutex_;
  std::deque<grpc::ByteBuffer> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queue_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;  // gRPC was told of the end
  std::optional<grpc::Status> ended_ ABSL_GUARDED_BY(mutex_);
  grpc::ByteBuffer response_;  // gRPC's while writing_
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CONSUME_STREAM_H_
