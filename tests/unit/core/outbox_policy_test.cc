// What newer frames do to those that wait.
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "core/outbox.h"
#include "gmock/gmock.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kUnbounded = size_t{1} << 30;

FrameRef Must(std::string_view payload) { return FrameRef(Frame::Make(Opcode::kText, payload)); }

FrameRef May(std::string_view payload, std::string key = "") {
  return FrameRef(Frame::Make(Opcode::kText, payload), {.gives_way = true, .key = std::move(key)});
}

std::vector<std::string> Waiting(const Outbox& outbox) {
  std::vector<std::string> payloads;
  for (const FrameRef& frame : outbox.frames()) payloads.emplace_back(frame->payload());
  return payloads;
}

Outbox Of(const std::vector<FrameRef>& frames) {
  Outbox outbox;
  for (const FrameRef& frame : frames) (void)outbox.Add(frame, kUnbounded);
  return outbox;
}

TEST(OutboxPolicyTest, TheOldestThatGivesWayIsDroppedAndTheOthersKeepTheirOrder) {
  Outbox outbox = Of({Must("a"), May("b"), Must("c"), May("d")});
  EXPECT_EQ(outbox.DropOldest()->payload(), "b");
  EXPECT_THAT(Waiting(outbox), ElementsAre("a", "c", "d"));
  EXPECT_EQ(outbox.bytes(), 9u);
  EXPECT_EQ(outbox.DropOldest()->payload(), "d");
  EXPECT_FALSE(outbox.DropOldest());
  EXPECT_THAT(Waiting(outbox), ElementsAre("a", "c"));
}

TEST(OutboxPolicyTest, WhatIsBegunIsNeverDropped) {
  Outbox outbox = Of({May("abc"), May("d")});
  outbox.Consume(2);
  EXPECT_EQ(outbox.DropOldest()->payload(), "d");
  EXPECT_FALSE(outbox.DropOldest());
  EXPECT_EQ(outbox.sent(), 2u);
  EXPECT_THAT(Waiting(outbox), ElementsAre("abc"));
  outbox.Consume(3);
  EXPECT_TRUE(outbox.empty());
}

TEST(OutboxPolicyTest, BehindTooManyThatMustComeNothingIsLookedFor) {
  Outbox outbox;
  for (size_t i = 0; i < Outbox::kLookedAt; ++i) (void)outbox.Add(Must("m"), kUnbounded);
  (void)outbox.Add(May("b"), kUnbounded);
  EXPECT_FALSE(outbox.DropOldest());
  outbox.Consume(3);
  EXPECT_EQ(outbox.DropOldest()->payload(), "b");
}

TEST(OutboxPolicyTest, TheNewestTakesThePlaceOfTheOneWithItsKey) {
  Outbox outbox = Of({May("a1", "a"), May("b1", "b"), May("x")});
  EXPECT_EQ(outbox.Conflate(May("a22", "a"), kUnbounded), 4u);
  EXPECT_THAT(Waiting(outbox), ElementsAre("a22", "b1", "x"));
  EXPECT_EQ(outbox.bytes(), 12u);
  EXPECT_EQ(outbox.Conflate(May("a3", "a"), kUnbounded), 5u);
  EXPECT_EQ(outbox.Conflate(May("c1", "c"), kUnbounded), std::nullopt);
  EXPECT_THAT(Waiting(outbox), ElementsAre("a3", "b1", "x"));
}

TEST(OutboxPolicyTest, WhatIsBegunOrGoneIsNotReplaced) {
  Outbox outbox = Of({May("a1", "a"), May("b1", "b")});
  outbox.Consume(1);
  EXPECT_EQ(outbox.Conflate(May("a2", "a"), kUnbounded), std::nullopt);
  (void)outbox.Add(May("a2", "a"), kUnbounded);
  outbox.Consume(3);
  EXPECT_EQ(outbox.Conflate(May("a3", "a"), kUnbounded), 4u);
  EXPECT_THAT(Waiting(outbox), ElementsAre("b1", "a3"));
  outbox.Consume(8);
  EXPECT_EQ(outbox.Conflate(May("a4", "a"), kUnbounded), std::nullopt);
}

TEST(OutboxPolicyTest, ALargerOneThatDoesNotFitReplacesNothing) {
  Outbox outbox = Of({May("a1", "a")});
  const size_t bound = 5 + kFrameOverheadBytes;
  EXPECT_EQ(outbox.Conflate(May("a234", "a"), bound), std::nullopt);
  EXPECT_EQ(outbox.Conflate(May("a23", "a"), bound), 4u);
}

