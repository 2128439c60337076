#include "control/stream_pump.h"

#include <utility>

namespace wsrouter {

StreamPump::~StreamPump() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void StreamPump::Wake(std::shared_ptr<Pumped> pumped) {
  absl::MutexLock lock(&mutex_);
  if (std::exchange(pumped->waits_, true)) return;
  woken_.push_back(std::move(pumped));
}

void StreamPump::Run() {
  std::vector<std::shared_ptr<Pumped>> batch;
  while (true) {
    {
      const auto due = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return stopping_ || !woken_.empty();
      };
      absl::MutexLock lock(&mutex_, absl::Condition(&due));
      if (stopping_) return;
      batch.swap(woken_);
      // Before Pump looks at the queues, so that who is woken behind that look waits again.
      for (const auto& pumped : batch) pumped->waits_ = false;
    }
    for (const auto& pumped : batch) pumped->Pump();
    batch.clear();
  }
}

}  // namespace wsrouter
