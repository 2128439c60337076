// Watch and Subscribe through a real gRPC server.
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/control_node.h"

namespace wsrouter {
namespace {

using Stub = v1::Router::Stub;

template <typename Response>
class Stream {
 public:
  template <typename Open>
  explicit Stream(Open open) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    reader_ = open(&context_);
  }
  std::optional<Response> Next() {
    Response response;
    if (!reader_->Read(&response)) return std::nullopt;
    return response;
  }
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish() {
    Response response;
    while (reader_->Read(&response)) {
    }
    return reader_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<Response>> reader_;
};

class ControlEventsTest : public testing::Test {
 protected:
  explicit ControlEventsTest(ControlOptions options = {.watchers_max = 3}) : node_({}, options) {}

  Stream<v1::WatchResponse> Watch(const std::string& json) {
    return Stream<v1::WatchResponse>([&](grpc::ClientContext* context) {
      return node_.events->Watch(context, FromJson<v1::WatchRequest>(json));
    });
  }
  Stream<v1::SubscribeResponse> Subscribe(const std::string& json) {
    return Stream<v1::SubscribeResponse>([&](grpc::ClientContext* context) {
      return node_.events->Subscribe(context, FromJson<v1::SubscribeRequest>(json));
    });
  }
  // The next event; one without a kind at the end of the stream.
  static v1::Event Next(Stream<v1::WatchResponse>& watch) {
    const auto response = watch.Next();
    return response.has_value() ? response->event() : v1::Event();
  }
  // What the end of a stream says in its ErrorInfo.
  template <typename Response>
  static std::string EndReason(Stream<Response>& stream) {
    std::string reason;
    std::string field;
    ReadErrorInfo(stream.Finish(), reason, field);
    return reason;
  }

