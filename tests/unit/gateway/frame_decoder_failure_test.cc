#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "gateway/close_payload.h"
#include "gateway/frame_decoder.h"
#include "tests/fuzz/reference_decoder.h"
#include "tests/support/client_frames.h"

namespace wsrouter {
namespace {

constexpr uint32_t kMessageBytesMax = 64 * 1024;

// A wire whose last octet, and no earlier one, must bring the failure.
struct Fault {
  std::string name;
  std::string wire;
  int code;
};

void ExpectFailureAtLastOctet(const Fault& fault, uint32_t message_bytes_max = kMessageBytesMax) {
  SCOPED_TRACE(fault.name);
  FrameDecoder decoder(message_bytes_max);
  std::vector<DecodedEvent> events;
  for (size_t i = 0; i + 1 < fault.wire.size(); ++i) {
    DecodePiece(decoder, std::string_view(fault.wire).substr(i, 1), events);
  }
  ASSERT_FALSE(decoder.finished()) << "failed early";
  DecodePiece(decoder, std::string_view(fault.wire).substr(fault.wire.size() - 1), events);
  ASSERT_TRUE(decoder.finished()) << "did not fail";
  EXPECT_EQ(events.back(), (DecodedEvent{"failure", fault.code, ""}));
  for (size_t cut = 0; cut <= fault.wire.size(); ++cut) {
    EXPECT_EQ(DecodeInPieces(fault.wire, message_bytes_max, cut, fault.wire.size()), events) << cut;
  }
  EXPECT_EQ(DecodeByReference(fault.wire, message_bytes_max), events);
}

std::string Head(uint8_t first_octet) { return std::string(1, static_cast<char>(first_octet)); }

TEST(FrameDecoderFailureTest, ReservedBitsFailAtTheFirstOctet) {
  for (uint8_t bits : {0x10, 0x20, 0x40, 0x70}) {
    for (uint8_t opcode : {0x1, 0x2, 0x8, 0x9, 0xA}) {
      ExpectFailureAtLastOctet({"bits", Head(0x80 | bits | opcode), 1002});
    }
  }
}

TEST(FrameDecoderFailureTest, ReservedOpcodesFailAtTheFirstOctet) {
  for (uint8_t opcode : {0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF}) {
    ExpectFailureAtLastOctet({"final", Head(0x80 | opcode), 1002});
    ExpectFailureAtLastOctet({"fragment", Head(opcode), 1002});
  }
}

TEST(FrameDecoderFailureTest, FragmentedControlFramesFailAtTheFirstOctet) {
  for (uint8_t opcode : {0x8, 0x9, 0xA}) {
    ExpectFailureAtLastOctet({"control", Head(opcode), 1002});
  }
}

TEST(FrameDecoderFailureTest, FramesOutOfOrderFailAtTheFirstOctet) {
  const std::string first = Encode({1, "a", false});
  const std::string last = Encode({0, "b", true});
  for (const Fault& fault : {
           Fault{"continuation of nothing", Head(0x80), 1002},
           Fault{"fragment of nothing", Head(0x00), 1002},
           Fault{"continuation after the end", first + last + Head(0x80), 1002},
           Fault{"text inside a message", first + Head(0x81), 1002},
           Fault{"binary inside a message", first + Head(0x02), 1002},
           Fault{"text after an empty fragment", Encode({2, "", false}) + Head(0x01), 1002},
           Fault{"continuation after a ping", Encode({9, ""}) + Head(0x80), 1002},
       }) {
    ExpectFailureAtLastOctet(fault);
  }
}

TEST(FrameDecoderFailureTest, FramesWithoutMaskFailAtTheSecondOctet) {
  for (uint8_t opcode : {0x1, 0x2, 0x8, 0x9, 0xA}) {
    for (uint8_t length : {0, 1, 125, 126, 127}) {
      ExpectFailureAtLastOctet({"no mask", Head(0x80 | opcode) + static_cast<char>(length), 1002});
    }
  }
}

TEST(FrameDecoderFailureTest, LongControlFramesFailAtTheSecondOctet) {
  for (uint8_t opcode : {0x8, 0x9, 0xA}) {
    ExpectFailureAtLastOctet({"126", Head(0x80 | opcode) + "\xFE", 1002});
    ExpectFailureAtLastOctet({"127", Head(0x80 | opcode) + "\xFF", 1002});
  }
}

TEST(FrameDecoderFailureTest, LengthsInALongerFormFailAtTheirLastOctet) {
  for (const Fault& fault : {
           Fault{"0 in 2", EncodeHeader(0x81, 0, 2), 1002},
           Fault{"125 in 2", EncodeHeader(0x81, 125, 2), 1002},
           Fault{"0 in 8", EncodeHeader(0x82, 0, 8), 1002},
           Fault{"126 in 8", EncodeHeader(0x82, 126, 8), 1002},
           Fault{"65535 in 8", EncodeHeader(0x02, 65535, 8), 1002},
       }) {
    ExpectFailureAtLastOctet(fault);
  }
}

TEST(FrameDecoderFailureTest, TopBitOfALengthFailsWhereItStands) {
  ExpectFailureAtLastOctet({"top bit", "\x82\xFF\x80", 1002});
}

TEST(FrameDecoderFailureTest, BigMessagesFailAtTheAnnouncedLength) {
  const std::string half = Encode({2, "1234", false});
  for (const Fault& fault : {
           Fault{"short form", EncodeHeader(0x82, 9, 0), 1009},
           Fault{"2 octets", EncodeHeader(0x82, 126, 2), 1009},
           Fault{"8 octets", EncodeHeader(0x82, 65536, 8), 1009},
           Fault{"63 bits", EncodeHeader(0x01, INT64_MAX, 8), 1009},
           Fault{"what came before is added", half + EncodeHeader(0x80, 5, 0), 1009},
           Fault{"the sum does not wrap", half + EncodeHeader(0x80, INT64_MAX, 8), 1009},
           Fault{"a message over the limit by a ping between",
                 half + Encode({9, "ping"}) + EncodeHeader(0x00, 5, 0), 1009},
       }) {
    ExpectFailureAtLastOctet(fault, 8);
  }
}

TEST(FrameDecoderFailureTest, DefaultLimitPlusOneFailsAtTheAnnouncedLength) {
  ExpectFailureAtLastOctet({"65537", EncodeHeader(0x82, 65537, 8), 1009});
}

TEST(FrameDecoderFailureTest, TextFailsAtTheFirstImpossibleOctet) {
  const std::string announced = EncodeHeader(0x81, 100, 0) + std::string(4, '\0');
  for (const Fault& fault : {
           Fault{"lone continuation", announced + "abc\x80", 1007},
           Fault{"long form of 2", announced + "\xC0", 1007},
           Fault{"long form of 3", announced + "\xE0\x9F", 1007},
           Fault{"long form of 4", announced + "\xF0\x8F", 1007},
           Fault{"surrogate", announced + "\xED\xA0", 1007},
           Fault{"above U+10FFFF", announced + "\xF4\x90", 1007},
           Fault{"never a lead", announced + "\xF5", 1007},
           Fault{"continuation missing", announced + "\xE2\x82x", 1007},
       }) {
    ExpectFailureAtLastOctet(fault);
  }
}

TEST(FrameDecoderFailureTest, TextIsCheckedAcrossFragments) {
  const std::string half_euro = Encode({1, "\xE2", false}) + Encode({9, "\xFF"});
  ExpectFailureAtLastOctet({"wrong continuation",
                            half_euro + EncodeHeader(0x00, 10, 0) + std::string(4, '\0') + "x",
                            1007});
  EXPECT_EQ(DecodeWhole(half_euro + Encode({0, "\x82\xAC", true}), 8).back(),
            (DecodedEvent{"text", 0, "\u20AC"}));
}

TEST(FrameDecoderFailureTest, TextThatEndsInsideACodePointFails) {
  for (const Fault& fault : {
           Fault{"one frame", Encode({1, "caf\xC3"}), 1007},
           Fault{"last fragment", Encode({1, "\xF0\x9F", false}) + Encode({0, "\x98"}), 1007},
           Fault{"empty last fragment",
                 Encode({1, "\xE2\x82", false}) + EncodeHeader(0x80, 0, 0) + "mask", 1007},
       }) {
    ExpectFailureAtLastOctet(fault);
  }
}

std::string CloseFrame(int code, const std::string& reason = {}) {
  std::string payload;
  payload += static_cast<char>(code / 256);
  payload += static_cast<char>(code % 256);
  return Encode({8, payload + reason});
}

TEST(FrameDecoderFailureTest, CloseOfOneOctetFails) {
  ExpectFailureAtLastOctet({"one octet", Encode({8, "\x03"}), 1002});
  ExpectFailureAtLastOctet({"which a zero would complete", Encode({8, "\x0F"}), 1002});
}

TEST(FrameDecoderFailureTest, CloseCodesThatMustNotBeSentFail) {
  for (int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    ExpectFailureAtLastOctet({std::to_string(code), CloseFrame(code), 1002});
    ExpectFailureAtLastOctet({std::to_string(code), CloseFrame(code, "\xFF"), 1002});
  }
}

TEST(FrameDecoderFailureTest, CloseCodesThatMayBeSentAreTold) {
  for (int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000,
                   3999, 4000, 4999}) {
    EXPECT_EQ(DecodeWhole(CloseFrame(code, "why"), 0),
              (std::vector<DecodedEvent>{{"close", code, "why"}}));
  }
}

TEST(FrameDecoderFailureTest, CloseReasonThatIsNotUtf8Fails) {
  ExpectFailureAtLastOctet({"broken", CloseFrame(1000, "\xFFx"), 1007});
  ExpectFailureAtLastOctet({"cut", CloseFrame(1000, "caf\xC3"), 1007});
}

}  // namespace
}  // namespace wsrouter
