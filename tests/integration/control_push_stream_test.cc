// Router.PushStream through a real gRPC server.
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/control_node.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

using grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A caller's side of one stream.
class Pusher {
 public:
  explicit Pusher(ControlNode& node) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stream_ = node.router->PushStream(&context_);
  }

  // The items of one request.
  bool Send(const std::string& json) {
    return Send(FromJson<v1::PushStreamRequest>(R"({"items":[)" + json + "]}"));
  }
  bool Send(const v1::PushStreamRequest& request) { return stream_->Write(request); }
  bool Say(uint64_t sequence, const std::string& text) {
    v1::PushStreamRequest request;
    v1::PushItem& item = *request.add_items();
    item.set_sequence(sequence);
    item.mutable_push()->set_room("lobby");
    item.mutable_push()->mutable_payload()->set_text(text);
    return Send(request);
  }
  void EndSending() { stream_->WritesDone(); }
  // Reads until `sequence` is done, or the stream ends.
  void Await(uint64_t sequence) {
    v1::PushStreamResponse response;
    while (done < sequence && stream_->Read(&response)) {
      EXPECT_GT(response.done(), done);
      done = response.done();
      for (const auto& result : response.results()) results.push_back(result);
    }
  }
  grpc::Status End() {
    Await(UINT64_MAX);
    return stream_->Finish();
  }
  std::vector<uint64_t> WithResult() const {
    std::vector<uint64_t> sequences;
    for (const auto& result : results) sequences.push_back(result.sequence());
    return sequences;
  }

  uint64_t done = 0;
  std::vector<v1::PushResult> results;

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PushStreamRequest, v1::PushStreamResponse>> stream_;
};

std::string ReasonIn(const grpc::Status& status) {
  std::string reason;
  std::string field;
  ReadErrorInfo(status, reason, field);
  return reason;
}

class ControlPushStreamTest : public testing::Test {
 protected:
  ControlNode node_;
};

TEST_F(ControlPushStreamTest, PushesArriveInTheirOrderAndAreDone) {
  const ConnectionId alice = node_.Online("alice", R"("lobby")");
  constexpr uint64_t kPushes = 5000;
  Pusher pusher(node_);
  std::thread sending([&] {
    for (uint64_t i = 1; i <= kPushes; ++i) ASSERT_TRUE(pusher.Say(i, fmt::format("{}", i)));
    pusher.EndSending();
  });
  EXPECT_TRUE(pusher.End().ok());
  sending.join();
  EXPECT_EQ(pusher.done, kPushes);
  EXPECT_THAT(pusher.WithResult(), IsEmpty());
  std::vector<std::string> expected;
  for (uint64_t i = 1; i <= kPushes; ++i) expected.push_back(fmt::format("{}", i));
  EXPECT_EQ(node_.shard.Got(alice), expected);
}

TEST_F(ControlPushStreamTest, WhatFailsAndWhatIsWantedHasAResult) {
  const ConnectionId alice = node_.Online("alice", R"("lobby")");
  Pusher pusher(node_);
  pusher.Say(1, "one");
  pusher.Send(R"({"sequence":3,"push":{"payload":{"text":"to no room"}}})");
  pusher.Send(fmt::format(
      R"({{"sequence":4,"send_to_connection":{{"connection_id":"{}9","payload":{{"text":"x"}}}}}})",
      alice.ToString()));
  pusher.Send(
      R"({"sequence":5,"want_result":true,
          "send_to_client":{"client_id":"alice","payload":{"text":"two"}}})");
  pusher.Send(
      R"({"sequence":9,"push_all":{"payload":{"text":"three"}}},
         {"sequence":10,"want_result":true,
          "broadcast":{"channel":"news","payload":{"text":"for services"}}})");
  pusher.EndSending();
  EXPECT_TRUE(pusher.End().ok());
  EXPECT_EQ(pusher.done, 10u);
  ASSERT_THAT(pusher.WithResult(), ElementsAre(3, 4, 5, 10));
  EXPECT_EQ(pusher.results[0].error().code(), static_cast<int>(StatusCode::INVALID_ARGUMENT));
  EXPECT_EQ(pusher.results[1].error().reason(), "CONNECTION_GONE");
  EXPECT_EQ(pusher.results[2].send_to_client().delivered(), 1u);
  EXPECT_TRUE(pusher.results[3].has_broadcast());
  EXPECT_THAT(node_.shard.Got(alice), ElementsAre("one", "two", "three"));
}

