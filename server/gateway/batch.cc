#include "gateway/batch.h"

#include <algorithm>

namespace wsrouter {

// Whether joining the front of `waiting` would give bytes_ again.
bool Batch::IsFrontOf(std::span<const FrameRef> waiting) const {
  if (frames_.empty() || waiting.size() < frames_.size()) return false;
  if (!std::ranges::equal(waiting.first(frames_.size()), frames_)) return false;
  return waiting.size() == frames_.size() ||
         bytes_.size() + waiting[frames_.size()]->wire().size() > kBytesMax;
}

std::string_view Batch::Front(const Outbox& outbox) {
  const std::span<const FrameRef> waiting = outbox.frames();
  if (waiting.size() == 1 || outbox.sent() > 0 || waiting[0]->wire().size() >= kBytesMax) {
    return waiting[0]->wire().substr(outbox.sent(), kBytesMax);
  }
  if (IsFrontOf(waiting)) return bytes_;
  frames_.clear();
  bytes_.clear();
  for (const FrameRef& frame : waiting) {
    if (bytes_.size() + frame->wire().size() > kBytesMax) break;
    bytes_.append(frame->wire());
    frames_.push_back(frame);
  }
  return bytes_;
}

}  // namespace wsrouter
