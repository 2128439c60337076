// Two hundred streams that nobody reads, through a real gRPC server: what they are told, and that
// nobody else pays.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "tests/support/control_node.h"

namespace wsrouter {
namespace {

constexpr size_t kStreams = 200;
constexpr size_t kLargeBytes = 64 << 10;

// Streams of which the first response was read, over as many connections as it takes.
template <typename Response>
class Unread {
 public:
  template <typename Open>
  Unread(const std::string& address, Open open) {
    for (size_t i = 0; i < kStreams; ++i) {
      if (i % 50 == 0) stubs_.push_back(NewStub(address));
      auto stream = std::make_unique<Stream>();
      stream->context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
      stream->reader = open(*stubs_.back(), &stream->context);
      streams_.push_back(std::move(stream));
    }
    for (const auto& stream : streams_) EXPECT_TRUE(Next(*stream).has_value());
  }

  // Reads each of them until `last` says that nothing follows.
  template <typename Last>
  void ReadAll(Last last) {
    for (const auto& stream : streams_) {
      for (auto response = Next(*stream);; response = Next(*stream)) {
        ASSERT_TRUE(response.has_value());
        if (last(*response)) break;
      }
    }
  }

 private:
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<Response>> reader;
  };

  static std::unique_ptr<v1::Events::Stub> NewStub(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("grpc.use_local_subchannel_pool", 1);
    // The library of the client would take megabytes of what nobody reads.
    arguments.SetInt("grpc.http2.bdp_probe", 0);
    arguments.SetInt("grpc.http2.lookahead_bytes", 64 << 10);
    return v1::Events::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }
  static std::optional<Response> Next(Stream& stream) {
    Response response;
    if (!stream.reader->Read(&response)) return std::nullopt;
    return response;
  }

  std::vector<std::unique_ptr<v1::Events::Stub>> stubs_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

class ControlPressureTest : public testing::Test {
 protected:
  ControlNode node_{{}, {.watchers_max = 2 * kStreams, .watch_queue_events_max = 16}};
};

TEST_F(ControlPressureTest, WatchersThatDoNotReadAreToldAndTheOneThatReadsMissesNothing) {
  const auto open = [](const std::string& json) {
    return [json](v1::Events::Stub& stub, grpc::ClientContext* context) {
      return stub.Watch(context, FromJson<v1::WatchRequest>(json));
    };
  };
  Unread<v1::WatchResponse> unread(node_.server->address(), open(R"({"include_messages":true})"));
  grpc::ClientContext context;
  const auto reads = open(R"({"include_messages":true})")(*node_.events, &context);
  v1::WatchResponse response;
  ASSERT_TRUE(reads->Read(&response));

  const ConnectionId id = node_.Online("alice", R"("lobby")");
  constexpr int kMessages = 64;
  const std::string large(kLargeBytes, 'x');
  const auto read_to = [&](v1::EventKind kind) {
    do {
      ASSERT_TRUE(reads->Read(&response));
      ASSERT_NE(response.event().kind(), v1::EVENT_KIND_MISSED);
    } while (response.event().kind() != kind);
  };
  read_to(v1::EVENT_KIND_JOINED);
  for (int i = 0; i < kMessages; ++i) {
    node_.shard.Say(id, Opcode::kText, large);
    read_to(v1::EVENT_KIND_MESSAGE);
    ASSERT_TRUE(
        node_.Call(&v1::Router::Stub::Push, R"({"room":"lobby","payload":{"text":"on"}})").ok());
  }
  node_.shard.Hang(id);
  read_to(v1::EVENT_KIND_DISCONNECTED);
  const uint64_t emitted = response.event().sequence();
  EXPECT_GT(emitted, kMessages);
  const uint64_t counted = node_.stats.Total(Counter::kEventsMissed);
  EXPECT_GT(counted, kStreams);

  uint64_t missed = 0;
  unread.ReadAll([&](const v1::WatchResponse& told) {
    if (told.event().has_missed()) missed += told.event().missed().events();
    return told.event().sequence() >= emitted;
  });
  EXPECT_EQ(missed, counted);
}

TEST_F(ControlPressureTest, SubscribersThatDoNotReadAreToldAndBroadcastsGoOn) {
  Unread<v1::SubscribeResponse> unread(
      node_.server->address(), [](v1::Events::Stub& stub, grpc::ClientContext* context) {
        return stub.Subscribe(context, FromJson<v1::SubscribeRequest>(R"({"channels":["c"]})"));
      });
  v1::BroadcastRequest large;
  large.set_channel("c");
  large.mutable_payload()->set_text(std::string(kLargeBytes, 'x'));
  constexpr uint64_t kBroadcasts = 64;
  for (uint64_t i = 0; i < kBroadcasts; ++i) {
    grpc::ClientContext context;
    v1::BroadcastResponse response;
    ASSERT_TRUE(node_.router->Broadcast(&context, large, &response).ok());
  }
  const uint64_t counted = node_.stats.Total(Counter::kEventsMissed);
  EXPECT_GT(counted, kStreams);
  uint64_t missed = 0;
  uint64_t got = 0;
  unread.ReadAll([&](const v1::SubscribeResponse& told) {
    if (told.has_missed()) missed += told.missed().events();
    if (told.has_message()) ++got;
    return (missed + got) % kBroadcasts == 0;  // of this stream, all
  });
  EXPECT_EQ(missed + got, kStreams * kBroadcasts);
  EXPECT_EQ(missed, counted);
}

}  // namespace
}  // namespace wsrouter
