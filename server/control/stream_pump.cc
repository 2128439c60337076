#include "control/stream_pump.h"

#include <utility>

namespace wsrouter {

StreamPump::~StreamPump() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void StreamPump::Wake(std::shared_ptr<Pumped> pumped) {
  absl::MutexLock lock(&mutex_);
  if (std::exchange(pumped->waits_, true)) return;
  woken_.push_back(std::move(pumped));
  if (woken_.size() == 1) changed_.Signal();
}

void StreamPump::Run() {
  std::vector<std::shared_ptr<Pumped>> batch;
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      while (!stopping_ && woken_.empty()) changed_.Wait(&mutex_);
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
