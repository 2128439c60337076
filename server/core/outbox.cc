#include "core/outbox.h"

#include <algorithm>
#include <utility>

namespace wsrouter {
namespace {

// What an emptied outbox may keep for its next burst: 32 references.
constexpr size_t kCapacityKept = 32;

}  // namespace

void Outbox::Consume(size_t octets) {
  if (octets == bytes_) {
    bytes_ = sent_ = head_ = 0;
    frames_.clear();
    if (frames_.capacity() > kCapacityKept) frames_ = {};
    return;
  }
  bytes_ -= octets;
  sent_ += octets;
  while (head_ < frames_.size() && sent_ >= frames_[head_]->wire().size()) {
    sent_ -= frames_[head_]->wire().size();
    frames_[head_++] = FrameRef();
  }
  if (head_ > kCapacityKept && head_ > frames_.size() / 2) {
    frames_.erase(frames_.begin(), frames_.begin() + static_cast<ptrdiff_t>(head_));
    head_ = 0;
  }
}

size_t Outbox::messages() const {
  return static_cast<size_t>(std::ranges::count_if(frames(), [](const FrameRef& frame) {
    return frame->opcode() == Opcode::kText || frame->opcode() == Opcode::kBinary;
  }));
}

size_t Outbox::DropUnsent() {
  const size_t before = messages();
  const size_t kept = head_ + (sent_ > 0 ? 1 : 0);
  while (frames_.size() > kept) {
    bytes_ -= frames_.back()->wire().size();
    frames_.pop_back();
  }
  return before - messages();
}

}  // namespace wsrouter
