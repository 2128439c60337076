#ifndef WSROUTER_CORE_FRAME_H_
#define WSROUTER_CORE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace wsrouter {

// RFC 6455 section 5.2; continuation is the codec's business.
enum class Opcode : uint8_t { kText = 0x1, kBinary = 0x2, kClose = 0x8, kPing = 0x9, kPong = 0xA };

inline constexpr size_t kFrameHeaderBytesMax = 10;  // from node to client

// An immutable payload with its opcode, encoded once as a frame from node to client (final, not
// masked, shortest length form) and shared by reference by everybody who sends it.
class Frame {
 public:
  static std::shared_ptr<const Frame> Make(Opcode opcode, std::string_view payload);

  Opcode opcode() const { return static_cast<Opcode>(wire_[0] & 0x0F); }
  std::string_view wire() const { return wire_; }
  std::string_view payload() const { return std::string_view(wire_).substr(header_bytes_); }

 private:
  Frame(std::string wire, size_t header_bytes)
      : wire_(std::move(wire)), header_bytes_(header_bytes) {}

  const std::string wire_;
  const size_t header_bytes_;
};

using FramePtr = std::shared_ptr<const Frame>;

// What a frame is among those that wait with it. The default: it must come, or the connection ends.
struct FrameStanding {
  bool gives_way = false;  // it may be lost for the sake of newer ones
  std::string room = {};   // whose members it was pushed to; empty: no room's
  // A newer frame with the same key takes its place while it waits; empty: none does.
  std::string key = {};
};

// One shard's reference to a frame. Copies are counted without atomics, which is what makes a
// room of a thousand members cheap: all copies of a FrameRef must stay on one thread.
class FrameRef {
 public:
  FrameRef() = default;
  explicit FrameRef(FramePtr frame) : share_(new Share{std::move(frame), 1, {}}) {}
  FrameRef(FramePtr frame, FrameStanding standing)
      : share_(new Share{std::move(frame), 1, std::move(standing)}) {}
  FrameRef(const FrameRef& other) : share_(other.share_) {
    if (share_ != nullptr) ++share_->references;
  }
  FrameRef(FrameRef&& other) noexcept : share_(std::exchange(other.share_, nullptr)) {}
  FrameRef& operator=(FrameRef other) noexcept {
    std::swap(share_, other.share_);
    return *this;
  }
  ~FrameRef() {
    if (share_ != nullptr && --share_->references == 0) delete share_;
  }

  const Frame& operator*() const { return *share_->frame; }
  const Frame* operator->() const { return share_->frame.get(); }
  explicit operator bool() const { return share_ != nullptr; }

  // Good as long as any copy is.
  const FrameStanding& standing() const { return share_->standing; }

  // Same share, hence the same octets.
  friend bool operator==(const FrameRef&, const FrameRef&) = default;

 private:
  struct Share {
    FramePtr frame;
    uint32_t references;
    const FrameStanding standing;
  };
  Share* share_ = nullptr;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_FRAME_H_
