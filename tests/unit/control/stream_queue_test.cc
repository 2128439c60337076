#include "control/stream_queue.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

using Queue = StreamQueue<std::string>;

// What the reader is told, as text: "2:b" for an item, "3:lost 1" for a loss.
std::vector<std::string> TakeAll(Queue& queue) {
  std::vector<std::string> told;
  while (auto taken = queue.Take()) {
    const std::string what = taken->lost > 0 ? "lost " + std::to_string(taken->lost) : *taken->item;
    told.push_back(std::to_string(taken->sequence) + ":" + what);
  }
  return told;
}

TEST(StreamQueueTest, OnlyTheItemThatEndsSilenceWakes) {
  Queue queue({.items_max = 8, .bytes_max = 100});

  EXPECT_EQ(queue.Put("a", 1), Queue::Add::kFirst);
  EXPECT_EQ(queue.Put("b", 1), Queue::Add::kQueued);
  EXPECT_THAT(TakeAll(queue), testing::ElementsAre("1:a", "2:b"));
  EXPECT_EQ(queue.Put("c", 1), Queue::Add::kFirst);
}

TEST(StreamQueueTest, LossIsToldWhereItHappened) {
  Queue queue({.items_max = 2, .bytes_max = 100});
  for (const char* item : {"a", "b", "c", "d"}) (void)queue.Put(item, 1);
  ASSERT_EQ(*queue.Take()->item, "a");
  EXPECT_EQ(queue.Put("e", 1), Queue::Add::kQueued);

  EXPECT_THAT(TakeAll(queue), testing::ElementsAre("2:b", "4:lost 2", "5:e"));
}

TEST(StreamQueueTest, LossAtTheEndIsToldWithoutAFurtherItem) {
  Queue queue({.items_max = 1, .bytes_max = 100});
  (void)queue.Put("a", 1);

  EXPECT_EQ(queue.Put("b", 1), Queue::Add::kLost);

  EXPECT_THAT(TakeAll(queue), testing::ElementsAre("1:a", "2:lost 1"));
}

TEST(StreamQueueTest, OctetsAreBounded) {
  Queue queue({.items_max = 8, .bytes_max = 10});
  (void)queue.Put("a", 6);

  EXPECT_EQ(queue.Put("b", 5), Queue::Add::kLost);
  EXPECT_EQ(queue.Put("c", 4), Queue::Add::kQueued);
}

TEST(StreamQueueTest, AnItemLargerThanTheBoundPassesAlone) {
  Queue queue({.items_max = 8, .bytes_max = 10});

  EXPECT_EQ(queue.Put("large", 50), Queue::Add::kFirst);
  EXPECT_EQ(queue.Put("b", 1), Queue::Add::kLost);
  EXPECT_THAT(TakeAll(queue), testing::ElementsAre("1:large", "2:lost 1"));
  EXPECT_EQ(queue.Put("c", 1), Queue::Add::kFirst);
}

TEST(StreamQueueTest, PutAlwaysNeverLoses) {
  Queue queue({.items_max = 1, .bytes_max = 10});
  (void)queue.Put("a", 10);
  (void)queue.Put("b", 1);

  EXPECT_EQ(queue.PutAlways("ready"), Queue::Add::kQueued);

  EXPECT_THAT(TakeAll(queue), testing::ElementsAre("1:a", "2:lost 1", "3:ready"));
}

TEST(StreamQueueTest, PutAlwaysTakesNoRoomFromOthers) {
  Queue queue({.items_max = 1, .bytes_max = 10});
  for (int i = 0; i < 3; ++i) (void)queue.PutAlways("pending");

  EXPECT_EQ(queue.Put("a", 10), Queue::Add::kQueued);
  EXPECT_EQ(queue.Put("b", 1), Queue::Add::kLost);
  (void)TakeAll(queue);
  EXPECT_EQ(queue.Put("c", 10), Queue::Add::kFirst);
}

}  // namespace
}  // namespace wsrouter
