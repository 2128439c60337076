#include "gateway/write_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace wsrouter {
namespace {

// What one small write costs, and how many a turn has room for.
constexpr size_t kSmall = 100;
constexpr size_t kPerTurn = (WriteQueue::kTurnCost + WriteQueue::kWriteCost + kSmall - 1) /
                            (WriteQueue::kWriteCost + kSmall);

class WriteQueueTest : public testing::Test {
 protected:
  std::vector<Session*> Make(size_t count) {
    std::vector<Session*> made;
    for (size_t i = 0; i < count; ++i) {
      sessions_.push_back(std::make_unique<Session>(1024));
      made.push_back(sessions_.back().get());
    }
    return made;
  }
  void Add(const std::vector<Session*>& sessions) {
    for (Session* session : sessions) queue_.Add(*session);
  }
  // Who has written when the turn has ended.
  std::vector<Session*> Turn(size_t octets = kSmall) {
    std::vector<Session*> written;
    while (Session* session = queue_.Next()) {
      EXPECT_EQ(session->write_place, Session::kNowhere);
      written.push_back(session);
      queue_.Charge(octets);
    }
    more_ = queue_.EndTurn();
    return written;
  }

  WriteQueue queue_;
  bool more_ = false;
  std::vector<std::unique_ptr<Session>> sessions_;
};

TEST_F(WriteQueueTest, EachComesOnceInTheOrderInWhichTheyCame) {
  const std::vector<Session*> sessions = Make(10);
  Add(sessions);
  Add(sessions);
  EXPECT_EQ(Turn(), sessions);
  EXPECT_FALSE(more_);
  EXPECT_TRUE(Turn().empty());
}

TEST_F(WriteQueueTest, ATurnWritesSoMuchAndTheRestFollowsInOrder) {
  const std::vector<Session*> sessions = Make(2 * kPerTurn + 1);
  Add(sessions);
  std::vector<Session*> all;
  for (const size_t expected : {kPerTurn, kPerTurn, size_t{1}}) {
    EXPECT_EQ(more_, !all.empty());
    const std::vector<Session*> written = Turn();
    EXPECT_EQ(written.size(), expected);
    all.insert(all.end(), written.begin(), written.end());
  }
  EXPECT_FALSE(more_);
  EXPECT_EQ(all, sessions);
}

TEST_F(WriteQueueTest, LargePiecesCostMoreOfTheTurn) {
  Add(Make(100));
  constexpr size_t kLarge = 64 * 1024;
  EXPECT_LE(Turn(kLarge).size(), WriteQueue::kTurnCost / kLarge + 1);
  EXPECT_TRUE(more_);
}

TEST_F(WriteQueueTest, WhoComesInATurnIsBeforeAllWhoAreLeft) {
  Add(Make(10'000));
  Turn();
  const std::vector<Session*> few = Make(20);
  Add(few);
  const std::vector<Session*> written = Turn();
  ASSERT_GE(written.size(), few.size());
  EXPECT_TRUE(std::equal(few.begin(), few.end(), written.begin()));
  EXPECT_EQ(written.size(), kPerTurn);  // those who are left have the rest
}

TEST_F(WriteQueueTest, WhoIsLeftHasHalfOfEachTurnHoweverManyCome) {
  const std::vector<Session*> first = Make(3 * kPerTurn);
  Add(first);
  Turn();
  for (int turn = 0; turn < 5; ++turn) {
    const std::vector<Session*> fresh = Make(5 * kPerTurn);
    const absl::flat_hash_set<Session*> came(fresh.begin(), fresh.end());
    Add(fresh);
    const auto left =
        std::ranges::count_if(Turn(), [&](Session* session) { return !came.contains(session); });
    EXPECT_GE(left, static_cast<ptrdiff_t>(kPerTurn / 2 - 1));
  }
  for (const Session* session : first) EXPECT_EQ(session->write_place, Session::kNowhere);
}

TEST_F(WriteQueueTest, WhoHasHadAPieceIsBehindWhoHasHadNone) {
  const std::vector<Session*> sessions = Make(2);
  Add(sessions);
  ASSERT_EQ(queue_.Next(), sessions[0]);
  queue_.AddBehind(*sessions[0]);
  queue_.Add(*sessions[0]);  // is in it already
  ASSERT_EQ(queue_.Next(), sessions[1]);
  EXPECT_EQ(queue_.Next(), sessions[0]);
  EXPECT_EQ(queue_.Next(), nullptr);
}

TEST_F(WriteQueueTest, WhoHasEndedDoesNotComeFromWhereverItWas) {
  const std::vector<Session*> sessions = Make(2 * kPerTurn);
  Add(sessions);
  queue_.Remove(*sessions[0]);
  EXPECT_EQ(Turn().front(), sessions[1]);
  Session* left = sessions[kPerTurn + 5];
  ASSERT_NE(left->write_place, Session::kNowhere);
  queue_.Remove(*left);
  EXPECT_EQ(left->write_place, Session::kNowhere);
  queue_.Remove(*left);
  for (const Session* session : Turn()) EXPECT_NE(session, left);
  EXPECT_FALSE(more_);
  queue_.Add(*left);
  EXPECT_EQ(Turn(), std::vector<Session*>{left});
}

TEST_F(WriteQueueTest, ItIsKnownWhenAllWhoWereLeftHaveWritten) {
  Add(Make(2 * kPerTurn));
  Turn();
  const uint64_t all = queue_.lefts();
  EXPECT_LT(queue_.lefts_served(), all);
  Add(Make(1));
  Turn();
  EXPECT_LT(queue_.lefts_served(), all);
  Turn();
  EXPECT_EQ(queue_.lefts_served(), all);
}

}  // namespace
}  // namespace wsrouter