  ControlNode node_;
};

TEST_F(ControlEventsTest, WatchTellsTheLifeOfAConnectionInOrder) {
  auto watch = Watch(R"({"include_messages":true})");
  EXPECT_EQ(Next(watch).kind(), v1::EVENT_KIND_READY);

  const ConnectionId id = node_.Online("alice", R"("lobby")");
  node_.shard.Say(id, Opcode::kBinary, std::string("\x00\xFF", 2));
  node_.Call(&Stub::Release, R"({"client_id":"alice","close":{"code":1000}})");

  std::vector<v1::EventKind> kinds;
  for (uint64_t sequence = 2; sequence <= 8; ++sequence) {
    const v1::Event event = Next(watch);
    EXPECT_EQ(event.sequence(), sequence);
    EXPECT_EQ(event.connection_id(), id.ToString());
    EXPECT_EQ(event.server_id(), "node-1");
    if (event.has_message()) {
      EXPECT_EQ(event.client_id(), "alice");
      EXPECT_EQ(event.message().payload().binary(), std::string("\x00\xFF", 2));
      EXPECT_THAT(event.message().rooms(), testing::ElementsAre("lobby"));
    }
    kinds.push_back(event.kind());
  }
  EXPECT_THAT(kinds, testing::ElementsAre(v1::EVENT_KIND_CONNECTED, v1::EVENT_KIND_OWNED,
                                          v1::EVENT_KIND_JOINED, v1::EVENT_KIND_MESSAGE,
                                          v1::EVENT_KIND_LEFT, v1::EVENT_KIND_RELEASED,
                                          v1::EVENT_KIND_DISCONNECTED));
}

TEST_F(ControlEventsTest, PendingConnectionsComeBeforeReady) {
  node_.Online("alice");
  const ConnectionId pending = node_.shard.Open({.path = "/ws", .query = "a=\xFF"});

  auto watch = Watch(R"({"kinds":["EVENT_KIND_LEFT"],"include_pending":true})");

  const v1::Event connected = Next(watch);
  EXPECT_EQ(connected.kind(), v1::EVENT_KIND_CONNECTED);
  EXPECT_EQ(connected.connection_id(), pending.ToString());
  EXPECT_EQ(connected.connected().query(), "a=\xEF\xBF\xBD");
  const v1::Event ready = Next(watch);
  EXPECT_EQ(ready.kind(), v1::EVENT_KIND_READY);
  EXPECT_EQ(ready.ready().pending(), 1u);
}

TEST_F(ControlEventsTest, FiltersPassOnlyWhatWasAskedFor) {
  auto watch = Watch(R"({"kinds":["EVENT_KIND_JOINED"],"rooms":["b"],"client_ids":["bob"]})");
  EXPECT_EQ(Next(watch).kind(), v1::EVENT_KIND_READY);

  node_.Online("alice", R"("b")");
  const ConnectionId bob = node_.Online("bob", R"("a","b")");

  const v1::Event joined = Next(watch);
  EXPECT_EQ(joined.connection_id(), bob.ToString());
  EXPECT_EQ(joined.joined().room(), "b");
  EXPECT_EQ(joined.sequence(), 2u);
}

TEST_F(ControlEventsTest, CancelledStreamIsForgotten) {
  auto watch = Watch("{}");
  EXPECT_EQ(Next(watch).kind(), v1::EVENT_KIND_READY);
  EXPECT_TRUE(node_.hub.Wants(kEventKind<event::Connected>));

  watch.Cancel();
  EXPECT_EQ(watch.Finish().error_code(), grpc::StatusCode::CANCELLED);

  // The node hears of it as soon as the cancellation has come through.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (node_.hub.Wants(kEventKind<event::Connected>) &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_FALSE(node_.hub.Wants(kEventKind<event::Connected>));
}

TEST_F(ControlEventsTest, StreamsAreBounded) {
  auto first = Watch("{}");
  auto second = Watch("{}");
  auto third = Subscribe(R"({"channels":["c"]})");
  EXPECT_EQ(Next(first).kind(), v1::EVENT_KIND_READY);
  EXPECT_EQ(Next(second).kind(), v1::EVENT_KIND_READY);
  EXPECT_TRUE(third.Next()->has_ready());

  auto fourth = Watch("{}");
  auto fifth = Subscribe(R"({"channels":["c"]})");
  EXPECT_EQ(EndReason(fourth), "TOO_MANY_WATCHERS");
  EXPECT_EQ(EndReason(fifth), "TOO_MANY_WATCHERS");
}

TEST_F(ControlEventsTest, SubscriberHearsItsChannelsAfterReady) {
  auto stream = Subscribe(R"({"channels":["a","b","a"]})");
  ASSERT_TRUE(stream.Next()->has_ready());

  const auto sent = node_.Call(&Stub::Broadcast, R"({"channel":"a","payload":{"text":"1"}})");
  EXPECT_EQ(sent.response.receivers(), 1u);
  node_.Call(&Stub::Broadcast, R"({"channel":"other","payload":{"text":"2"}})");
  node_.Call(&Stub::Broadcast, R"({"channel":"b","payload":{"binary":"AP8="}})");

  const auto first = stream.Next();
  EXPECT_EQ(first->message().channel(), "a");
  EXPECT_EQ(first->message().payload().text(), "1");
  EXPECT_EQ(first->message().sequence(), 1u);
  const auto second = stream.Next();
  EXPECT_EQ(second->message().payload().binary(), std::string("\x00\xFF", 2));
  EXPECT_EQ(second->message().sequence(), 2u);
}

TEST_F(ControlEventsTest, ShutdownEndsStreamsAndRefusesNewCalls) {
  auto watch = Watch("{}");
  auto subscribe = Subscribe(R"({"channels":["c"]})");
  EXPECT_EQ(Next(watch).kind(), v1::EVENT_KIND_READY);
  ASSERT_TRUE(subscribe.Next()->has_ready());

  node_.server->Shutdown(absl::Seconds(5));

  EXPECT_EQ(EndReason(watch), "NODE_STOPPING");
  EXPECT_EQ(EndReason(subscribe), "NODE_STOPPING");
  EXPECT_EQ(node_.Call(&Stub::OnlineCount, "{}").code, grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ControlEventsTest, ShutdownWaitsUntilAWatcherHasHeardOfTheLastConnections) {
  auto watch = Watch(R"({"kinds":["EVENT_KIND_DISCONNECTED"]})");
  EXPECT_EQ(Next(watch).kind(), v1::EVENT_KIND_READY);
  // Their events are more than HTTP/2's windows hold, so most wait in the queue.
  constexpr int kConnections = 4000;
  for (int i = 0; i < kConnections; ++i) node_.shard.Hang(node_.shard.Open());

  std::thread stop([&] { node_.server->Shutdown(absl::Seconds(20)); });
  int ended = 0;
  while (Next(watch).kind() == v1::EVENT_KIND_DISCONNECTED) ++ended;
  stop.join();

  EXPECT_EQ(ended, kConnections);
  EXPECT_EQ(EndReason(watch), "NODE_STOPPING");
}

TEST_F(ControlEventsTest, ShutdownDoesNotWaitForAWatcherThatDoesNotRead) {
  auto watch = Watch(R"({"kinds":["EVENT_KIND_DISCONNECTED"]})");
  EXPECT_EQ(Next(watch).kind(), v1::EVENT_KIND_READY);
  for (int i = 0; i < 4000; ++i) node_.shard.Hang(node_.shard.Open());

  node_.server->Shutdown(absl::Milliseconds(100));
}

class ControlSlowWatcherTest : public ControlEventsTest {
 protected:
  ControlSlowWatcherTest() : ControlEventsTest({.watch_queue_events_max = 16}) {}
};

TEST_F(ControlSlowWatcherTest, WatcherThatDoesNotReadIsToldHowManyItMissed) {
  auto watch = Watch(R"({"include_messages":true})");
  EXPECT_EQ(Next(watch).kind(), v1::EVENT_KIND_READY);
  const ConnectionId id = node_.shard.Open();

  // More than HTTP/2's windows and the queue hold together, while nobody reads.
  const std::string large(256 << 10, 'x');
  for (int i = 0; i < 200; ++i) node_.shard.Say(id, Opcode::kText, large);
  node_.shard.Hang(id);

  uint64_t told = 0;
  uint64_t missed = 0;
  uint64_t sequence = 1;
  while (sequence < 203) {
    const v1::Event event = Next(watch);
    ASSERT_NE(event.kind(), v1::EVENT_KIND_UNSPECIFIED);
    const uint64_t events = event.has_missed() ? event.missed().events() : 1;
    (event.has_missed() ? missed : told) += events;
    EXPECT_EQ(event.sequence(), sequence + events);
    sequence = event.sequence();
  }
  EXPECT_GT(missed, 0u);
  EXPECT_EQ(told + missed, 202u);  // CONNECTED, the messages, DISCONNECTED
  EXPECT_EQ(node_.stats.Total(Counter::kEventsMissed), missed);
}

}  // namespace
}  // namespace wsrouter
