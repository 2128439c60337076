// BackendClient against a fake node: real gRPC over a real socket.

#include "wsrouter/backend_client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/support/fake_node.h"
#include "tests/support/recorder.h"

namespace wsrouter::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::wsrouter::testing::FakeNode;
using ::wsrouter::testing::Recorder;
using WatchScript = ::wsrouter::testing::Script<v1::WatchResponse>;
using SubscribeScript = ::wsrouter::testing::Script<v1::SubscribeResponse>;

const grpc::Status kLost(grpc::StatusCode::UNAVAILABLE, "the node stops");

BackendClientOptions FastRetries(const FakeNode& node) {
  return {.target = node.address(),
          .backoff = {.first_bound = absl::Milliseconds(20), .bound_max = absl::Milliseconds(50)}};
}

v1::WatchResponse Event(uint64_t sequence, v1::EventKind kind) {
  v1::WatchResponse response;
  response.mutable_event()->set_sequence(sequence);
  response.mutable_event()->set_kind(kind);
  return response;
}

v1::WatchResponse Ready(uint64_t sequence, uint64_t pending = 0) {
  v1::WatchResponse response = Event(sequence, v1::EVENT_KIND_READY);
  response.mutable_event()->mutable_ready()->set_pending(pending);
  return response;
}

v1::WatchResponse Missed(uint64_t sequence, uint64_t events) {
  v1::WatchResponse response = Event(sequence, v1::EVENT_KIND_MISSED);
  response.mutable_event()->mutable_missed()->set_events(events);
  return response;
}

StreamHandlers RecordTo(Recorder& seen) {
  return {.on_live =
              [&](const Live& live) {
                seen.Add(fmt::format("live{} {}", live.resumed ? " again" : "", live.pending));
              },
          .on_missed = [&](uint64_t missed) { seen.Add(fmt::format("missed {}", missed)); },
          .on_down =
              [&](const absl::Status& cause, std::optional<absl::Duration> retry_in) {
                seen.Add(fmt::format("{} {}", retry_in ? "down" : "ended",
                                     static_cast<int>(cause.code())));
              }};
}

WatchHandlers RecordEventsTo(Recorder& seen) {
  return {.on_event = [&](const v1::Event& event) { seen.Add(v1::EventKind_Name(event.kind())); },
          .stream = RecordTo(seen)};
}