TEST_F(ControlPushStreamTest, ARequestWithoutSenseEndsItBehindTheAnswers) {
  for (const auto& [json, why] : std::vector<std::pair<std::string, std::string>>{
           {R"({"sequence":2})", "items[0].push is missing"},
           {R"({"sequence":1,"push":{}})", "items[0].sequence is 1, want more than 1"},
           {R"({"push":{}})", "items[0].sequence is 0"},
           {R"({"sequence":1,"push":{}},{"sequence":3,"push":{}})", "items[0].sequence is 1"}}) {
    Pusher pusher(node_);
    pusher.Say(1, "one");
    pusher.Send(json);
    pusher.Say(3, "not read any more");
    const grpc::Status ended = pusher.End();
    EXPECT_EQ(ended.error_code(), StatusCode::INVALID_ARGUMENT) << json;
    EXPECT_THAT(ended.error_message(), HasSubstr(why));
    EXPECT_EQ(pusher.done, 1u) << json;
  }
}

TEST_F(ControlPushStreamTest, NoMoreIsReadThanHasPlaces) {
  node_.Online("alice", R"("lobby")");
  constexpr uint64_t kPushes = 3 * PushStream::kPushesMax;
  Pusher pusher(node_);
  std::thread sending([&] {
    for (uint64_t i = 1; i <= kPushes; ++i) ASSERT_TRUE(pusher.Say(i, "x"));
    pusher.EndSending();
  });
  {
    const ShardHost::Hold hold(node_.shard);
    const auto pushed = [&] { return node_.stats.Total(Counter::kRoomPushes); };
    EXPECT_TRUE(Eventually([&] { return pushed() >= PushStream::kPushesMax; }));
    grpc::ClientContext context;
    v1::GetConfigResponse response;
    EXPECT_TRUE(node_.admin->GetConfig(&context, {}, &response).ok());
    EXPECT_EQ(pushed(), PushStream::kPushesMax);
  }
  EXPECT_TRUE(pusher.End().ok());
  sending.join();
  EXPECT_EQ(pusher.done, kPushes);
}

TEST_F(ControlPushStreamTest, ANodeThatStopsSaysSoBehindTheAnswers) {
  Pusher pusher(node_);
  pusher.Say(1, "one");
  pusher.Await(1);
  std::thread stopping([&] { node_.server->Shutdown(absl::Seconds(20)); });
  const grpc::Status ended = pusher.End();
  stopping.join();
  EXPECT_EQ(ended.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonIn(ended), "NODE_STOPPING");
}

TEST(ControlPushStreamLimitsTest, EachPushIsACall) {
  ControlNode node({}, {.calls_rate = {.n = 3, .window = absl::Hours(1)}});
  Pusher pusher(node);  // the first
  for (int i = 1; i <= 4; ++i) pusher.Say(i, "x");
  pusher.EndSending();
  EXPECT_TRUE(pusher.End().ok());
  ASSERT_THAT(pusher.WithResult(), ElementsAre(3, 4));
  EXPECT_EQ(pusher.results[0].error().reason(), "RATE_CALLER");
  EXPECT_TRUE(pusher.results[0].error().has_retry_after());
  EXPECT_EQ(node.stats.Total(Counter::kRoomPushes), 2u);
}

TEST(ControlPushStreamLimitsTest, APayloadThatIsTooLargeFailsAlone) {
  ControlNode node({}, {.payload_bytes_max = 1000});
  Pusher pusher(node);
  pusher.Say(1, std::string(1001, 'x'));
  pusher.Say(2, "x");
  pusher.EndSending();
  EXPECT_TRUE(pusher.End().ok());
  ASSERT_THAT(pusher.WithResult(), ElementsAre(1));
  EXPECT_EQ(pusher.results[0].error().reason(), "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(pusher.done, 2u);
}

TEST(ControlPushStreamLimitsTest, ARequestThatIsTooLargeEndsTheStreamBehindTheAnswers) {
  ControlNode node({}, {.message_bytes_max = size_t{64} << 10});
  Pusher pusher(node);
  pusher.Say(1, "x");
  pusher.Say(2, std::string(size_t{65} << 10, 'x'));
  const grpc::Status ended = pusher.End();
  EXPECT_EQ(ReasonIn(ended), "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(pusher.done, 1u);
  v1::PushStreamRequest many;
  for (int i = 1; i <= PushStream::kItemsMax + 1; ++i) {
    many.add_items()->set_sequence(static_cast<uint64_t>(i));
  }
  Pusher other(node);
  other.Send(many);
  EXPECT_EQ(ReasonIn(other.End()), "TOO_MANY_ITEMS");
}

TEST(ControlPushStreamLimitsTest, NoMoreThanSoManyAreOpen) {
  ControlNode node({}, {.push_streams_max = 1});
  Pusher first(node);
  first.Say(1, "x");
  first.Await(1);
  EXPECT_EQ(node.measures.push_streams, 1u);
  Pusher second(node);
  const grpc::Status refused = second.End();
  EXPECT_EQ(ReasonIn(refused), "TOO_MANY_WATCHERS");
  EXPECT_THAT(refused.error_details(), HasSubstr("control.push_streams_max"));
  first.EndSending();
  EXPECT_TRUE(first.End().ok());
  EXPECT_TRUE(Eventually([&] { return node.measures.push_streams == 0; }));
}

}  // namespace
}  // namespace wsrouter
