// Streams of callers whose credential is taken away, or runs out, while they are open.
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/authority.h"
#include "tests/support/control_node.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

using grpc::StatusCode;

const std::string kToken = "stream-0123456789abcdef0123456789";
const std::string kOther = "other-0123456789abcdef0123456789ab";
const std::string kOthers = "b admin " + kOther + "\n";

// Lets whoever wants to attach.
class OpenDesk final : public AttachDesk {
 public:
  void Attach(std::shared_ptr<AttachStream> stream, AttachTerms) override {
    v1::AttachResponse response;
    response.mutable_ready();
    stream->Send(0, response);
    stream->ReadOn();
  }
  void Answer(std::shared_ptr<AttachStream> stream, v1::AttachAnswer) override { stream->ReadOn(); }
  void Detach(AttachStream&, const absl::Status&) override {}
};

class ControlStandingTest : public testing::Test {
 protected:
  ControlStandingTest()
      : tokens_file_(SetTokens("a publish " + kToken)),
        node_({}, {.tokens_file = tokens_file_}, 65536, &desk_) {}

  std::string SetTokens(const std::string& line) {
    return authority_.Write("tokens", kOthers + line + "\n");
  }
  static void Show(grpc::ClientContext& context, const std::string& token = kToken) {
    context.AddMetadata("authorization", "Bearer " + token);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  }
  auto Watch(grpc::ClientContext& context) {
    auto stream = node_.events->Watch(&context, v1::WatchRequest());
    v1::WatchResponse response;
    EXPECT_TRUE(stream->Read(&response));
    return stream;
  }
  auto Subscribe(grpc::ClientContext& context) {
    auto stream = node_.events->Subscribe(
        &context, FromJson<v1::SubscribeRequest>(R"({"channels":["news"]})"));
    v1::SubscribeResponse response;
    EXPECT_TRUE(stream->Read(&response));
    return stream;
  }
  auto Attach(grpc::ClientContext& context) {
    auto stream = node_.events->Attach(&context);
    stream->Write(FromJson<v1::AttachRequest>(R"({"attach":{}})"));
    v1::AttachResponse response;
    EXPECT_TRUE(stream->Read(&response));
    return stream;
  }
  template <typename Response>
  static StatusCode End(auto& stream) {
    Response response;
    while (stream->Read(&response)) {
    }
    return stream->Finish().error_code();
  }

  Authority authority_;
  std::string tokens_file_;
  OpenDesk desk_;
  ControlNode node_;
  grpc::ClientContext contexts_[5];
};

TEST_F(ControlStandingTest, StreamsEndWhenTheirTokenIsTakenAwayAndOthersGoOn) {
  for (int i : {0, 1, 2, 4}) Show(contexts_[i]);
  Show(contexts_[3], kOther);
  auto pushing = node_.router->PushStream(&contexts_[4]);
  auto watching = Watch(contexts_[0]);
  auto subscribed = Subscribe(contexts_[1]);
  auto attached = Attach(contexts_[2]);
  auto other = Subscribe(contexts_[3]);
  SetTokens("");
  EXPECT_EQ(End<v1::WatchResponse>(watching), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(End<v1::SubscribeResponse>(subscribed), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(End<v1::AttachResponse>(attached), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(End<v1::PushStreamResponse>(pushing), StatusCode::UNAUTHENTICATED);
  grpc::ClientContext context;
  Show(context, kOther);
  v1::BroadcastResponse sent;
  ASSERT_TRUE(node_.router
                  ->Broadcast(&context,
                              FromJson<v1::BroadcastRequest>(
                                  R"({"channel":"news","payload":{"text":"hello"}})"),
                              &sent)
                  .ok());
  v1::SubscribeResponse heard;
  ASSERT_TRUE(other->Read(&heard));
  EXPECT_EQ(heard.message().payload().text(), "hello");
  contexts_[3].TryCancel();
}

TEST_F(ControlStandingTest, AStreamEndsWhenItsTokenExpires) {
  SetTokens(
      "a publish " + kToken + " " +
      absl::FormatTime(absl::RFC3339_sec, absl::Now() + absl::Seconds(4), absl::UTCTimeZone()));
  Show(contexts_[0]);
  auto watching = Watch(contexts_[0]);
  EXPECT_EQ(End<v1::WatchResponse>(watching), StatusCode::UNAUTHENTICATED);
}

TEST_F(ControlStandingTest, ASmallerRoleEndsWhatItMayNotHave) {
  Show(contexts_[0]);
  Show(contexts_[1]);
  auto watching = Watch(contexts_[0]);
  auto attached = Attach(contexts_[1]);
  SetTokens("a read " + kToken);
  EXPECT_EQ(End<v1::AttachResponse>(attached), StatusCode::PERMISSION_DENIED);
  SetTokens("");
  EXPECT_EQ(End<v1::WatchResponse>(watching), StatusCode::UNAUTHENTICATED);
}

// What waits for flow control ends no stream: its call has to be cancelled.
TEST_F(ControlStandingTest, WhoDoesNotReadLosesItsStreamToo) {
  Show(contexts_[0]);
  auto subscribed = Subscribe(contexts_[0]);
  const auto news = FromJson<v1::BroadcastRequest>(
      fmt::format(R"({{"channel":"news","payload":{{"text":"{}"}}}})", std::string(32 << 10, 'x')));
  for (int i = 0; i < 400; ++i) {
    grpc::ClientContext context;
    Show(context, kOther);
    v1::BroadcastResponse sent;
    ASSERT_TRUE(node_.router->Broadcast(&context, news, &sent).ok());
  }
  EXPECT_EQ(node_.measures.subscribers, 1u);
  SetTokens("");
  EXPECT_TRUE(Eventually([&] { return node_.measures.subscribers == 0; }));
}

}  // namespace
}  // namespace wsrouter
