// The octets of a client, cut anywhere, must mean what they mean whole and what they mean to the
// reference, within the bounds of memory.
//
// Input: the limit of a message (1 octet, in units of 8), the number of cuts (1 octet, 15 at most),
// the cuts (1 octet each, the length of a piece), the wire.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <vector>

#include "gateway/frame_decoder.h"
#include "tests/fuzz/reference_decoder.h"
#include "tests/support/client_frames.h"

namespace wsrouter {
namespace {

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "violated: " << what << '\n';
  std::abort();
}

// The last pieces are what remains; each is given in a buffer of its own, so that a sanitizer sees
// a read past it.
std::vector<DecodedEvent> DecodeCut(std::string_view wire, std::string_view cuts,
                                    uint32_t message_bytes_max) {
  FrameDecoder decoder(message_bytes_max);
  std::vector<DecodedEvent> events;
  while (!wire.empty()) {
    const size_t size = cuts.empty() ? wire.size() : static_cast<uint8_t>(cuts.front());
    cuts.remove_prefix(cuts.empty() ? 0 : 1);
    const std::string_view view = wire.substr(0, size);
    const std::vector<char> piece(view.begin(), view.end());
    wire.remove_prefix(piece.size());
    DecodePiece(decoder, {piece.data(), piece.size()}, events);
    Require(decoder.held_bytes() <= 2 * (message_bytes_max + size_t{125}) + 30,
            "memory is bounded");
  }
  return events;
}

void CheckEvents(const std::vector<DecodedEvent>& events, uint32_t message_bytes_max) {
  for (size_t i = 0; i < events.size(); ++i) {
    const DecodedEvent& event = events[i];
    const bool last = i + 1 == events.size();
    if (event.kind == "text" || event.kind == "binary") {
      Require(event.payload.size() <= message_bytes_max, "a message is within its limit");
    } else {
      Require(event.payload.size() <= 125, "a control payload is within its limit");
    }
    if (event.kind == "text" || event.kind == "close") {
      Require(CheckTextByReference(event.payload) == TextVerdict::kWhole, "text is UTF-8");
    }
    Require(last || (event.kind != "close" && event.kind != "failure"), "nothing follows the end");
  }
}

}  // namespace
}  // namespace wsrouter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wsrouter;
  std::string_view wire(reinterpret_cast<const char*>(data), size);
  if (wire.size() < 2) return 0;
  const uint32_t message_bytes_max = static_cast<uint8_t>(wire[0]) * 8;
  const size_t cut_count = std::min<size_t>(wire[1] & 0xF, wire.size() - 2);
  const std::string_view cuts = wire.substr(2, cut_count);
  wire.remove_prefix(2 + cut_count);

  const std::vector<DecodedEvent> events = DecodeByReference(wire, message_bytes_max);
  CheckEvents(events, message_bytes_max);
  Require(DecodeCut(wire, {}, message_bytes_max) == events, "whole, as the reference");
  Require(DecodeCut(wire, cuts, message_bytes_max) == events, "cut, as the reference");
  Require(DecodeInPieces(wire, message_bytes_max, 1, 1) == events, "by octets, as the reference");
  return 0;
}
