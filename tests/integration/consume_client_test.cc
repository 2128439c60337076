// BackendClient::Consume against the real service with the memory engine.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <memory>
#include <mutex>
#include <vector>

#include "tests/support/control_node.h"
#include "tests/support/eventually.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/recorder.h"
#include "wsrouter/backend_client.h"

namespace wsrouter::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::wsrouter::testing::Recorder;

class ConsumeClientTest : public ::testing::Test {
 protected:
  ConsumeClientTest() { Connect(node_.server->address()); }

  void Connect(const std::string& target) {
    client_ = std::make_unique<BackendClient>(BackendClientOptions{
        .target = target,
        .backoff = {.first_bound = absl::Milliseconds(20), .bound_max = absl::Milliseconds(50)}});
  }
  v1::ConsumerGroup Group() {
    const auto called = node_.Call(*node_.events, &v1::Events::Stub::ConsumerGroups, "{}");
    for (const auto& group : called.response.groups()) {
      if (group.group() == "audit") return group;
    }
    return {};
  }
  void Online(int count) {
    for (int i = 0; i < count; ++i) node_.Online(fmt::format("client{}", i));
  }
  // Each entry is recorded, and done.
  ConsumeHandlers Handling() {
    return {.on_entry =
                [this](ConsumedEntry taken) {
                  seen_.Add(NameOf(taken));
                  taken.Done();
                },
            .stream = {.on_down = [this](const absl::Status&, std::optional<absl::Duration> retry) {
              seen_.Add(retry ? "down" : "refused");
            }}};
  }
  // Each entry is recorded, and held.
  ConsumeHandlers Holding() {
    ConsumeHandlers handlers = Handling();
    handlers.on_entry = [this](ConsumedEntry taken) {
      std::lock_guard lock(mutex_);
      held_.push_back(std::move(taken));
      seen_.Add(NameOf(held_.back()));
    };
    return handlers;
  }
  static std::string NameOf(const ConsumedEntry& taken) {
    return fmt::format("{} {}", taken.entry().client_id(), taken.deliveries());
  }
  std::vector<ConsumedEntry> TakeHeld() {
    std::lock_guard lock(mutex_);
    return std::exchange(held_, {});
  }

  ControlNode node_;
  Recorder seen_;
  std::mutex mutex_;
  std::vector<ConsumedEntry> held_;  // by mutex_
  std::unique_ptr<BackendClient> client_;
};

TEST_F(ConsumeClientTest, EntriesComeAndWhatIsDoneIsSettled) {
  node_.Online("alice");
  const auto stream = client_->Consume({.group = "audit", .from_start = true}, Handling());
  EXPECT_THAT(seen_.Await(1), ElementsAre("alice 1"));
  node_.Online("bob");
  EXPECT_THAT(seen_.Await(2), ElementsAre("alice 1", "bob 1"));
  EXPECT_TRUE(Eventually([&] { return Group().lag() + Group().pending() == 0; }));
}

TEST_F(ConsumeClientTest, NoMoreComeThanMayBeInHand) {
  Online(5);
  const auto stream =
      client_->Consume({.group = "audit", .in_hand = 2, .from_start = true}, Holding());
  ASSERT_THAT(seen_.Await(2), SizeIs(2));
  EXPECT_EQ(Group().lag(), 3u);
  for (ConsumedEntry& taken : TakeHeld()) taken.Done();
  EXPECT_THAT(seen_.Await(4), SizeIs(4));
  EXPECT_EQ(Group().lag(), 1u);
  EXPECT_TRUE(Eventually([&] { return Group().pending() == 2; }));
}

TEST_F(ConsumeClientTest, WhatIsGivenBackComesAgain) {
  node_.Online("alice");
  const auto stream = client_->Consume({.group = "audit", .from_start = true}, Holding());
  ASSERT_THAT(seen_.Await(1), SizeIs(1));
  TakeHeld().front().Again(absl::ZeroDuration());
  ASSERT_THAT(seen_.Await(2), ElementsAre("alice 1", "alice 2"));
  TakeHeld();  // destroyed
  EXPECT_THAT(seen_.Await(3), ElementsAre("alice 1", "alice 2", "alice 3"));
}

TEST_F(ConsumeClientTest, ALostStreamMissesNothing) {
  FaultProxy proxy(node_.server->address().substr(node_.server->address().rfind(':') + 1));
  Connect(fmt::format("127.0.0.1:{}", proxy.port()));
  node_.Online("alice");
  const auto stream =
      client_->Consume({.group = "audit", .in_hand = 1, .from_start = true}, Holding());
  ASSERT_THAT(seen_.Await(1), ElementsAre("alice 1"));
  proxy.Reset();
  node_.Online("bob");
  ASSERT_THAT(seen_.Await(3), ElementsAre("alice 1", "down", "alice 2"));
  auto held = TakeHeld();
  held[0].Done();  // of the stream that is gone, and counts all the same; its credit went with it
  EXPECT_TRUE(Eventually([&] { return Group().pending() == 0; }));
  EXPECT_THAT(seen_.lines(), SizeIs(3));
  held[1].Done();
  EXPECT_THAT(seen_.Await(4), ElementsAre("alice 1", "down", "alice 2", "bob 1"));
}

TEST_F(ConsumeClientTest, WhatWasDoneBeforeStopIsSettled) {
  constexpr int kEntries = 100;
  Online(kEntries);
  auto stream = client_->Consume({.group = "audit", .from_start = true}, Holding());
  ASSERT_THAT(seen_.Await(kEntries), SizeIs(kEntries));
  for (ConsumedEntry& taken : TakeHeld()) taken.Done();
  stream->Stop();
  EXPECT_EQ(Group().lag() + Group().pending(), 0u);
}

TEST_F(ConsumeClientTest, AnEntryMayOutliveItsStream) {
  node_.Online("alice");
  auto stream = client_->Consume({.group = "audit", .from_start = true}, Holding());
  ASSERT_THAT(seen_.Await(1), SizeIs(1));
  stream = nullptr;
  TakeHeld().front().Done();
  stream = client_->Consume({.group = "audit"}, Handling());
  EXPECT_THAT(seen_.Await(2), ElementsAre("alice 1", "alice 2"));
}

TEST_F(ConsumeClientTest, ARequestThatTheNodeRefusesIsNotRepeated) {
  const auto stream = client_->Consume({.group = ""}, Handling());
  EXPECT_THAT(seen_.Await(1), ElementsAre("refused"));
  EXPECT_THAT(TakeHeld(), IsEmpty());
}

}  // namespace
}  // namespace wsrouter::client
