// What rooms keep, through a real gRPC server.
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/control_node.h"

namespace wsrouter {
namespace {

using Router = v1::Router::Stub;
using grpc::StatusCode;
using testing::ElementsAre;

class ControlHistoryTest : public testing::Test {
 protected:
  auto Push(const std::string& rest) {
    return node_.Call(&Router::Push, fmt::format("{{{}}}", rest));
  }
  auto History(const std::string& rest) {
    return node_.Call(&Router::History, fmt::format("{{{}}}", rest));
  }
  auto Trim(const std::string& rest) {
    return node_.Call(&Router::TrimHistory, fmt::format("{{{}}}", rest));
  }

  ControlNode node_{
      {}, {}, 65536, nullptr, *Namespaces::Parse({"h: history_size=3 history_ttl=1h"}, {})};
};

TEST_F(ControlHistoryTest, AReliablePushIsSentKeptAndReadAgain) {
  const ConnectionId alice = node_.Online("alice", R"("h:a")");
  const auto pushed =
      Push(R"("room":"h:a","payload":{"text":"hi"},"from_client_id":"bob","reliable":true)");
  ASSERT_TRUE(pushed.ok()) << pushed.message;
  const v1::RoomOutcome& row = pushed.response.rooms(0);
  EXPECT_EQ(row.offset(), 1u);
  EXPECT_NE(row.epoch(), "");
  EXPECT_EQ(row.outcome().queued(), 1u);
  EXPECT_THAT(node_.shard.Got(alice), ElementsAre("hi"));
  EXPECT_TRUE(Push(R"("room":"h:a","payload":{"binary":"AP8="},"reliable":true)").ok());

  const auto page = History(R"("room":"h:a")");
  ASSERT_TRUE(page.ok()) << page.message;
  ASSERT_EQ(page.response.entries_size(), 2);
  EXPECT_EQ(page.response.entries(0).payload().text(), "hi");
  EXPECT_EQ(page.response.entries(0).from_client_id(), "bob");
  EXPECT_GT(page.response.entries(0).sent_at().seconds(), 1'700'000'000);
  EXPECT_EQ(page.response.entries(1).offset(), 2u);
  EXPECT_EQ(page.response.entries(1).payload().binary(), std::string("\0\xFF", 2));
  EXPECT_EQ(page.response.epoch(), row.epoch());
  EXPECT_EQ(page.response.top_offset(), 2u);
  EXPECT_TRUE(page.response.recovered());
  EXPECT_FALSE(page.response.more());
}

TEST_F(ControlHistoryTest, PagesGoOnSinceTheLastEntryAndTrimRemoves) {
  for (int i = 1; i <= 5; ++i) {
    Push(fmt::format(R"("room":"h:a","payload":{{"text":"{}"}},"reliable":true)", i));
  }
  const auto first = History(R"("room":"h:a","limit":2,"since":{"offset":"2"})");
  ASSERT_EQ(first.response.entries_size(), 2);
  EXPECT_TRUE(first.response.recovered());
  EXPECT_TRUE(first.response.more());
  EXPECT_FALSE(History(R"("room":"h:a","since":{"offset":"1"})").response.recovered());
  EXPECT_FALSE(History(R"("room":"h:a","since":{"offset":"5","epoch":"x"})").response.recovered());
  const auto newest = History(R"("room":"h:a","limit":1,"reverse":true)");
  ASSERT_EQ(newest.response.entries_size(), 1);
  EXPECT_EQ(newest.response.entries(0).payload().text(), "5");
  const auto trimmed = Trim(R"("room":"h:a","up_to_offset":"3")");
  EXPECT_EQ(trimmed.response.removed(), 1u);
  EXPECT_EQ(trimmed.response.top_offset(), 5u);
  EXPECT_EQ(Trim(R"("room":"h:a","keep":"0")").response.removed(), 2u);
  EXPECT_EQ(History(R"("room":"h:a")").response.entries_size(), 0);
}

TEST_F(ControlHistoryTest, DuplicatesAndStaleVersionsAreToldAndNotSent) {
  const ConnectionId alice = node_.Online("alice", R"("h:a")");
  const std::string once =
      R"("room":"h:a","payload":{"text":"x"},"reliable":true,"idempotency_key":"k","version":"5")";
  EXPECT_FALSE(Push(once).response.rooms(0).duplicate());
  const auto again = Push(once);
  EXPECT_TRUE(again.response.rooms(0).duplicate());
  EXPECT_EQ(again.response.rooms(0).offset(), 1u);
  EXPECT_EQ(again.response.rooms(0).outcome().matched(), 0u);
  const auto stale = Push(R"("room":"h:a","payload":{"text":"y"},"version":"5")");
  EXPECT_TRUE(stale.response.rooms(0).stale());
  EXPECT_THAT(node_.shard.Got(alice), ElementsAre("x"));
  EXPECT_EQ(node_.stats.Total(Counter::kPushesKept), 1u);
  EXPECT_EQ(node_.stats.Total(Counter::kPushesDuplicate), 1u);
  EXPECT_EQ(node_.stats.Total(Counter::kPushesStale), 1u);
}

TEST_F(ControlHistoryTest, ARoomThatKeepsNothingSaysSo) {
  const auto refused = Push(R"("room":"a","payload":{"text":"x"},"reliable":true)");
  EXPECT_EQ(refused.code, StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refused.reason, "HISTORY_OFF");
  EXPECT_EQ(History(R"("room":"a")").reason, "HISTORY_OFF");
  EXPECT_EQ(Trim(R"("room":"a","keep":"1")").reason, "HISTORY_OFF");
  const auto both = Push(R"("rooms":["a","h:a"],"payload":{"text":"x"},"reliable":true)");
  ASSERT_TRUE(both.ok()) << both.message;
  EXPECT_EQ(both.response.rooms(0).reason(), "HISTORY_OFF");
  EXPECT_EQ(both.response.rooms(1).offset(), 1u);
}

TEST_F(ControlHistoryTest, BadRequestsAreRefusedByTheirField) {
  EXPECT_EQ(Push(R"("room":"h:a","payload":{"text":"x"},"version_epoch":"e")").field, "version");
  EXPECT_EQ(Push(fmt::format(R"("room":"h:a","payload":{{"text":"x"}},"idempotency_key":"{}")",
                             std::string(256, 'k')))
                .field,
            "idempotency_key");
  EXPECT_EQ(Trim(R"("room":"h:a")").field, "target");
}

}  // namespace
}  // namespace wsrouter
