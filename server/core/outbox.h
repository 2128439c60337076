#ifndef WSROUTER_CORE_OUTBOX_H_
#define WSROUTER_CORE_OUTBOX_H_

#include <cstddef>
#include <span>
#include <vector>

#include "core/frame.h"
#include "core/limits.h"

namespace wsrouter {

// Frames waiting for one connection's socket to accept them.
//
// Bounded in octets, those of a frame and those that any frame weighs: a client that reads too
// slowly fills its own outbox; it never costs another client memory or latency. An empty outbox
// holds no heap memory worth naming.
//
// Owned by one shard thread; not synchronised.
class Outbox {
 public:
  enum class Push {
    kFirst,   // queued into an empty outbox: the caller must ask for a write
    kQueued,  // queued behind others: a write is already on its way
    kFull,    // not queued: the frame would exceed bytes_max
  };

  [[nodiscard]] Push Add(const FrameRef& frame, size_t bytes_max) {
    const size_t size = frame->wire().size();
    const size_t held = bytes_ + (frames_.size() - head_ + 1) * kFrameOverheadBytes;
    if (held > bytes_max || size > bytes_max - held) return Push::kFull;
    const bool first = empty();
    bytes_ += size;
    frames_.push_back(frame);
    return first ? Push::kFirst : Push::kQueued;
  }

  bool empty() const { return head_ == frames_.size(); }
  size_t bytes() const { return bytes_; }

  // What waits, oldest first. The first `sent()` octets of the first frame are gone already.
  std::span<const FrameRef> frames() const { return std::span(frames_).subspan(head_); }
  size_t sent() const { return sent_; }

  // How many of the frames are messages: text or binary, not the protocol's own.
  size_t messages() const;

  // Takes `octets` of what waits off the front.
  void Consume(size_t octets);

  // Forgets every frame of which no octet has been sent, so that a Close can follow at once.
  // Returns how many messages were among them.
  size_t DropUnsent();

 private:
  std::vector<FrameRef> frames_;
  size_t head_ = 0;   // frames_[0, head_) are sent and empty.
  size_t sent_ = 0;   // Invariant: less than the size of frames_[head_].
  size_t bytes_ = 0;  // Invariant: the sum of the wire sizes from head_ on, less sent_.
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_OUTBOX_H_
