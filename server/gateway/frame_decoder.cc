#include "gateway/frame_decoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "gateway/close_payload.h"

namespace wsrouter {
namespace {

using Failure = FrameDecoder::Failure;

constexpr uint8_t kContinuation = 0x0;
constexpr uint8_t kText = static_cast<uint8_t>(Opcode::kText);
constexpr uint8_t kBinary = static_cast<uint8_t>(Opcode::kBinary);
constexpr uint8_t kClose = static_cast<uint8_t>(Opcode::kClose);
constexpr uint8_t kPing = static_cast<uint8_t>(Opcode::kPing);
constexpr uint8_t kPong = static_cast<uint8_t>(Opcode::kPong);

constexpr uint8_t kLength16 = 126;
constexpr uint8_t kLength64 = 127;

constexpr Failure ProtocolError(std::string_view reason) { return {1002, reason}; }
constexpr Failure kNotUtf8 = {1007, "text is not UTF-8"};

// RFC 6455 section 5.3. Leaves `mask` turned to where the next octet begins.
void Unmask(char* data, size_t size, std::array<uint8_t, 4>& mask) {
  uint64_t word_mask;
  std::memcpy(&word_mask, mask.data(), 4);
  std::memcpy(reinterpret_cast<char*>(&word_mask) + 4, mask.data(), 4);
  size_t at = 0;
  for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
    std::memcpy(&word, data + at, sizeof word);
    word ^= word_mask;
    std::memcpy(data + at, &word, sizeof word);
  }
  for (; at < size; ++at) data[at] = static_cast<char>(data[at] ^ mask[at % 4]);
  std::rotate(mask.begin(), mask.begin() + size % 4, mask.end());
}

// RFC 6455 sections 5.5.1 and 7.4.
FrameDecoder::Event DecodeClose(std::string_view payload) {
  if (payload.empty()) return FrameDecoder::Close{kCloseCodeAbsent, {}};
  if (payload.size() == 1) return ProtocolError("a close code wants two octets");
  const uint16_t code = static_cast<uint16_t>(static_cast<uint8_t>(payload[0]) << 8 |
                                              static_cast<uint8_t>(payload[1]));
  if (!IsSendableCloseCode(code)) return ProtocolError("a close code must not be sent");
  payload.remove_prefix(2);
  if (!IsUtf8(payload)) return Failure{1007, "a close reason is not UTF-8"};
  return FrameDecoder::Close{code, std::string(payload)};
}

}  // namespace

std::optional<FrameDecoder::Event> FrameDecoder::Next(std::string_view& input) {
  if (finished_) {
    input = {};
    return std::nullopt;
  }
  while (true) {
    while (!header_complete()) {
      if (input.empty()) return std::nullopt;
      const uint8_t octet = static_cast<uint8_t>(input.front());
      input.remove_prefix(1);
      if (auto failure = TakeHeaderOctet(octet)) return Finish(*failure);
    }
    if (auto failure = TakePayload(input)) return Finish(*failure);
    if (remaining_ > 0) return std::nullopt;
    if (auto event = EndFrame()) return event;
  }
}

std::optional<Failure> FrameDecoder::TakeHeaderOctet(uint8_t octet) {
  const uint8_t at = header_octets_++;
  if (at == 0) return TakeOpcode(octet);
  if (at == 1) return TakeLength(octet);
  if (at < 2 + length_octets_) return TakeLongLength(octet);
  mask_[at - 2 - length_octets_] = octet;
  return std::nullopt;
}

std::optional<Failure> FrameDecoder::TakeOpcode(uint8_t octet) {
  final_ = (octet & 0x80) != 0;
  opcode_ = octet & 0x0F;
  if ((octet & 0x70) != 0) return ProtocolError("a reserved bit is set");
  switch (opcode_) {
    case kContinuation:
      if (message_opcode_ == kNoMessage) return ProtocolError("nothing to continue");
      return std::nullopt;
    case kText:
    case kBinary:
      if (message_opcode_ != kNoMessage) return ProtocolError("a message inside a message");
      message_opcode_ = opcode_;
      return std::nullopt;
    case kClose:
    case kPing:
    case kPong:
      if (!final_) return ProtocolError("a control frame is fragmented");
      return std::nullopt;
    default:
      return ProtocolError("the opcode is reserved");
  }
}

std::optional<Failure> FrameDecoder::TakeLength(uint8_t octet) {
  if ((octet & 0x80) == 0) return ProtocolError("a client's frame is not masked");
  const uint8_t length = octet & 0x7F;
  if (is_control() && length > kControlPayloadBytesMax) {
    return ProtocolError("a control frame is longer than 125 octets");
  }
  if (length == kLength16 || length == kLength64) {
    length_octets_ = length == kLength16 ? 2 : 8;
    return std::nullopt;
  }
  remaining_ = length;
  return CheckLimit();
}

std::optional<Failure> FrameDecoder::TakeLongLength(uint8_t octet) {
  if (length_octets_ == 8 && header_octets_ == 3 && (octet & 0x80) != 0) {
    return ProtocolError("a length has more than 63 bits");
  }
  remaining_ = remaining_ << 8 | octet;
  if (header_octets_ < 2 + length_octets_) return std::nullopt;
  if (remaining_ < (length_octets_ == 2 ? kLength16 : uint64_t{0x10000})) {
    return ProtocolError("a length is not in its shortest form");
  }
  return CheckLimit();
}

std::optional<Failure> FrameDecoder::CheckLimit() const {
  if (is_control() || remaining_ <= message_bytes_max_ - message_bytes_) return std::nullopt;
  return Failure{1009, "the message is too big"};
}

std::optional<Failure> FrameDecoder::TakePayload(std::string_view& input) {
  const size_t size = std::min<uint64_t>(remaining_, input.size());
  if (size == 0) return std::nullopt;
  const size_t begin = payload_.size();
  payload_.append(input.substr(0, size));
  Unmask(payload_.data() + begin, size, mask_);
  input.remove_prefix(size);
  remaining_ -= size;
  if (is_control() || message_opcode_ != kText) return std::nullopt;
  if (!text_.Feed(std::string_view(payload_).substr(begin))) return kNotUtf8;
  return std::nullopt;
}

std::optional<FrameDecoder::Event> FrameDecoder::EndFrame() {
  header_octets_ = 0;
  length_octets_ = 0;
  if (frames_ < UINT16_MAX) ++frames_;
  if (is_control()) return EndControl();
  if (final_) return EndMessage();
  message_bytes_ = static_cast<uint32_t>(payload_.size());
  return std::nullopt;
}

FrameDecoder::Event FrameDecoder::EndMessage() {
  if (!text_.at_boundary()) return Finish(kNotUtf8);
  const Opcode opcode = static_cast<Opcode>(message_opcode_);
  message_opcode_ = kNoMessage;
  message_bytes_ = 0;
  return Message{opcode, std::exchange(payload_, {})};
}

FrameDecoder::Event FrameDecoder::EndControl() {
  if (opcode_ == kClose)
    return Finish(DecodeClose(std::string_view(payload_).substr(message_bytes_)));
  std::string payload;
  if (message_bytes_ == 0) {
    payload = std::exchange(payload_, {});
  } else {
    payload = payload_.substr(message_bytes_);
    payload_.resize(message_bytes_);
  }
  if (opcode_ == kPing) return Ping{std::move(payload)};
  return Pong{std::move(payload)};
}

FrameDecoder::Event FrameDecoder::Finish(Event last) {
  finished_ = true;
  std::string().swap(payload_);  // assigning an empty string would keep the memory
  return last;
}

}  // namespace wsrouter
