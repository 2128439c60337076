// Events.Consume and the calls about groups, as a service sees them.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/control_node.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

using testing::SizeIs;

// One consumer: a stream with what it got.
class Consumer {
 public:
  Consumer(ControlNode& node, const std::string& open) : stream_(node.events->Consume(&context_)) {
    Say(fmt::format(R"({{"open":{}}})", open));
  }
  ~Consumer() {
    context_.TryCancel();
    End();
  }

  void Say(const std::string& json) { stream_->Write(FromJson<v1::ConsumeRequest>(json)); }
  // The next delivery; what is said of the consumer meanwhile is in `status`.
  v1::LogDelivery Next() {
    v1::ConsumeResponse response;
    while (stream_->Read(&response)) {
      if (response.has_delivery()) return response.delivery();
      status = response.status();
    }
    ADD_FAILURE() << "the stream has ended: " << End().error_message();
    return {};
  }
  void AwaitStatus() {
    v1::ConsumeResponse response;
    ASSERT_TRUE(stream_->Read(&response));
    ASSERT_TRUE(response.has_status());
    status = response.status();
  }
  // Reads to the end, which comes by itself.
  grpc::Status End() {
    v1::ConsumeResponse response;
    while (stream_->Read(&response)) {
    }
    if (!ended_.has_value()) ended_ = stream_->Finish();
    return *ended_;
  }
  void Done(const v1::LogDelivery& delivery, int credits = 1) {
    Say(fmt::format(R"({{"settle":{{"done":["{}"],"credits":{}}}}})", delivery.receipt(), credits));
  }

  v1::ConsumerStatus status;

 private:
  std::optional<grpc::Status> ended_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ConsumeRequest, v1::ConsumeResponse>> stream_;
};

class ControlConsumeTest : public testing::Test {
 protected:
  using Stub = v1::Events::Stub;
  v1::ConsumerGroup Group(const std::string& name) {
    const auto called = node_.Call(*node_.events, &Stub::ConsumerGroups, "{}");
    EXPECT_TRUE(called.ok()) << called.message;
    for (const auto& group : called.response.groups()) {
      if (group.group() == name) return group;
    }
    return {};
  }
  // What a stream ends with that begins with these requests.
  std::string Refused(const std::string& open, const std::string& then = "") {
    Consumer consumer(node_, open);
    if (!then.empty()) consumer.Say(then);
    const grpc::Status status = consumer.End();
    std::string reason, field;
    ReadErrorInfo(status, reason, field);
    return fmt::format("{} {}", reason, field);
  }

  ControlNode node_;
};

class ControlMessagesTest : public testing::Test {
 protected:
  ControlNode node_{
      {}, {}, 65536, nullptr, *Namespaces::Parse({"orders: history_size=10 log_messages=on"}, {})};
};

TEST_F(ControlConsumeTest, EntriesComeAsTheyHappenAndAsFarAsThereAreCredits) {
  Consumer consumer(node_, R"({"group":"audit","consumer":"a","credits":2})");
  consumer.AwaitStatus();
  EXPECT_EQ(consumer.status.partitions(), 9u);
  const ConnectionId alice = node_.Online("alice", R"("lobby")");
  const auto first = consumer.Next();
  const auto second = consumer.Next();
  EXPECT_TRUE(Eventually([&] { return Group("audit").lag() == 1; }));
  EXPECT_EQ(Group("audit").pending(), 2u);
  consumer.Done(first);
  const auto third = consumer.Next();
  std::vector<int> kinds = {first.entry().kind(), second.entry().kind(), third.entry().kind()};
  EXPECT_THAT(kinds, testing::UnorderedElementsAre(v1::LOG_KIND_CONNECTED, v1::LOG_KIND_JOINED,
                                                   v1::LOG_KIND_ROOM_OCCUPIED));
  EXPECT_EQ(first.deliveries(), 1u);
  EXPECT_EQ(third.entry().connection_id(), alice.ToString());
  EXPECT_EQ(third.entry().client_id(), "alice");
  EXPECT_EQ(third.entry().server_id(), "node-1");
  EXPECT_GT(third.entry().at().seconds(), 0);
  EXPECT_TRUE(Eventually([&] { return Group("audit").pending() == 2; }));
}

