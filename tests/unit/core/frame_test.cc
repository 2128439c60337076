#include "core/frame.h"

#include <string>

#include "gmock/gmock.h"

namespace wsrouter {
namespace {

std::string Header(size_t payload_bytes) {
  const auto frame = Frame::Make(Opcode::kBinary, std::string(payload_bytes, 'x'));
  EXPECT_EQ(frame->payload(), std::string(payload_bytes, 'x'));
  return std::string(frame->wire().substr(0, frame->wire().size() - payload_bytes));
}

TEST(FrameTest, IsEncodedFinalAndNotMasked) {
  const auto frame = Frame::Make(Opcode::kText, "Hello");  // RFC 6455 section 5.7
  EXPECT_EQ(frame->wire(), "\x81\x05Hello");
  EXPECT_EQ(frame->opcode(), Opcode::kText);
  EXPECT_EQ(frame->payload(), "Hello");
}

TEST(FrameTest, HasTheShortestLengthForm) {
  using namespace std::string_literals;
  EXPECT_EQ(Header(0), "\x82\x00"s);
  EXPECT_EQ(Header(125), "\x82\x7D"s);
  EXPECT_EQ(Header(126), "\x82\x7E\x00\x7E"s);
  EXPECT_EQ(Header(65535), "\x82\x7E\xFF\xFF"s);
  EXPECT_EQ(Header(65536), "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

TEST(FrameTest, ChangesNoOctetOfThePayload) {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all.push_back(static_cast<char>(octet));
  EXPECT_EQ(Frame::Make(Opcode::kBinary, all)->payload(), all);
}

TEST(FrameTest, KeepsEachOpcode) {
  for (const Opcode opcode :
       {Opcode::kText, Opcode::kBinary, Opcode::kClose, Opcode::kPing, Opcode::kPong}) {
    EXPECT_EQ(Frame::Make(opcode, "")->opcode(), opcode);
  }
}

TEST(FrameRefTest, HoldsTheFrameUntilTheLastCopyIsGone) {
  FramePtr frame = Frame::Make(Opcode::kText, "x");
  {
    FrameRef first(frame);
    FrameRef second = first;
    FrameRef third;
    third = second;
    third = std::move(second);
    first = FrameRef();
    EXPECT_EQ(frame.use_count(), 2);
    EXPECT_EQ(third->payload(), "x");
  }
  EXPECT_EQ(frame.use_count(), 1);
}

TEST(FrameRefTest, SurvivesItsOwnAssignment) {
  FrameRef ref(Frame::Make(Opcode::kText, "x"));
  const FrameRef& same = ref;
  ref = same;
  EXPECT_EQ(ref->payload(), "x");
}

TEST(FrameRefTest, EqualsOnlyItsCopies) {
  const FramePtr frame = Frame::Make(Opcode::kText, "x");
  const FrameRef ref(frame);
  const FrameRef copy = ref;
  EXPECT_EQ(ref, copy);
  EXPECT_FALSE(ref == FrameRef(frame));
}

}  // namespace
}  // namespace wsrouter