TEST(BackendClientTest, CallSendsWhatTheRequestSaysAndAnswers) {
  FakeNode node;
  BackendClient client({.target = node.address(), .metadata = {{"x-trace", "t"}}});

  const auto owned = client.Own({.connection_id = "c",
                                 .client_id = "alice",
                                 .on_duplicate = v1::ON_DUPLICATE_REPLACE,
                                 .rooms = {"lobby", "news"},
                                 .labels = {{"device", "phone"}},
                                 .expires_at = absl::FromUnixMillis(1'500)});

  ASSERT_TRUE(owned.ok()) << owned.status();
  EXPECT_THAT(owned->rooms(), SizeIs(2));
  ASSERT_THAT(node.router.own_requests(), SizeIs(1));
  const v1::OwnRequest request = node.router.own_requests().front();
  EXPECT_EQ(request.client_id(), "alice");
  EXPECT_EQ(request.on_duplicate(), v1::ON_DUPLICATE_REPLACE);
  EXPECT_EQ(request.labels().at("device"), "phone");
  EXPECT_EQ(request.expires_at().seconds(), 1);
  EXPECT_EQ(request.expires_at().nanos(), 500'000'000);
}

TEST(BackendClientTest, ErrorHasTheReasonOfTheNode) {
  FakeNode node;
  BackendClient client({.target = node.address()});

  const absl::Status status = client.Own({.connection_id = "gone"}).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Reason(status), "CONNECTION_GONE");
}

TEST(BackendClientTest, CallEndsAtItsDeadline) {
  FakeNode node;
  BackendClient client({.target = node.address(), .deadline = absl::Milliseconds(100)});

  EXPECT_TRUE(absl::IsDeadlineExceeded(client.Own({.connection_id = "silent"}).status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      client.Own({.connection_id = "silent"}, {.deadline = absl::Milliseconds(50)}).status()));
}

TEST(BackendClientTest, CallFailsAtOnceWithoutANode) {
  FakeNode node;
  node.Stop();
  BackendClient client({.target = node.address(), .deadline = absl::Minutes(5)});

  EXPECT_TRUE(absl::IsUnavailable(client.OnlineCount().status()));
}

TEST(BackendWatchTest, LostStreamResumesWithPendingConnections) {
  FakeNode node;
  node.events.Expect(
      WatchScript{.responses = {Ready(1), Event(2, v1::EVENT_KIND_OWNED)}, .end = kLost});
  node.events.Expect(WatchScript{.responses = {Event(1, v1::EVENT_KIND_CONNECTED), Ready(2, 1)}});
  Recorder seen;
  BackendClient client(FastRetries(node));

  const auto stream = client.Watch({.include_pending = false}, RecordEventsTo(seen));

  EXPECT_THAT(seen.Await(5), ElementsAre("live 0", "EVENT_KIND_OWNED", "down 14",
                                         "EVENT_KIND_CONNECTED", "live again 1"));
  ASSERT_THAT(node.events.watch_requests(), SizeIs(2));
  EXPECT_FALSE(node.events.watch_requests()[0].include_pending());
  EXPECT_TRUE(node.events.watch_requests()[1].include_pending());
}

TEST(BackendWatchTest, PendingConnectionsAreNotAskedForWhenNobodyWantsConnected) {
  FakeNode node;
  node.events.Expect(WatchScript{.responses = {Ready(1)}, .end = kLost});
  node.events.Expect(WatchScript{.responses = {Ready(1)}});
  Recorder seen;
  BackendClient client(FastRetries(node));

  const auto stream = client.Watch({.kinds = {v1::EVENT_KIND_LEFT}, .include_pending = false},
                                   RecordEventsTo(seen));

  EXPECT_THAT(seen.Await(3), ElementsAre("live 0", "down 14", "live again 0"));
  EXPECT_FALSE(node.events.watch_requests()[1].include_pending());
}

TEST(BackendWatchTest, StreamComesBackAfterTheNodeHasRestarted) {
  FakeNode node;
  node.events.Expect(WatchScript{.responses = {Ready(1)}});
  node.events.Expect(WatchScript{.responses = {Ready(1)}});
  Recorder seen;
  BackendClient client(FastRetries(node));
  const auto stream = client.Watch({}, RecordEventsTo(seen));
  ASSERT_THAT(seen.Await(1), ElementsAre("live 0"));

  node.Stop();
  ASSERT_EQ(seen.Await(2)[1], "down 14");
  node.Restart();

  const auto lives_again = [&] {
    for (size_t count = 3; seen.Await(count).size() >= count; ++count) {
      if (seen.lines().back() == "live again 0") return true;
    }
    return false;
  };
  EXPECT_TRUE(lives_again());
}

TEST(BackendWatchTest, LossesAreReportedOnce) {
  FakeNode node;
  node.events.Expect(
      WatchScript{.responses = {Ready(1), Event(4, v1::EVENT_KIND_OWNED), Missed(8, 3),
                                Event(9, v1::EVENT_KIND_OWNED), Event(11, v1::EVENT_KIND_OWNED)}});
  Recorder seen;
  BackendClient client(FastRetries(node));

  const auto stream = client.Watch({}, RecordEventsTo(seen));

  EXPECT_THAT(seen.Await(7), ElementsAre("live 0", "missed 2", "EVENT_KIND_OWNED", "missed 3",
                                         "EVENT_KIND_OWNED", "missed 1", "EVENT_KIND_OWNED"));
}

TEST(BackendWatchTest, RequestThatTheNodeRefusesIsNotRepeated) {
  FakeNode node;
  node.events.Expect(
      WatchScript{.end = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "kinds[0]")});
  Recorder seen;
  BackendClient client(FastRetries(node));

  const auto stream = client.Watch({}, RecordEventsTo(seen));

  EXPECT_THAT(seen.Await(1), ElementsAre("ended 3"));
  stream->Stop();
  EXPECT_THAT(node.events.watch_requests(), SizeIs(1));
}

TEST(BackendWatchTest, NodeMaySayWhenToComeBackAndStopDoesNotWaitForIt) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(600);
  google::rpc::Status details;
  details.add_details()->PackFrom(retry);
  FakeNode node;
  node.events.Expect(WatchScript{.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "overloaded",
                                                     details.SerializeAsString())});
  std::promise<absl::Duration> retry_in;
  BackendClient client(FastRetries(node));

  const auto stream = client.Watch(
      {}, {.stream = {.on_down = [&](const absl::Status&, std::optional<absl::Duration> delay) {
             retry_in.set_value(delay.value_or(absl::ZeroDuration()));
           }}});

  EXPECT_EQ(retry_in.get_future().get(), absl::Minutes(10));
  stream->Stop();
}

