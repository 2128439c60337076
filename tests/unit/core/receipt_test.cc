#include "core/receipt.h"

#include "gmock/gmock.h"

namespace wsrouter {
namespace {

TEST(ReceiptTest, AddsUpItsPartsAndKeepsTheFirstRefusal) {
  Receipt whole = {.nodes = 1, .matched = 2};
  whole.Add({.status = absl::NotFoundError("first"),
             .nodes = 1,
             .matched = 3,
             .queued = 4,
             .dropped_slow_consumer = 5,
             .dropped_mailbox_full = 7,
             .rooms = {{.room = {"a"}}}});
  whole.Add({.status = absl::AbortedError("second"), .queued = 1, .rooms = {{.room = {"b"}}}});
  EXPECT_EQ(std::string(whole.status.message()), "first");
  EXPECT_EQ(whole.nodes, 2u);
  EXPECT_EQ(whole.matched, 5u);
  EXPECT_EQ(whole.queued, 5u);
  EXPECT_EQ(whole.dropped_slow_consumer, 5u);
  EXPECT_EQ(whole.dropped_mailbox_full, 7u);
  ASSERT_EQ(whole.rooms.size(), 2u);
  EXPECT_EQ(whole.rooms[1].room.value, "b");
}

class ReceiptSumTest : public testing::Test {
 protected:
  std::shared_ptr<ReceiptSum> Sum(uint32_t nodes) {
    return std::make_shared<ReceiptSum>(nodes, [this](Receipt receipt) {
      ++times_;
      receipt_ = std::move(receipt);
    });
  }

  int times_ = 0;
  Receipt receipt_;
};

TEST_F(ReceiptSumTest, IsHandedOverWithTheLastPartAndNotBefore) {
  auto sum = Sum(1);
  ReceiptPart first(sum);
  ReceiptPart second(sum);
  sum.reset();
  first.Finish({.matched = 1});
  EXPECT_EQ(times_, 0);
  second.Finish({.matched = 2});
  EXPECT_EQ(times_, 1);
  EXPECT_EQ(receipt_.matched, 3u);
  EXPECT_EQ(receipt_.nodes, 1u);
}

TEST_F(ReceiptSumTest, IsEmptyWhereNobodyTookPart) {
  Sum(0).reset();
  EXPECT_EQ(times_, 1);
  EXPECT_EQ(receipt_.matched, 0u);
  EXPECT_EQ(receipt_.nodes, 0u);
}

TEST_F(ReceiptSumTest, CountsADroppedPartAsAFullMailbox) {
  { ReceiptPart dropped(Sum(1)); }
  EXPECT_EQ(times_, 1);
  EXPECT_EQ(receipt_.dropped_mailbox_full, 1u);
}

TEST_F(ReceiptSumTest, CountsAFinishedOrMovedPartOnce) {
  {
    ReceiptPart part(Sum(1));
    ReceiptPart moved = std::move(part);
    moved.Finish({.queued = 1});
    moved.Finish({.queued = 1});
  }
  EXPECT_EQ(times_, 1);
  EXPECT_EQ(receipt_.queued, 1u);
  EXPECT_EQ(receipt_.dropped_mailbox_full, 0u);
}

TEST_F(ReceiptSumTest, CountsAPartThatIsAssignedOverAsDropped) {
  ReceiptPart part(Sum(1));
  part = ReceiptPart();
  EXPECT_EQ(times_, 1);
  EXPECT_EQ(receipt_.dropped_mailbox_full, 1u);
}

TEST_F(ReceiptSumTest, NeedsNoPartWithASum) {
  ReceiptPart part;
  part.Finish({.queued = 1});
  EXPECT_EQ(times_, 0);
}

}  // namespace
}  // namespace wsrouter
