#include "gateway/frame_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/reference_decoder.h"
#include "tests/support/client_frames.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Events = std::vector<DecodedEvent>;

constexpr uint32_t kMessageBytesMax = 64 * 1024;

// What the wire means, whole, octet by octet and with one cut anywhere; all must agree.
Events Decode(std::string_view wire, uint32_t message_bytes_max = kMessageBytesMax) {
  const Events events = DecodeWhole(wire, message_bytes_max);
  EXPECT_EQ(DecodeInPieces(wire, message_bytes_max, 1, 1), events) << "octet by octet";
  const size_t step = std::max<size_t>(1, wire.size() / 256);
  for (size_t cut = 0; cut <= wire.size(); cut += step) {
    EXPECT_EQ(DecodeInPieces(wire, message_bytes_max, cut, wire.size()), events) << "cut " << cut;
  }
  EXPECT_EQ(DecodeByReference(wire, message_bytes_max), events) << "reference";
  return events;
}

std::string Text(std::string payload, bool final = true) { return Encode({1, payload, final}); }
std::string Binary(std::string payload, bool final = true) { return Encode({2, payload, final}); }
std::string More(std::string payload, bool final) { return Encode({0, payload, final}); }
std::string Ping(std::string payload) { return Encode({9, payload}); }
std::string Pong(std::string payload) { return Encode({10, payload}); }
std::string Close(std::string payload) { return Encode({8, payload}); }

TEST(FrameDecoderTest, TextMessageIsUnmasked) {
  EXPECT_THAT(Decode(Text("Hello")), ElementsAre(DecodedEvent{"text", 0, "Hello"}));
}

