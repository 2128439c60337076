#ifndef WSROUTER_GATEWAY_FRAME_DECODER_H_
#define WSROUTER_GATEWAY_FRAME_DECODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/frame.h"
#include "gateway/utf8.h"

namespace wsrouter {

// Decodes what a client sends after the upgrade (RFC 6455 sections 5 to 8), however it is cut:
//
//   while (auto event = decoder.Next(input)) std::visit(handle, *std::move(event));
//
// What is wrong is told at the first octet that makes it so, a message that is too big at the
// length that its frame announces. Memory follows the octets that came, never those announced: at
// most twice `message_bytes_max` and a control frame, none between messages.
class FrameDecoder {
 public:
  struct Message {
    Opcode opcode;  // kText (valid UTF-8) or kBinary
    std::string payload;
  };
  struct Ping {
    std::string payload;
  };
  struct Pong {
    std::string payload;
  };
  struct Close {
    uint16_t code;  // kCloseCodeAbsent if the payload was empty
    std::string reason;
  };
  // The connection must be closed with this code: 1002, 1007 or 1009.
  struct Failure {
    uint16_t code;
    std::string_view reason;  // outlives everything
  };
  using Event = std::variant<Message, Ping, Pong, Close, Failure>;

  explicit FrameDecoder(uint32_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  // Takes octets from the front of `input` up to the end of the next event; without one, it has
  // taken all. A Close or Failure is the last event: whatever follows is taken and ignored.
  std::optional<Event> Next(std::string_view& input);

  // How many frames have ended since the last call; 65,535 stands for more, too. Fragments count
  // each.
  uint16_t TakeFrames() { return std::exchange(frames_, uint16_t{0}); }
  bool finished() const { return finished_; }
  // What half a message holds in memory now.
  size_t held_bytes() const { return payload_.capacity(); }

 private:
  static constexpr uint8_t kNoMessage = 0;

  // The opcode, the length, its longer form, the mask (RFC 6455 section 5.2).
  bool header_complete() const { return header_octets_ == 2 + length_octets_ + mask_.size(); }
  bool is_control() const { return (opcode_ & 0x8) != 0; }

  // Each takes what comes next and tells what is wrong with it.
  std::optional<Failure> TakeHeaderOctet(uint8_t octet);
  std::optional<Failure> TakeOpcode(uint8_t octet);
  std::optional<Failure> TakeLength(uint8_t octet);
  std::optional<Failure> TakeLongLength(uint8_t octet);
  std::optional<Failure> CheckLimit() const;
  std::optional<Failure> TakePayload(std::string_view& input);

  std::optional<Event> EndFrame();
  Event EndMessage();
  Event EndControl();
  Event Finish(Event last);

  // The fragments of the message so far; behind them the payload of a control frame while one is
  // read. The payload of an unfragmented message, too.
  std::string payload_;
  uint64_t remaining_ = 0;  // octets of the current frame's payload that are still to come
  uint32_t message_bytes_max_;
  uint32_t message_bytes_ = 0;     // how much of payload_ belongs to the message
  std::array<uint8_t, 4> mask_{};  // rotated, so that the first octet is the next to use
  Utf8Checker text_;
  uint8_t message_opcode_ = kNoMessage;
  uint8_t header_octets_ = 0;
  uint8_t length_octets_ = 0;
  uint8_t opcode_ = 0;
  bool final_ = false;
  bool finished_ = false;
  uint16_t frames_ = 0;
};

static_assert(sizeof(FrameDecoder) <= 64, "paid for by every connection");

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_FRAME_DECODER_H_
