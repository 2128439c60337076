#ifndef WSROUTER_CLIENT_EVENT_STREAM_H_
#define WSROUTER_CLIENT_EVENT_STREAM_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "wsrouter/backoff.h"
#include "wsrouter/consumed_entry.h"
#include "wsrouter/v1/events.pb.h"

namespace grpc {
class ClientContext;
class Status;
}  // namespace grpc

namespace wsrouter::client {

// What is known when a stream becomes live.
struct Live {
  // True when another stream was lost before. What happened between on_down and this was not seen,
  // except that connections which nobody owns were shown as CONNECTED (Watch).
  bool resumed = false;
  uint64_t pending = 0;  // how many CONNECTED events came first
};

// What is called when a stream changes. Each may be left empty. All are called by the thread of the
// stream, one at a time; while one runs, the stream is not read, and a node counts what it then has
// no room for as missed.
struct StreamHandlers {
  // What starts after this is not overlooked.
  std::function<void(const Live& live)> on_live = {};
  // The node, or a gap in its numbers, says that so many were lost on the way.
  std::function<void(uint64_t missed)> on_missed = {};
  // The stream is lost, or could not be opened. It is opened again after `retry_in`; without a
  // value never, since the node refused the request as such (INVALID_ARGUMENT, PERMISSION_DENIED,
  // UNAUTHENTICATED, UNIMPLEMENTED).
  std::function<void(const absl::Status& cause, std::optional<absl::Duration> retry_in)> on_down =
      {};
};

struct WatchHandlers {
  // Every kind but READY and MISSED, which are on_live and on_missed. After a resume CONNECTED may
  // tell of a connection for the second time.
  std::function<void(const v1::Event& event)> on_event = {};
  StreamHandlers stream = {};
};

struct SubscribeHandlers {
  std::function<void(const v1::ChannelMessage& message)> on_message = {};
  StreamHandlers stream = {};
};

struct ConsumeHandlers {
  // An entry, to be settled here or later. Entries of one client come in order.
  std::function<void(ConsumedEntry entry)> on_entry = {};
  std::function<void(const v1::ConsumerStatus& status)> on_status = {};
  // `on_missed`: entries that went, since the log is bounded, before this stream had them. Beside
  // that nothing is missed while there is no stream.
  StreamHandlers stream = {};
};

// A stream of Watch, Subscribe or Consume with the thread that reads it and opens it again when it
// is lost. May outlive the BackendClient that made it.
class EventStream {
 public:
  // Reads one stream to its end with a fresh context. `resumed`: it replaces a lost one.
  using ReadToEnd =
      std::function<grpc::Status(EventStream& stream, grpc::ClientContext& context, bool resumed)>;

  // Begins at once. BackendClient::Watch, Subscribe and Consume are the way to get one. Stop calls
  // `finish` before it cancels what is being read; it may wait a little.
  EventStream(const BackoffOptions& backoff, StreamHandlers handlers, ReadToEnd read_to_end,
              std::function<void()> finish = {});
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  // Stops. Must not run in a handler of this stream.
  ~EventStream();

  // No handler begins after this, and when it returns none is running: it waits for the one that
  // is. In a handler it returns at once, and that handler was the last. What a consumer has settled
  // before is told to the node, but not by a Stop in a handler. Any thread; idempotent.
  void Stop();

  // Of ReadToEnd, on the thread of the stream.
  bool stopping();
  void ReportLive(const Live& live);
  void ReportMissed(uint64_t missed);

 private:
  void Run();
  // False when the stream is to end.
  bool AwaitRetry(const absl::Status& cause);

  const StreamHandlers handlers_;
  const ReadToEnd read_to_end_;
  const std::function<void()> finish_;
  Backoff backoff_;  // of the thread
  std::mutex mutex_;
  std::condition_variable stop_requested_;
  bool stopping_ = false;                   // by mutex_
  grpc::ClientContext* context_ = nullptr;  // by mutex_; of the stream that is being read
  std::thread::id reader_;                  // by mutex_; set when thread_ runs
  std::mutex join_mutex_;                   // guards thread_ once it is started
  std::thread thread_;                      // last: the thread uses the others
};

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_EVENT_STREAM_H_