TEST(FrameDecoderTest, TextOfTheRfcExampleIsDecoded) {
  EXPECT_THAT(Decode("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
              ElementsAre(DecodedEvent{"text", 0, "Hello"}));
}

TEST(FrameDecoderTest, BinaryMessageKeepsEveryOctet) {
  std::string octets;
  for (int octet = 0; octet < 256; ++octet) octets += static_cast<char>(octet);
  EXPECT_THAT(Decode(Binary(octets)), ElementsAre(DecodedEvent{"binary", 0, octets}));
}

TEST(FrameDecoderTest, EmptyMessageIsAMessage) {
  EXPECT_THAT(Decode(Text("") + Binary("")),
              ElementsAre(DecodedEvent{"text", 0, ""}, DecodedEvent{"binary", 0, ""}));
}

TEST(FrameDecoderTest, EveryPayloadLengthAroundAFormOrAWordIsDecoded) {
  for (size_t size :
       {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 124, 125, 126, 127, 128, 255, 256, 65535, 65536}) {
    std::string payload(size, '\0');
    for (size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 7 + i / 256);
    EXPECT_THAT(Decode(Binary(payload)), ElementsAre(DecodedEvent{"binary", 0, payload})) << size;
  }
}

TEST(FrameDecoderTest, MaskOfZerosIsAMask) {
  EXPECT_THAT(Decode(Encode({1, "zero", true, std::string(4, '\0')})),
              ElementsAre(DecodedEvent{"text", 0, "zero"}));
}

TEST(FrameDecoderTest, FragmentsBecomeOneMessage) {
  EXPECT_THAT(Decode(Text("one ", false) + More("two ", false) + More("three", true)),
              ElementsAre(DecodedEvent{"text", 0, "one two three"}));
}

TEST(FrameDecoderTest, EmptyFragmentsAddNothing) {
  EXPECT_THAT(Decode(Binary("", false) + More("", false) + More("x", false) + More("", true)),
              ElementsAre(DecodedEvent{"binary", 0, "x"}));
}

TEST(FrameDecoderTest, ControlFramesBetweenFragmentsAreToldFirst) {
  EXPECT_THAT(Decode(Text("ab", false) + Ping("p") + More("cd", false) + Pong("q") + Ping("") +
                     More("ef", true)),
              ElementsAre(DecodedEvent{"ping", 0, "p"}, DecodedEvent{"pong", 0, "q"},
                          DecodedEvent{"ping", 0, ""}, DecodedEvent{"text", 0, "abcdef"}));
}

TEST(FrameDecoderTest, ControlFrameAfterAnEmptyFragmentLeavesTheMessageAlone) {
  EXPECT_THAT(
      Decode(Text("", false) + Ping("a longer payload than fits a string") + More("end", true)),
      ElementsAre(DecodedEvent{"ping", 0, "a longer payload than fits a string"},
                  DecodedEvent{"text", 0, "end"}));
}

TEST(FrameDecoderTest, EveryPingIsTold) {
  std::string wire;
  for (char c = '0'; c <= '9'; ++c) wire += Ping(std::string(1, c));
  const Events events = Decode(wire);
  ASSERT_EQ(events.size(), 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(events[i].payload, std::to_string(i));
}

TEST(FrameDecoderTest, PingPayloadNeedNotBeText) {
  const std::string payload(125, '\xFF');
  EXPECT_THAT(Decode(Ping(payload)), ElementsAre(DecodedEvent{"ping", 0, payload}));
}

TEST(FrameDecoderTest, CloseInsideAFragmentedMessageEndsEverything) {
  EXPECT_THAT(Decode(Text("half", false) +
                     Close("\x03\xE8"
                           "bye") +
                     More("", true) + Ping("late")),
              ElementsAre(DecodedEvent{"close", 1000, "bye"}));
}

TEST(FrameDecoderTest, CloseWithoutPayloadHasTheAbsentCode) {
  EXPECT_THAT(Decode(Close("")), ElementsAre(DecodedEvent{"close", 1005, ""}));
}

TEST(FrameDecoderTest, NothingIsDecodedAfterAFailure) {
  EXPECT_THAT(Decode("\x83" + Text("ignored")), ElementsAre(DecodedEvent{"failure", 1002, ""}));
}

TEST(FrameDecoderTest, MessageOfTheLimitIsTaken) {
  EXPECT_THAT(Decode(Binary("12345678"), 8), ElementsAre(DecodedEvent{"binary", 0, "12345678"}));
}

TEST(FrameDecoderTest, FragmentsThatFillTheLimitAreTaken) {
  EXPECT_THAT(Decode(Text("1234", false) + Ping("beside the limit") + More("5678", true), 8),
              ElementsAre(DecodedEvent{"ping", 0, "beside the limit"},
                          DecodedEvent{"text", 0, "12345678"}));
}

TEST(FrameDecoderTest, InputStaysWithTheCallerBehindAnEvent) {
  FrameDecoder decoder(kMessageBytesMax);
  const std::string wire = Text("a") + Text("b");
  std::string_view input = wire;
  ASSERT_TRUE(decoder.Next(input));
  EXPECT_EQ(input.size(), wire.size() / 2);
  ASSERT_TRUE(decoder.Next(input));
  EXPECT_FALSE(decoder.Next(input));
  EXPECT_TRUE(input.empty());
}

TEST(FrameDecoderTest, InputIsTakenAndIgnoredOnceFinished) {
  FrameDecoder decoder(kMessageBytesMax);
  const std::string wire = Close("") + Text("late");
  std::string_view input = wire;
  ASSERT_TRUE(decoder.Next(input));
  EXPECT_TRUE(decoder.finished());
  EXPECT_FALSE(decoder.Next(input));
  EXPECT_TRUE(input.empty());
}

TEST(FrameDecoderTest, MemoryFollowsWhatCameNotWhatWasAnnounced) {
  FrameDecoder decoder(1 << 30);
  Events events;
  DecodePiece(decoder, EncodeHeader(0x82, 1 << 30, 8) + "mask" + std::string(100, 'x'), events);
  EXPECT_THAT(events, IsEmpty());
  EXPECT_LE(decoder.held_bytes(), 200u);
}

TEST(FrameDecoderTest, BetweenMessagesNoMemoryIsHeld) {
  FrameDecoder decoder(kMessageBytesMax);
  const size_t held_by_a_new_one = decoder.held_bytes();
  Events events;
  for (const std::string& wire : {Text(std::string(5000, 't')), Ping(std::string(125, 'p')),
                                  Binary(std::string(50, 'b'), false) + More("end", true)}) {
    DecodePiece(decoder, wire, events);
    EXPECT_EQ(decoder.held_bytes(), held_by_a_new_one);
  }
  EXPECT_EQ(events.size(), 3u);
}

TEST(FrameDecoderTest, FailureGivesTheHalfMessageBack) {
  FrameDecoder decoder(kMessageBytesMax);
  const size_t held_by_a_new_one = decoder.held_bytes();
  Events events;
  DecodePiece(decoder, Text(std::string(5000, 't'), false) + Text("again"), events);
  EXPECT_THAT(events, ElementsAre(DecodedEvent{"failure", 1002, ""}));
  EXPECT_EQ(decoder.held_bytes(), held_by_a_new_one);
}

TEST(FrameDecoderTest, ManyEmptyFragmentsCostNoMemory) {
  FrameDecoder decoder(kMessageBytesMax);
  Events events;
  DecodePiece(decoder, Text("", false), events);
  const size_t held = decoder.held_bytes();
  for (int i = 0; i < 10000; ++i) DecodePiece(decoder, More("", false), events);
  EXPECT_EQ(decoder.held_bytes(), held);
}

TEST(FrameDecoderTest, ObjectFitsACacheLine) { EXPECT_LE(sizeof(FrameDecoder), 64u); }

}  // namespace
}  // namespace wsrouter