TEST(BackendWatchTest, StoppedSilentStreamEndsWithoutACall) {
  FakeNode node;
  node.events.Expect(WatchScript{.responses = {Ready(1)}});
  Recorder seen;
  BackendClient client(FastRetries(node));
  const auto stream = client.Watch({}, RecordEventsTo(seen));
  ASSERT_THAT(seen.Await(1), ElementsAre("live 0"));

  stream->Stop();
  stream->Stop();

  EXPECT_THAT(seen.lines(), ElementsAre("live 0"));
}

TEST(BackendWatchTest, StreamThatIsStoppedAtOnceCallsNobody) {
  FakeNode node;
  BackendClient client(FastRetries(node));
  for (int i = 0; i < 50; ++i) {
    Recorder seen;
    client.Watch({}, RecordEventsTo(seen))->Stop();
    EXPECT_THAT(seen.lines(), IsEmpty());
  }
}

TEST(BackendWatchTest, HandlerThatStopsTheStreamWasTheLast) {
  FakeNode node;
  node.events.Expect(WatchScript{
      .responses = {Event(1, v1::EVENT_KIND_OWNED), Event(2, v1::EVENT_KIND_OWNED), Ready(3)}});
  Recorder seen;
  std::promise<EventStream*> stream_made;
  BackendClient client(FastRetries(node));

  auto stream =
      client.Watch({}, {.on_event =
                            [&, made = stream_made.get_future().share()](const v1::Event& event) {
                              made.get()->Stop();
                              seen.Add(v1::EventKind_Name(event.kind()));
                            },
                        .stream = RecordTo(seen)});
  stream_made.set_value(stream.get());

  EXPECT_THAT(seen.Await(1), ElementsAre("EVENT_KIND_OWNED"));
  stream.reset();
  EXPECT_THAT(seen.lines(), SizeIs(1));
}

TEST(BackendSubscribeTest, LostStreamResumesAndLossesAreReported) {
  v1::SubscribeResponse ready, message, lost;
  ready.mutable_ready();
  message.mutable_message()->set_sequence(3);
  message.mutable_message()->mutable_payload()->set_text("hello");
  lost.mutable_missed()->set_events(2);
  FakeNode node;
  node.events.Expect(SubscribeScript{.responses = {ready, lost, message}, .end = kLost});
  node.events.Expect(SubscribeScript{.responses = {ready}});
  Recorder seen;
  BackendClient client(FastRetries(node));

  const auto stream = client.Subscribe(
      {"news"}, {.on_message = [&](const v1::ChannelMessage& m) { seen.Add(m.payload().text()); },
                 .stream = RecordTo(seen)});

  EXPECT_THAT(seen.Await(5), ElementsAre("live 0", "missed 2", "hello", "down 14", "live again 0"));
}

}  // namespace
}  // namespace wsrouter::client
