#ifndef WSROUTER_TESTS_FUZZ_REFERENCE_DECODER_H_
#define WSROUTER_TESTS_FUZZ_REFERENCE_DECODER_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace wsrouter {

// What a decoder told, in a form that two of them can be compared by.
struct DecodedEvent {
  std::string kind;     // text, binary, ping, pong, close, failure
  int code = 0;         // of a close or a failure
  std::string payload;  // the reason of a close; empty for a failure

  friend bool operator==(const DecodedEvent&, const DecodedEvent&) = default;
  friend std::ostream& operator<<(std::ostream& out, const DecodedEvent& event) {
    return out << event.kind << ' ' << event.code << " \"" << event.payload << '"';
  }
};

// What `wire` means by RFC 6455, found the slow way: from the whole buffer, octet by octet, with
// nothing in common with FrameDecoder.
std::vector<DecodedEvent> DecodeByReference(std::string_view wire, size_t message_bytes_max);

// Whether `text` is UTF-8, could still become it, or cannot.
enum class TextVerdict { kWhole, kCut, kBroken };
TextVerdict CheckTextByReference(std::string_view text);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_FUZZ_REFERENCE_DECODER_H_
