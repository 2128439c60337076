#include "control/event_hub.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Event Joined(std::string client, std::string room) {
  return {.client = {std::move(client)}, .detail = event::Joined{.room = {std::move(room)}}};
}
Event Message(std::string payload, std::vector<RoomName> rooms = {}) {
  return {.client = {"alice"},
          .detail = event::Message{.payload = std::move(payload), .rooms = std::move(rooms)}};
}
Event Connected() { return {.detail = event::Connected{std::make_shared<const Handshake>()}}; }

const EventKinds kAllKinds = EventKinds().set();

struct Watching {
  std::shared_ptr<EventHub::Watcher> watcher;
  std::shared_ptr<int> wakes;

  // What waits, in short: the room, the payload, "connected", "ready N" or "lost N".
  std::vector<std::string> Told() const {
    std::vector<std::string> told;
    while (const auto taken = watcher->Take()) told.push_back(Told(*taken));
    return told;
  }
  static std::string Told(const StreamQueue<EventHub::Item>::Taken& taken) {
    if (taken.lost > 0) return "lost " + std::to_string(taken.lost);
    if (const auto* ready = std::get_if<EventHub::Ready>(&*taken.item)) {
      return "ready " + std::to_string(ready->pending);
    }
    const Event& event = *std::get<std::shared_ptr<const Event>>(*taken.item);
    if (const auto* joined = std::get_if<event::Joined>(&event.detail)) return joined->room.value;
    if (const auto* message = std::get_if<event::Message>(&event.detail)) return message->payload;
    return "connected";
  }
};

class EventHubTest : public testing::Test {
 protected:
  Watching Watch(EventFilter filter = {.kinds = kAllKinds}, StreamQueueLimits limits = {}) {
    auto wakes = std::make_shared<int>(0);
    auto watcher = hub_.Make(std::move(filter), limits, [wakes] { ++*wakes; });
    hub_.Add(watcher);
    return {watcher, wakes};
  }

  Counters counters_;
  EventHub hub_{counters_};
};

TEST_F(EventHubTest, WantsWhatSomeWatcherWants) {
  EXPECT_FALSE(hub_.Wants(kEventKind<event::Joined>));
  const Watching messages = Watch({.kinds = EventKinds().set(kEventKind<event::Message>)});
  EXPECT_FALSE(hub_.Wants(kEventKind<event::Joined>));
  const Watching all = Watch();
  EXPECT_TRUE(hub_.Wants(kEventKind<event::Joined>));
  hub_.Remove(all.watcher->id());
  EXPECT_FALSE(hub_.Wants(kEventKind<event::Joined>));
  EXPECT_TRUE(hub_.Wants(kEventKind<event::Message>));
  hub_.Remove(messages.watcher->id());
  EXPECT_FALSE(hub_.Wants(kEventKind<event::Message>));
}

TEST_F(EventHubTest, FilterWithoutKindsPassesNothing) {
  const Watching watching = Watch(EventFilter());
  hub_.Emit(Joined("alice", "lobby"));
  EXPECT_THAT(watching.Told(), IsEmpty());
}

TEST_F(EventHubTest, EveryWatcherGetsEveryEventInOrder) {
  const Watching first = Watch();
  const Watching second = Watch();

  hub_.Emit(Joined("alice", "lobby"));
  hub_.Emit(Message("hello"));

  EXPECT_THAT(first.Told(), ElementsAre("lobby", "hello"));
  EXPECT_THAT(second.Told(), ElementsAre("lobby", "hello"));
}

TEST_F(EventHubTest, WakesOnceUntilWhatWaitsIsTaken) {
  const Watching watching = Watch();

  hub_.Emit(Message("1"));
  hub_.Emit(Message("2"));
  EXPECT_EQ(*watching.wakes, 1);
  watching.Told();
  hub_.Emit(Message("3"));
  EXPECT_EQ(*watching.wakes, 2);
}

TEST_F(EventHubTest, RemovedWatcherGetsNothing) {
  const Watching watching = Watch();
  hub_.Remove(watching.watcher->id());

  hub_.Emit(Message("hello"));
  hub_.EmitTo(watching.watcher->id(), Connected());
  hub_.EmitReady(watching.watcher->id());

  EXPECT_THAT(watching.Told(), IsEmpty());
}

TEST_F(EventHubTest, KindsThatWereNotAskedForDoNotPass) {
  EventFilter filter;
  filter.kinds.set(Joined("", "").detail.index());
  const Watching watching = Watch(filter);

  hub_.Emit(Message("hello"));
  hub_.Emit(Joined("alice", "lobby"));

  EXPECT_THAT(watching.Told(), ElementsAre("lobby"));
}

