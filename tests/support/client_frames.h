#ifndef WSROUTER_TESTS_SUPPORT_CLIENT_FRAMES_H_
#define WSROUTER_TESTS_SUPPORT_CLIENT_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/frame_decoder.h"
#include "tests/fuzz/reference_decoder.h"

namespace wsrouter {

struct ClientFrame {
  uint8_t opcode = 1;
  std::string payload;
  bool final = true;
  std::string mask = "\x37\xFA\x21\x3D";
  uint8_t reserved_bits = 0;  // of the first octet: 0x70 at most
};

// The frame as a client puts it on the wire: masked, the length in its shortest form.
std::string Encode(const ClientFrame& frame);

// The first octets of a frame that announces `length` octets in a form of `length_octets` (0, 2 or
// 8) and does not have them.
std::string EncodeHeader(uint8_t first_octet, uint64_t length, size_t length_octets);

// Feeds one piece and adds what comes out.
void DecodePiece(FrameDecoder& decoder, std::string_view piece, std::vector<DecodedEvent>& events);

std::vector<DecodedEvent> DecodeWhole(std::string_view wire, uint32_t message_bytes_max);
// In pieces of `piece_bytes`, the first of `first_bytes`.
std::vector<DecodedEvent> DecodeInPieces(std::string_view wire, uint32_t message_bytes_max,
                                         size_t first_bytes, size_t piece_bytes);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_CLIENT_FRAMES_H_
