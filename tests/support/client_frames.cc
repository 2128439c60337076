#include "tests/support/client_frames.h"

#include <utility>
#include <variant>

namespace wsrouter {
namespace {

struct Describe {
  DecodedEvent operator()(FrameDecoder::Message event) const {
    return {event.opcode == Opcode::kText ? "text" : "binary", 0, std::move(event.payload)};
  }
  DecodedEvent operator()(FrameDecoder::Ping event) const {
    return {"ping", 0, std::move(event.payload)};
  }
  DecodedEvent operator()(FrameDecoder::Pong event) const {
    return {"pong", 0, std::move(event.payload)};
  }
  DecodedEvent operator()(FrameDecoder::Close event) const {
    return {"close", event.code, std::move(event.reason)};
  }
  DecodedEvent operator()(FrameDecoder::Failure event) const { return {"failure", event.code, {}}; }
};

}  // namespace

std::string Encode(const ClientFrame& frame) {
  const uint8_t first =
      static_cast<uint8_t>((frame.final ? 0x80 : 0) | frame.reserved_bits | frame.opcode);
  const size_t size = frame.payload.size();
  std::string wire = EncodeHeader(first, size, size < 126 ? 0 : size < 0x10000 ? 2 : 8);
  wire += frame.mask;
  for (size_t i = 0; i < size; ++i) {
    wire += static_cast<char>(frame.payload[i] ^ frame.mask[i % 4]);
  }
  return wire;
}

std::string EncodeHeader(uint8_t first_octet, uint64_t length, size_t length_octets) {
  std::string wire(1, static_cast<char>(first_octet));
  const uint64_t short_length = length_octets == 0 ? length : length_octets == 2 ? 126 : 127;
  wire += static_cast<char>(0x80 | short_length);
  for (size_t i = length_octets; i > 0; --i) {
    wire += static_cast<char>(length >> (8 * (i - 1)) & 0xFF);
  }
  return wire;
}

void DecodePiece(FrameDecoder& decoder, std::string_view piece, std::vector<DecodedEvent>& events) {
  while (auto event = decoder.Next(piece)) {
    events.push_back(std::visit(Describe{}, *std::move(event)));
  }
}

std::vector<DecodedEvent> DecodeWhole(std::string_view wire, uint32_t message_bytes_max) {
  return DecodeInPieces(wire, message_bytes_max, wire.size(), wire.size());
}

std::vector<DecodedEvent> DecodeInPieces(std::string_view wire, uint32_t message_bytes_max,
                                         size_t first_bytes, size_t piece_bytes) {
  FrameDecoder decoder(message_bytes_max);
  std::vector<DecodedEvent> events;
  DecodePiece(decoder, wire.substr(0, first_bytes), events);
  for (size_t at = first_bytes; at < wire.size(); at += piece_bytes) {
    DecodePiece(decoder, wire.substr(at, piece_bytes), events);
  }
  return events;
}

}  // namespace wsrouter