TEST(OutboxPolicyTest, AFrameIsPutBehindWhatIsBegunAndBeforeAllElse) {
  Outbox outbox = Of({May("abc"), May("d"), May("k", "k")});
  const FrameRef first = Must("gap 1");
  const FrameRef second = Must("gap 2");
  outbox.Consume(1);
  EXPECT_EQ(outbox.PutNext(first, {}), 0u);
  EXPECT_THAT(Waiting(outbox), ElementsAre("abc", "gap 1", "d", "k"));
  EXPECT_EQ(outbox.DropOldest()->payload(), "d");
  EXPECT_TRUE(outbox.IsNext(first));
  EXPECT_EQ(outbox.PutNext(second, first), 7u);
  EXPECT_THAT(Waiting(outbox), ElementsAre("abc", "gap 2", "k"));
  EXPECT_EQ(outbox.Conflate(May("l", "k"), kUnbounded), 3u);
  outbox.Consume(outbox.bytes());
  EXPECT_THAT(Waiting(outbox), IsEmpty());
}

TEST(OutboxPolicyTest, KeysAreForgottenWithWhatIsDroppedUnsent) {
  Outbox outbox = Of({May("abc"), May("k", "k")});
  outbox.Consume(1);
  EXPECT_EQ(outbox.DropUnsent(), 1u);
  EXPECT_EQ(outbox.Conflate(May("l", "k"), kUnbounded), std::nullopt);
}

// Against a list that does the same in the obvious way.
class Model {
 public:
  struct Waits {
    FrameRef frame;
    size_t sent = 0;
  };

  void Add(const FrameRef& frame) { waits_.push_back({frame}); }
  bool Conflate(const FrameRef& frame) {
    for (size_t i = waits_.size(); i-- > 0;) {
      if (waits_[i].frame.standing().key != frame.standing().key) continue;
      if (waits_[i].sent > 0) return false;
      waits_[i].frame = frame;
      return true;
    }
    return false;
  }
  bool DropOldest() {
    for (size_t i = 0; i < waits_.size(); ++i) {
      if (waits_[i].sent > 0 || !waits_[i].frame.standing().gives_way) continue;
      waits_.erase(waits_.begin() + static_cast<ptrdiff_t>(i));
      return true;
    }
    return false;
  }
  void Consume(size_t octets) {
    while (octets > 0) {
      Waits& front = waits_.front();
      const size_t taken = std::min(octets, front.frame->wire().size() - front.sent);
      front.sent += taken;
      octets -= taken;
      if (front.sent == front.frame->wire().size()) waits_.pop_front();
    }
  }
  std::vector<std::string> Waiting() const {
    std::vector<std::string> payloads;
    for (const Waits& one : waits_) payloads.emplace_back(one.frame->payload());
    return payloads;
  }

 private:
  std::deque<Waits> waits_;
};

TEST(OutboxPolicyTest, DoesWhatAListDoes) {
  std::mt19937 random(11);
  Outbox outbox;
  Model model;
  for (int step = 0; step < 20'000; ++step) {
    const std::string payload = std::to_string(step) + std::string(random() % 9, '.');
    const uint32_t kind = random() % 8;
    if (kind == 0) {
      ASSERT_EQ(static_cast<bool>(outbox.DropOldest()), model.DropOldest());
    } else if (kind <= 2 && !outbox.empty()) {
      const size_t octets = random() % std::min<size_t>(outbox.bytes(), 60) + 1;
      outbox.Consume(octets);
      model.Consume(octets);
    } else if (kind <= 5) {
      const FrameRef frame = May(payload, std::string(1, static_cast<char>('a' + random() % 5)));
      const bool conflated = outbox.Conflate(frame, kUnbounded).has_value();
      ASSERT_EQ(conflated, model.Conflate(frame));
      if (conflated) continue;
      (void)outbox.Add(frame, kUnbounded);
      model.Add(frame);
    } else {
      const FrameRef frame = kind == 6 ? May(payload) : Must(payload);
      if (kind == 7 && random() % 4 > 0) continue;  // or they fill what is looked at
      (void)outbox.Add(frame, kUnbounded);
      model.Add(frame);
    }
    ASSERT_EQ(Waiting(outbox), model.Waiting());
  }
}

}  // namespace
}  // namespace wsrouter
