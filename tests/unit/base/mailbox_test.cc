#include "base/mailbox.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;

TEST(MailboxTest, GivesMessagesInTheOrderTheyCame) {
  Mailbox<int> mailbox(10, [] {});
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(mailbox.Post(std::move(i)));
  std::vector<int> batch;
  mailbox.Take(batch);
  EXPECT_THAT(batch, ElementsAre(1, 2, 3));
  EXPECT_EQ(mailbox.size(), 0u);
}

TEST(MailboxTest, WakesOnlyForTheMessageThatEndsAnEmptyMailbox) {
  int wakes = 0;
  Mailbox<int> mailbox(10, [&wakes] { ++wakes; });
  EXPECT_TRUE(mailbox.Post(1));
  EXPECT_TRUE(mailbox.Post(2));
  mailbox.PostAnswer(3);
  EXPECT_EQ(wakes, 1);
  std::vector<int> batch;
  mailbox.Take(batch);
  mailbox.PostAnswer(4);
  EXPECT_TRUE(mailbox.Post(5));
  EXPECT_EQ(wakes, 2);
}

TEST(MailboxTest, ClosedItDropsWhatWaitsAndWhatComesAndWakesNobody) {
  int wakes = 0;
  Mailbox<std::shared_ptr<int>> mailbox(10, [&wakes] { ++wakes; });
  const auto message = std::make_shared<int>(7);
  EXPECT_TRUE(mailbox.Post(std::shared_ptr<int>(message)));
  mailbox.Close();
  EXPECT_EQ(message.use_count(), 1);
  EXPECT_FALSE(mailbox.Post(std::shared_ptr<int>(message)));
  mailbox.PostAnswer(std::shared_ptr<int>(message));
  EXPECT_EQ(message.use_count(), 1);
  EXPECT_EQ(mailbox.size(), 0u);
  EXPECT_EQ(wakes, 1);
}

TEST(MailboxTest, RefusesBeyondItsCapacityAndLeavesTheMessageAsItWas) {
  int wakes = 0;
  Mailbox<std::unique_ptr<std::string>> mailbox(1, [&wakes] { ++wakes; });
  EXPECT_TRUE(mailbox.Post(std::make_unique<std::string>("first")));
  auto second = std::make_unique<std::string>("second");
  EXPECT_FALSE(mailbox.Post(std::move(second)));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, "second");
  EXPECT_EQ(mailbox.size(), 1u);
  EXPECT_EQ(wakes, 1);
}

TEST(MailboxTest, TakesAnAnswerAlsoWhenFull) {
  Mailbox<int> mailbox(1, [] {});
  EXPECT_TRUE(mailbox.Post(1));
  mailbox.PostAnswer(2);
  int third = 3;
  EXPECT_FALSE(mailbox.Post(std::move(third)));
  std::vector<int> batch;
  mailbox.Take(batch);
  EXPECT_THAT(batch, ElementsAre(1, 2));
  EXPECT_TRUE(mailbox.Post(std::move(third)));
}

TEST(MailboxTest, ReusesTheMemoryOfTheBatch) {
  Mailbox<int> mailbox(100, [] {});
  std::vector<int> batch;
  batch.reserve(64);
  const int* memory = batch.data();
  mailbox.Take(batch);
  EXPECT_TRUE(mailbox.Post(1));
  mailbox.Take(batch);
  EXPECT_EQ(batch.data(), memory);
}

}  // namespace
}  // namespace wsrouter
