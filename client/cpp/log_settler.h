#ifndef WSROUTER_CLIENT_CPP_LOG_SETTLER_H_
#define WSROUTER_CLIENT_CPP_LOG_SETTLER_H_

#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "wsrouter/v1/events.pb.h"

namespace wsrouter::client {

// Writes what a consumer settles to the stream that is open, many in one message, and gives a
// credit for each. What is settled while there is none waits for the next stream: a receipt counts
// at any node. Any thread.
class LogSettler {
 public:
  using Stream = grpc::ClientReaderWriterInterface<v1::ConsumeRequest, v1::ConsumeResponse>;

  // A stream was opened, and nobody else writes to it until Detach. Returns its number.
  uint64_t Attach(Stream& stream);
  // It has ended, or is being cancelled.
  void Detach();

  // `stream`: by which it came; only that one has a credit to get back.
  void Settle(uint64_t stream, std::string receipt, std::optional<absl::Duration> again_after);

  // Writes what waits, says that nothing more will come, and waits at most so long for the Detach
  // that this leads to.
  void Finish(std::chrono::milliseconds patience);

 private:
  struct Settled {
    uint64_t stream = 0;
    std::string receipt;
    std::optional<absl::Duration> again_after;
  };

  void Write(Stream& stream);
  // What is to be written next; nullopt when there is nothing and will be nothing.
  std::optional<v1::ConsumeRequest> Next();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Settled> waiting_;  // by mutex_
  uint64_t stream_ = 0;          // by mutex_; the number of the last one
  bool attached_ = false;        // by mutex_
  bool finishing_ = false;       // by mutex_
  std::thread writer_;           // of the thread that attaches and detaches
};

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_CPP_LOG_SETTLER_H_