TEST_F(EventHubTest, RoomFilterPassesJoinsAndMessagesOfThatRoomOnly) {
  const Watching watching = Watch({.kinds = kAllKinds, .rooms = {RoomName{"lobby"}}});

  hub_.Emit(Joined("alice", "news"));
  hub_.Emit(Joined("alice", "lobby"));
  hub_.Emit(Message("elsewhere", {{"news"}}));
  hub_.Emit(Message("here", {{"news"}, {"lobby"}}));
  hub_.Emit(Connected());

  EXPECT_THAT(watching.Told(), ElementsAre("lobby", "here"));
}

TEST_F(EventHubTest, ClientFilterPassesThatClientOnly) {
  const Watching watching = Watch({.kinds = kAllKinds, .clients = {ClientId{"bob"}}});

  hub_.Emit(Joined("alice", "lobby"));
  hub_.Emit(Joined("bob", "news"));
  hub_.Emit(Connected());

  EXPECT_THAT(watching.Told(), ElementsAre("news"));
}

TEST_F(EventHubTest, SlowWatcherIsToldWhatItMissedAndCostsNobodyElse) {
  const Watching slow = Watch({.kinds = kAllKinds}, {.items_max = 2, .bytes_max = 1000});
  const Watching other = Watch();

  for (int i = 1; i <= 5; ++i) hub_.Emit(Message(std::to_string(i)));

  EXPECT_EQ(counters_.Get(Counter::kEventsMissed), 3u);
  EXPECT_THAT(slow.Told(), ElementsAre("1", "2", "lost 3"));
  EXPECT_THAT(other.Told(), ElementsAre("1", "2", "3", "4", "5"));
}

TEST_F(EventHubTest, TwoHundredThatDoNotReadHoldWhatFitsAndNobodyElseMissesAnything) {
  std::vector<Watching> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(Watch({.kinds = kAllKinds}, {.items_max = 16, .bytes_max = 1000}));
  }
  const Watching reads = Watch();
  const auto handshake = std::make_shared<const Handshake>();
  for (int i = 0; i < 1000; ++i) {
    hub_.Emit({.detail = event::Connected{handshake}});
    ASSERT_THAT(reads.Told(), ElementsAre("connected"));
  }

  // They share what they hold, and what they have missed is gone.
  EXPECT_EQ(handshake.use_count(), 1 + 16);
  EXPECT_EQ(counters_.Get(Counter::kEventsMissed), 200u * (1000 - 16));
  for (const Watching& one : silent) {
    EXPECT_EQ(*one.wakes, 1);
    EXPECT_EQ(one.Told().back(), "lost 984");
  }
}

TEST_F(EventHubTest, PayloadsCountAgainstTheOctetsThatMayWait) {
  const Watching watching = Watch({.kinds = kAllKinds}, {.items_max = 100, .bytes_max = 1000});

  hub_.Emit(Message(std::string(600, 'a')));
  hub_.Emit(Message(std::string(600, 'b')));

  EXPECT_EQ(counters_.Get(Counter::kEventsMissed), 1u);
}

TEST_F(EventHubTest, PendingOnesReachTheirWatcherAlonePastItsFilter) {
  const Watching asked = Watch({.kinds = kAllKinds, .clients = {ClientId{"bob"}}});
  const Watching other = Watch();

  hub_.EmitTo(asked.watcher->id(), Connected());
  hub_.EmitTo(asked.watcher->id(), Connected());
  hub_.EmitReady(asked.watcher->id());

  EXPECT_THAT(asked.Told(), ElementsAre("connected", "connected", "ready 2"));
  EXPECT_THAT(other.Told(), IsEmpty());
}

TEST_F(EventHubTest, PendingOnesAndReadyAreToldHoweverManyWait) {
  const Watching watching = Watch();

  for (int i = 0; i < 10'000; ++i) hub_.EmitTo(watching.watcher->id(), Connected());
  hub_.Emit(Joined("alice", "lobby"));
  hub_.EmitReady(watching.watcher->id());

  const std::vector<std::string> told = watching.Told();
  ASSERT_EQ(told.size(), 10'002u);
  EXPECT_EQ(std::count(told.begin(), told.end(), "connected"), 10'000);
  EXPECT_EQ(told[10'000], "lobby");
  EXPECT_EQ(told[10'001], "ready 10000");
  EXPECT_EQ(counters_.Get(Counter::kEventsMissed), 0u);
}

}  // namespace
}  // namespace wsrouter
