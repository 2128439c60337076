#include "core/frame.h"

namespace wsrouter {

std::shared_ptr<const Frame> Frame::Make(Opcode opcode, std::string_view payload) {
  constexpr char kFinal = static_cast<char>(0x80);
  const uint64_t size = payload.size();
  std::string wire;
  wire.reserve(payload.size() + kFrameHeaderBytesMax);
  wire.push_back(static_cast<char>(kFinal | static_cast<char>(opcode)));
  int length_octets = 0;
  if (size < 126) {
    wire.push_back(static_cast<char>(size));
  } else if (size <= 0xFFFF) {
    wire.push_back(126);
    length_octets = 2;
  } else {
    wire.push_back(127);
    length_octets = 8;
  }
  for (int i = length_octets - 1; i >= 0; --i) {
    wire.push_back(static_cast<char>((size >> (8 * i)) & 0xFF));
  }
  const size_t header_bytes = wire.size();
  wire.append(payload);
  return std::shared_ptr<const Frame>(new Frame(std::move(wire), header_bytes));
}

}  // namespace wsrouter