TEST_F(ControlConsumeTest, OnlyTheKindsThatWereAskedForCome) {
  Consumer consumer(node_, R"({"group":"audit","kinds":["LOG_KIND_DISCONNECTED"],"credits":1})");
  consumer.AwaitStatus();
  node_.shard.Hang(node_.Online("alice", R"("lobby")"));
  const auto end = consumer.Next();
  EXPECT_EQ(end.entry().kind(), v1::LOG_KIND_DISCONNECTED);
  EXPECT_EQ(end.entry().cause(), v1::DISCONNECT_CAUSE_CONNECTION_LOST);
  EXPECT_EQ(end.entry().code(), 1006u);
  consumer.Done(end);
  EXPECT_TRUE(Eventually([&] { return Group("audit").lag() + Group("audit").pending() == 0; }));
}

TEST_F(ControlMessagesTest, MessagesComeWithTheirPayloadsAsLongAsTheirRoomHasThem) {
  for (const char* text : {"one", "two", "three"}) {
    const auto pushed = node_.Call(
        &v1::Router::Stub::Push,
        fmt::format(R"({{"room":"orders:1","payload":{{"text":"{}"}},"from_client_id":"alice",)"
                    R"("reliable":true}})",
                    text));
    ASSERT_TRUE(pushed.ok()) << pushed.message;
  }
  const auto trimmed =
      node_.Call(&v1::Router::Stub::TrimHistory, R"({"room":"orders:1","keep":"2"})");
  ASSERT_TRUE(trimmed.ok()) << trimmed.message;
  node_.Online("bob");
  Consumer consumer(
      node_,
      R"({"group":"audit","kinds":["LOG_KIND_ROOM_MESSAGE"],"credits":10,"from_start":true})");
  for (const char* text : {"", "two", "three"}) {
    const auto had = consumer.Next();
    EXPECT_EQ(had.entry().kind(), v1::LOG_KIND_ROOM_MESSAGE);
    EXPECT_EQ(had.entry().client_id(), "alice");
    EXPECT_EQ(had.entry().connection_id(), "");
    EXPECT_EQ(had.entry().payload().text(), text);
    consumer.Done(had);
  }
  Consumer other(node_, R"({"group":"other","credits":10,"from_start":true})");
  EXPECT_EQ(other.Next().entry().kind(), v1::LOG_KIND_CONNECTED) << "messages are for who asks";
}

TEST_F(ControlConsumeTest, WhatAConsumerLeavesUnsettledTheOtherGetsAtOnce) {
  node_.Online("alice");
  auto one = std::make_unique<Consumer>(
      node_, R"({"group":"audit","credits":10,"from_start":true,"visibility":"3600s"})");
  const auto had = one->Next();
  Consumer two(node_, R"({"group":"audit","credits":10,"visibility":"3600s"})");
  one = nullptr;
  const auto again = two.Next();
  EXPECT_EQ(again.entry().id(), had.entry().id());
  EXPECT_EQ(again.deliveries(), 2u);
}

