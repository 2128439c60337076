#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "gateway/frame_decoder.h"
#include "tests/fuzz/reference_decoder.h"
#include "tests/support/client_frames.h"

namespace wsrouter {
namespace {

constexpr uint32_t kMessageBytesMax = 180;

// Sequences of frames, from a seed: mostly valid ones, some with a fault in a frame, some with an
// octet changed, some cut off.
class FrameSequences {
 public:
  explicit FrameSequences(uint32_t seed) : random_(seed) {}

  std::string Next() {
    open_ = false;
    std::string wire;
    for (size_t frames = Below(12) + 1; frames > 0; --frames) wire += NextFrame();
    if (OneIn(3)) wire[Below(wire.size())] ^= static_cast<char>(1 << Below(8));
    if (OneIn(4)) wire.resize(Below(wire.size() + 1));
    return wire;
  }

  size_t Below(size_t bound) { return random_() % bound; }

 private:
  bool OneIn(size_t chances) { return Below(chances) == 0; }

  std::string NextFrame() {
    ClientFrame frame;
    const bool control = OneIn(4);
    frame.final = control || OneIn(2);
    frame.opcode = static_cast<uint8_t>(control ? 9 + Below(2) : open_ ? 0 : 1 + Below(2));
    if (!control) open_ = !frame.final;
    if (OneIn(20)) frame.opcode = static_cast<uint8_t>(Below(16));
    if (OneIn(60)) frame.reserved_bits = static_cast<uint8_t>(0x10 << Below(3));
    frame.payload = control ? Octets(Below(OneIn(10) ? 130 : 20)) : NextText();
    if (OneIn(20)) frame.opcode = 8, frame.payload = NextClose();
    for (char& octet : frame.mask) octet = static_cast<char>(Below(256));
    return Encode(frame);
  }

  std::string Octets(size_t size) {
    std::string octets(size, '\0');
    for (char& octet : octets) octet = static_cast<char>(Below(256));
    return octets;
  }

  std::string NextText() {
    static const std::vector<std::string> kPieces = {"a",      "plain words", "\u00E9",
                                                     "\u20AC", "\U0001F600",  std::string(70, 'x')};
    std::string text;
    for (size_t pieces = Below(5); pieces > 0; --pieces) text += kPieces[Below(kPieces.size())];
    if (OneIn(8)) text.resize(Below(text.size() + 1));
    if (OneIn(12)) text += Octets(Below(4));
    return text;
  }

  std::string NextClose() {
    const size_t code = OneIn(2) ? 995 + Below(25) : Below(65536);
    std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
    payload += NextText();
    payload.resize(std::min<size_t>(payload.size(), OneIn(4) ? Below(3) : 125));
    return payload;
  }

  std::mt19937 random_;
  bool open_ = false;
};

TEST(FrameDecoderDifferentialTest, RandomSequencesMeanTheSameAsToTheReference) {
  for (uint32_t seed = 0; seed < 20000; ++seed) {
    FrameSequences sequences(seed);
    const std::string wire = sequences.Next();
    const std::vector<DecodedEvent> expected = DecodeByReference(wire, kMessageBytesMax);
    ASSERT_EQ(DecodeWhole(wire, kMessageBytesMax), expected) << "seed " << seed;
    ASSERT_EQ(DecodeInPieces(wire, kMessageBytesMax, 1, 1), expected) << "seed " << seed;
    const size_t first = sequences.Below(wire.size() + 1);
    const size_t piece = sequences.Below(40) + 1;
    ASSERT_EQ(DecodeInPieces(wire, kMessageBytesMax, first, piece), expected)
        << "seed " << seed << " first " << first << " piece " << piece;
  }
}

// Guards the test above: a generator whose every sequence fails at once would prove nothing.
TEST(FrameDecoderDifferentialTest, RandomSequencesReachEveryKindOfEvent) {
  for (const std::string kind : {"text", "binary", "ping", "pong", "close", "failure"}) {
    int seen = 0;
    for (uint32_t seed = 0; seed < 2000; ++seed) {
      const std::string wire = FrameSequences(seed).Next();
      for (const DecodedEvent& event : DecodeByReference(wire, kMessageBytesMax)) {
        seen += event.kind == kind;
      }
    }
    EXPECT_GT(seen, 50) << kind;
  }
}

TEST(FrameDecoderDifferentialTest, RandomSequencesReachEveryCodeOfAFailure) {
  for (int code : {1002, 1007, 1009}) {
    int seen = 0;
    for (uint32_t seed = 0; seed < 2000; ++seed) {
      const std::string wire = FrameSequences(seed).Next();
      for (const DecodedEvent& event : DecodeByReference(wire, kMessageBytesMax)) {
        seen += event.kind == "failure" && event.code == code;
      }
    }
    EXPECT_GT(seen, 50) << code;
  }
}

}  // namespace
}  // namespace wsrouter
