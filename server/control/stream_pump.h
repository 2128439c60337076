#ifndef WSROUTER_CONTROL_STREAM_PUMP_H_
#define WSROUTER_CONTROL_STREAM_PUMP_H_

#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace wsrouter {

// Something that writes what waits for it, as far as it can without blocking.
class Pumped {
 public:
  virtual ~Pumped() = default;
  virtual void Pump() = 0;

 private:
  friend class StreamPump;
  bool waits_ = false;  // for the pump, whose lock guards it
};

// The thread that starts to write to streams which were idle. Shards and brokers wake it and go
// on at once: gRPC's work is never done on their threads, nor under their locks.
//
// What waits here is bounded by the streams: each waits once, however often it is woken.
class StreamPump {
 public:
  StreamPump() : thread_([this] { Run(); }) {}
  ~StreamPump();
  StreamPump(const StreamPump&) = delete;

  // Any thread.
  void Wake(std::shared_ptr<Pumped> pumped);

 private:
  void Run();

  absl::Mutex mutex_;
  absl::CondVar changed_;  // a first stream waits, or the end has come
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<Pumped>> woken_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_STREAM_PUMP_H_
