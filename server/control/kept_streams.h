#ifndef WSROUTER_CONTROL_KEPT_STREAMS_H_
#define WSROUTER_CONTROL_KEPT_STREAMS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "control/access_check.h"
#include "control/errors.h"
#include "grpcpp/server_context.h"

namespace wsrouter {

// The open streams of one kind, each with its call and the standing of its caller. gRPC uses a
// stream until its OnDone, so each is here from Keep until it calls Forget there. Any thread.
template <typename Stream>
class KeptStreams {
 public:
  // `full` is what a stream is refused with where `max` are open.
  KeptStreams(size_t max, absl::Status full) : max_(max), full_(std::move(full)) {}

  absl::Status Keep(const std::shared_ptr<Stream>& stream, grpc::CallbackServerContext& call,
                    AccessCheck::Standing standing) {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return NodeStopping();
    if (streams_.size() >= max_) return full_;
    streams_.emplace(stream.get(), Kept{stream, call, std::move(standing)});
    open_.store(streams_.size(), std::memory_order_relaxed);
    return absl::OkStatus();
  }
  void Forget(Stream& stream) {
    std::shared_ptr<Stream> forgotten;  // freed outside the lock
    absl::MutexLock lock(&mutex_);
    forgotten = std::move(streams_.extract(&stream).mapped().stream);
    open_.store(streams_.size(), std::memory_order_relaxed);
  }

  std::vector<std::shared_ptr<Stream>> All() const {
    absl::MutexLock lock(&mutex_);
    std::vector<std::shared_ptr<Stream>> all;
    for (const auto& [key, kept] : streams_) all.push_back(kept.stream);
    return all;
  }
  // How many there are.
  const std::atomic<uint64_t>& open() const { return open_; }

  // Ends every stream with NODE_STOPPING and keeps no new ones.
  void Stop() {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    for (const auto& stream : All()) stream->End(NodeStopping());
  }

  // To be called now and then. Cuts the streams whose callers may not have them any more. One that
  // is still here at the next call has a write under way that its caller does not read, and its
  // call is cancelled.
  void EndFallen() {
    for (const auto& [stream, status] : TakeFallen()) stream->Cut(status);
  }

 private:
  using Fallen = std::vector<std::pair<std::shared_ptr<Stream>, absl::Status>>;
  struct Kept {
    std::shared_ptr<Stream> stream;
    grpc::CallbackServerContext& call;  // there until OnDone has returned
    AccessCheck::Standing standing;     // null: nothing is asked
    bool cut = false;
  };

  Fallen TakeFallen() {
    absl::MutexLock lock(&mutex_);
    Fallen fallen;
    for (auto& [key, kept] : streams_) {
      if (kept.cut) {
        kept.call.TryCancel();  // calls nobody on this thread
      } else if (kept.standing != nullptr) {
        absl::Status status = kept.standing();
        if (status.ok()) continue;
        kept.cut = true;
        fallen.emplace_back(kept.stream, std::move(status));
      }
    }
    return fallen;
  }

  const size_t max_;
  const absl::Status full_;
  std::atomic<uint64_t> open_{0};
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<Stream*, Kept> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_KEPT_STREAMS_H_