TEST_F(ControlConsumeTest, WhatIsGivenBackEndsAsADeadLetterThatCanBeRequeuedAndDropped) {
  node_.Online("alice");
  Consumer consumer(node_, R"({"group":"audit","credits":10,"from_start":true})");
  std::string id;
  for (uint32_t i = 1; i <= 3; ++i) {  // as often as the node hands out
    const auto had = consumer.Next();
    EXPECT_EQ(had.deliveries(), i);
    id = had.entry().id();
    consumer.Say(
        fmt::format(R"({{"settle":{{"again":[{{"receipt":"{}"}}],"credits":1}}}})", had.receipt()));
  }
  EXPECT_TRUE(Eventually([&] { return Group("audit").dead_letters() == 1; }));
  const auto list = [&] {
    return node_.Call(*node_.events, &Stub::DeadLetters, R"({"group":"audit"})").response;
  };
  ASSERT_THAT(list().letters(), SizeIs(1));
  EXPECT_EQ(list().letters(0).entry().id(), id);
  EXPECT_EQ(list().letters(0).deliveries(), 3u);
  const std::string which =
      fmt::format(R"({{"group":"audit","ids":["{}"]}})", list().letters(0).id());
  EXPECT_EQ(node_.Call(*node_.events, &Stub::RequeueDeadLetters, which).response.requeued(), 1u);
  EXPECT_EQ(node_.Call(*node_.events, &Stub::DropDeadLetters, which).response.dropped(), 0u);
  const auto again = consumer.Next();
  EXPECT_EQ(again.entry().id(), id);
  EXPECT_EQ(again.deliveries(), 1u);
  consumer.Done(again);
  EXPECT_TRUE(Eventually([&] { return Group("audit").pending() == 0; }));
  EXPECT_GE(node_.counters.Get(Counter::kLogHandedOut), 4u);
  EXPECT_EQ(node_.counters.Get(Counter::kLogHandedOutAgain), 2u);
  EXPECT_EQ(node_.counters.Get(Counter::kLogDead), 1u);
  EXPECT_TRUE(
      node_.Call(*node_.events, &Stub::DeleteGroup, R"({"group":"audit"})").response.deleted());
}

TEST_F(ControlConsumeTest, WhoGivesNoCreditsForTooLongLeavesItsShareToOthers) {
  node_.Online("alice");
  Consumer stuck(node_, R"({"group":"audit","credits":1,"from_start":true,"visibility":"1s"})");
  const auto had = stuck.Next();
  Consumer other(node_, R"({"group":"audit","credits":10})");
  EXPECT_EQ(other.Next().entry().id(), had.entry().id());
}

TEST_F(ControlConsumeTest, RequestsThatAreNotInOrderAreRefusedAndNamed) {
  const std::string good = R"({"group":"g","credits":1})";
  EXPECT_EQ(Refused("{}"), "FIELD_MISSING open.group");
  EXPECT_EQ(Refused(R"({"group":"a\nb"})"), "FIELD_INVALID open.group");
  EXPECT_EQ(Refused(R"({"group":"g","kinds":[77]})"), "FIELD_INVALID open.kinds[0]");
  EXPECT_EQ(Refused(R"({"group":"g","visibility":"0.5s"})"), "FIELD_OUT_OF_RANGE open.visibility");
  EXPECT_EQ(Refused(good, R"({"open":{"group":"g"}})"), "FIELD_INVALID open");
  EXPECT_EQ(Refused(good, "{}"), "FIELD_MISSING settle");
  EXPECT_EQ(Refused(good, R"({"settle":{"done":[""]}})"), "FIELD_MISSING settle.done[0]");
  EXPECT_EQ(Refused(good, R"({"settle":{"again":[{}]}})"), "FIELD_MISSING settle.again[0].receipt");
}

TEST_F(ControlConsumeTest, ReceiptsThatMeanNothingDoNotMatter) {
  Consumer consumer(node_, R"({"group":"g","credits":1})");
  consumer.Say(
      R"({"settle":{"done":["x","1:2:3","99:1",":",":1-1"],"again":[{"receipt":"0:9"}]}})");
  consumer.AwaitStatus();
  node_.Online("alice");
  EXPECT_EQ(consumer.Next().entry().client_id(), "alice");
}

TEST_F(ControlConsumeTest, StreamsEndWithTheNode) {
  Consumer consumer(node_, R"({"group":"g","credits":1})");
  consumer.AwaitStatus();
  node_.server->Shutdown(absl::Seconds(5));
  const grpc::Status status = consumer.End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace wsrouter
