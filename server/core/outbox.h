#ifndef WSROUTER_CORE_OUTBOX_H_
#define WSROUTER_CORE_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/frame.h"
#include "core/limits.h"

namespace wsrouter {

// Frames waiting for one connection's socket to accept them.
//
// Bounded in octets, those of a frame and those that any frame weighs: a client that reads too
// slowly fills its own outbox; it never costs another client memory or latency. An empty outbox
// holds no heap memory worth naming. The bounds, at most 2 GiB, are the caller's.
//
// Frames leave in the order in which they came, but for those that Conflate replaces and DropOldest
// takes out. Neither touches a frame of which an octet was sent.
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
    if (!Takes(size, 1, bytes_max)) return Push::kFull;
    const bool first = empty();
    bytes_ += static_cast<uint32_t>(size);
    if (!frame.standing().key.empty()) [[unlikely]]
      RememberKey(frame, frames_.size());
    frames_.push_back(frame);
    return first ? Push::kFirst : Push::kQueued;
  }

  // Whether so many more frames with so many octets together fit.
  bool Takes(size_t octets, size_t frames, size_t bytes_max) const {
    const size_t held = bytes_ + (frames_.size() - head_ + frames) * kFrameOverheadBytes;
    return held <= bytes_max && octets <= bytes_max - held;
  }

  // Puts the frame, which has a key, into the place of the one that waits with that key. Returns
  // the octets of that one; nothing where none waits, or the new one is so much larger that it does
  // not fit. Costs the same however much waits.
  std::optional<size_t> Conflate(const FrameRef& frame, size_t bytes_max);

  // Takes out the oldest frame that gives way. Looks no further than kLookedAt frames: nothing
  // where none of these does.
  static constexpr size_t kLookedAt = 64;
  FrameRef DropOldest();

  // The frame that is the next to be begun.
  bool IsNext(const FrameRef& frame) const {
    const size_t next = head_ + (sent_ > 0 ? 1 : 0);
    return frame && next < frames_.size() && frames_[next] == frame;
  }
  // Makes it so, whatever the bound; the place of `stale` where that is the next one, or else
  // before all that waits. Returns the octets of `stale` if it has gone.
  size_t PutNext(const FrameRef& frame, const FrameRef& stale);

  bool empty() const { return head_ == frames_.size(); }
  size_t bytes() const { return bytes_; }

  // What waits, oldest first. The first `sent()` octets of the first frame are gone already.
  std::span<const FrameRef> frames() const { return std::span(frames_).subspan(head_); }
  size_t sent() const { return sent_; }

  // Frames are counted, modulo 2^32: the number of the first that waits, and of the next to come.
  uint32_t first_number() const { return base_ + head_; }
  uint32_t next_number() const { return base_ + static_cast<uint32_t>(frames_.size()); }

  // How many of the frames are messages: text or binary, not the protocol's own.
  size_t messages() const;

  // Takes `octets` of what waits off the front.
  void Consume(size_t octets);

  // Forgets every frame of which no octet has been sent, so that a Close can follow at once.
  // Returns how many messages were among them.
  size_t DropUnsent();

 private:
  void RememberKey(const FrameRef& frame, size_t place);
  void ForgetKey(size_t place);
  void ForgetSent();

  std::vector<FrameRef> frames_;
  uint32_t head_ = 0;   // frames_[0, head_) are sent and empty.
  uint32_t sent_ = 0;   // Invariant: less than the size of frames_[head_].
  uint32_t bytes_ = 0;  // Invariant: the sum of the wire sizes from head_ on, less sent_.
  uint32_t base_ = 0;   // The number of frames_[0].
  // The numbers of the frames with keys of which no octet was sent, by keys that they hold; of
  // several with one key the last.
  std::unique_ptr<absl::flat_hash_map<std::string_view, uint32_t>> keys_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_OUTBOX_H_
