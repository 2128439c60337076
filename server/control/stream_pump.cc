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
    }
    for (const auto& pumped : batch) pumped->Pump();
    batch.clear();
  }
}

}  // namespace wsrouter
