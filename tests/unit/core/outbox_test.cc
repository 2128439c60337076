#include "core/outbox.h"

#include <random>
#include <string>

#include "gmock/gmock.h"

namespace wsrouter {
namespace {

constexpr size_t kUnbounded = SIZE_MAX;

FrameRef OfSize(size_t wire_bytes, Opcode opcode = Opcode::kBinary) {
  return FrameRef(Frame::Make(opcode, std::string(wire_bytes - 2, 'x')));
}

TEST(OutboxTest, SaysWhenAWriteMustBeAskedFor) {
  Outbox outbox;
  EXPECT_EQ(outbox.Add(OfSize(10), kUnbounded), Outbox::Push::kFirst);
  EXPECT_EQ(outbox.Add(OfSize(10), kUnbounded), Outbox::Push::kQueued);
  outbox.Consume(20);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.Add(OfSize(10), kUnbounded), Outbox::Push::kFirst);
}

TEST(OutboxTest, IsFullExactlyAtItsBound) {
  Outbox outbox;
  const size_t bound = 100 + 2 * kFrameOverheadBytes;
  EXPECT_EQ(outbox.Add(OfSize(60), bound), Outbox::Push::kFirst);
  EXPECT_EQ(outbox.Add(OfSize(41), bound), Outbox::Push::kFull);
  EXPECT_EQ(outbox.Add(OfSize(40), bound), Outbox::Push::kQueued);
  EXPECT_EQ(outbox.bytes(), 100u);
  outbox.Consume(60);
  EXPECT_EQ(outbox.Add(OfSize(61), bound), Outbox::Push::kFull);
  EXPECT_EQ(outbox.Add(OfSize(60), bound), Outbox::Push::kQueued);
}

TEST(OutboxTest, CountsWhatTinyFramesWeigh) {
  Outbox outbox;
  const size_t bound = 10 * kFrameOverheadBytes;
  size_t taken = 0;
  while (outbox.Add(OfSize(2), bound) != Outbox::Push::kFull) ++taken;
  EXPECT_EQ(taken, 9u);
}

TEST(OutboxTest, RefusesAFrameLargerThanItsBound) {
  Outbox outbox;
  const size_t bound = 100 + kFrameOverheadBytes;
  EXPECT_EQ(outbox.Add(OfSize(101), bound), Outbox::Push::kFull);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0u);
}

TEST(OutboxTest, IsFullWhenTheBoundHasShrunkBelowWhatWaits) {
  Outbox outbox;
  EXPECT_EQ(outbox.Add(OfSize(60), kUnbounded), Outbox::Push::kFirst);
  EXPECT_EQ(outbox.Add(OfSize(2), 10), Outbox::Push::kFull);
}

TEST(OutboxTest, RemembersHowMuchOfTheFirstFrameIsGone) {
  Outbox outbox;
  (void)outbox.Add(OfSize(10), kUnbounded);
  (void)outbox.Add(OfSize(20), kUnbounded);
  outbox.Consume(13);
  ASSERT_EQ(outbox.frames().size(), 1u);
  EXPECT_EQ(outbox.sent(), 3u);
  EXPECT_EQ(outbox.bytes(), 17u);
}

TEST(OutboxTest, LetsGoOfEachFrameOnceItIsSent) {
  const FramePtr frame = Frame::Make(Opcode::kText, "x");
  Outbox outbox;
  (void)outbox.Add(FrameRef(frame), kUnbounded);
  (void)outbox.Add(OfSize(10), kUnbounded);
  EXPECT_EQ(frame.use_count(), 2);
  outbox.Consume(frame->wire().size());
  EXPECT_EQ(frame.use_count(), 1);
}

TEST(OutboxTest, DropsOnlyWhatNoOctetWasSentOf) {
  Outbox outbox;
  for (int i = 0; i < 3; ++i) (void)outbox.Add(OfSize(10), kUnbounded);
  outbox.Consume(4);
  EXPECT_EQ(outbox.DropUnsent(), 2u);
  EXPECT_EQ(outbox.bytes(), 6u);
  outbox.Consume(6);
  EXPECT_TRUE(outbox.empty());
}

TEST(OutboxTest, DropsEverythingBetweenTwoFrames) {
  Outbox outbox;
  for (int i = 0; i < 3; ++i) (void)outbox.Add(OfSize(10), kUnbounded);
  outbox.Consume(10);
  EXPECT_EQ(outbox.DropUnsent(), 2u);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0u);
  EXPECT_EQ(outbox.Add(OfSize(10), kUnbounded), Outbox::Push::kFirst);
  EXPECT_EQ(outbox.frames().size(), 1u);
}

TEST(OutboxTest, CountsMessagesButNoControlFrames) {
  Outbox outbox;
  (void)outbox.Add(OfSize(10, Opcode::kText), kUnbounded);
  (void)outbox.Add(OfSize(10, Opcode::kPong), kUnbounded);
  (void)outbox.Add(OfSize(10, Opcode::kBinary), kUnbounded);
  (void)outbox.Add(OfSize(10, Opcode::kClose), kUnbounded);
  EXPECT_EQ(outbox.messages(), 2u);
  EXPECT_EQ(outbox.DropUnsent(), 2u);
}

TEST(OutboxTest, SendsTheOctetsThatWereAddedInWhateverPieces) {
  std::mt19937 random(7);
  Outbox outbox;
  std::string added;
  std::string sent;
  for (int step = 0; step < 5000; ++step) {
    if (random() % 2 == 0) {
      const auto frame = Frame::Make(Opcode::kText, std::string(random() % 50, 'a' + step % 26));
      (void)outbox.Add(FrameRef(frame), kUnbounded);
      added += frame->wire();
    } else if (!outbox.empty()) {
      const size_t octets = random() % outbox.bytes() + 1;
      std::string waiting;
      for (const FrameRef& frame : outbox.frames()) waiting += frame->wire();
      sent += waiting.substr(outbox.sent(), octets);
      outbox.Consume(octets);
    }
    ASSERT_EQ(outbox.bytes(), added.size() - sent.size());
    ASSERT_EQ(outbox.empty(), outbox.bytes() == 0);
  }
  EXPECT_TRUE(added.starts_with(sent));
}

}  // namespace
}  // namespace wsrouter
