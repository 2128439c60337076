#include "core/interest.h"

#include "engine/memory_broker.h"
#include "gmock/gmock.h"
#include "tests/support/fakes.h"

namespace wsrouter {
namespace {

class InterestTest : public testing::Test {
 protected:
  Interest::Live Into(std::vector<absl::Status>& answers) {
    return [&answers](absl::Status status) { answers.push_back(std::move(status)); };
  }
  // How many subscribers an envelope to the room reaches.
  uint32_t Reached() {
    uint32_t nodes = 0;
    broker_.Publish({.to = room_, .action = Release{}},
                    [&nodes](Receipt receipt) { nodes = receipt.nodes; });
    return nodes;
  }

  MemoryBroker memory_{{.server_id = "n", .incarnation = 1}};
  HesitantBroker broker_{memory_};
  struct Refuser : Subscriber {
    void Take(std::shared_ptr<const Envelope>, ReceiptPart) override {}
  } shard_;
  ManualTasks tasks_;
  Interest interest_{broker_, shard_, tasks_.Post()};
  const Topic room_ = RoomName{"lobby"};
};

TEST_F(InterestTest, SubscribesWithTheFirstHoldAndUnsubscribesWithTheLastRelease) {
  interest_.Hold(room_);
  interest_.Hold(room_);
  tasks_.RunAll();
  EXPECT_EQ(broker_.subscribes, 1);
  interest_.Release(room_);
  EXPECT_EQ(Reached(), 1u);
  interest_.Release(room_);
  EXPECT_EQ(Reached(), 0u);
  EXPECT_EQ(interest_.size(), 0u);
}

TEST_F(InterestTest, LetsEveryoneWaitUntilTheSubscriptionIsLive) {
  std::vector<absl::Status> answers;
  broker_.keeps_back = true;
  interest_.Hold(room_);
  interest_.Await(room_, Into(answers));
  interest_.Await(room_, Into(answers));
  tasks_.RunAll();
  EXPECT_TRUE(answers.empty());
  broker_.LetThrough();
  tasks_.RunAll();
  EXPECT_THAT(answers, testing::ElementsAre(absl::OkStatus(), absl::OkStatus()));
  interest_.Await(room_, Into(answers));
  EXPECT_EQ(answers.size(), 3u);
}

TEST_F(InterestTest, TellsARefusalAndAsksAgain) {
  std::vector<absl::Status> answers;
  broker_.refuses = true;
  interest_.Hold(room_);
  interest_.Await(room_, Into(answers));
  tasks_.RunAll();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].code(), absl::StatusCode::kUnavailable);
  broker_.refuses = false;
  interest_.Await(room_, Into(answers));
  tasks_.RunAll();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[1].ok());
  EXPECT_EQ(Reached(), 1u);
}

TEST_F(InterestTest, CancelsWhoWaitsWhenNobodyHoldsTheTopicAnyMore) {
  std::vector<absl::Status> answers;
  broker_.keeps_back = true;
  interest_.Hold(room_);
  interest_.Await(room_, Into(answers));
  interest_.Release(room_);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].code(), absl::StatusCode::kCancelled);
}

TEST_F(InterestTest, TakesNoAnswerToASubscriptionItHasForgotten) {
  std::vector<absl::Status> answers;
  interest_.Hold(room_);  // its answer waits in the tasks
  interest_.Release(room_);
  broker_.keeps_back = true;
  interest_.Hold(room_);
  interest_.Await(room_, Into(answers));
  tasks_.RunAll();
  EXPECT_TRUE(answers.empty());
  broker_.LetThrough();
  tasks_.RunAll();
  EXPECT_EQ(answers.size(), 1u);
}

TEST_F(InterestTest, SurvivesAWaiterThatReleasesInsideItsAnswer) {
  broker_.refuses = true;
  int released = 0;
  for (int i = 0; i < 2; ++i) {
    interest_.Hold(room_);
    interest_.Await(room_, [&](absl::Status) {
      interest_.Release(room_);
      ++released;
    });
  }
  tasks_.RunAll();
  EXPECT_EQ(released, 2);
  EXPECT_EQ(interest_.size(), 0u);
}

}  // namespace
}  // namespace wsrouter
