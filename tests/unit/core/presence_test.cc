// Presence as shards see it; what clients hear of it is in shard_presence_test.cc.
#include "core/presence.h"

#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "engine/memory_directory.h"
#include "engine/memory_sessions.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fakes.h"
#include "tests/support/shard_client_fixture.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const RoomName kLobby = {"lobby"};

class PresenceTest : public testing::Test {
 protected:
  void Join(const std::string& client) {
    directory.Join(kLobby, IdOf(client), {client}, [](auto) {});
  }
  void Leave(const std::string& client) {
    directory.Leave(kLobby, IdOf(client), {client}, [](auto) {});
  }
  void Tick(absl::Duration later = absl::ZeroDuration()) {
    clock.Advance(later);
    presence->Tick(clock.now.uptime);
  }
  void Watch(uint16_t shard = 0) {
    EXPECT_TRUE(presence->Watch(kLobby, shard, [this] { ++news; }).ok());
  }
  std::vector<std::string> Names() {
    const auto state = presence->Take(kLobby, 0);
    return state == nullptr ? std::vector<std::string>{"?"} : state->clients;
  }

  ManualClock clock;
  const NodeIdentity node = {.server_id = "node-1", .incarnation = 1};
  MemoryDirectory directory{{.node = node}, {}, clock};
  Counters counters;
  PresenceLimits limits = {.grace = absl::Seconds(5), .named_max = 4};
  std::shared_ptr<Presence> presence = Presence::Make(limits, directory, counters);
  int news = 0;

 private:
  ConnectionId IdOf(const std::string& client) const {
    return {.node = node, .shard = 0, .counter = std::hash<std::string>()(client)};
  }
};

TEST_F(PresenceTest, NewsComeOnceUntilTheyAreTaken) {
  Watch();
  EXPECT_EQ(presence->Take(kLobby, 0), nullptr) << "nobody has looked yet";
  Tick();
  EXPECT_EQ(news, 1) << "also an empty room is news, the first time";
  for (const char* client : {"a", "b", "c"}) {
    Join(client);
    Tick(absl::Seconds(1));
  }
  EXPECT_EQ(news, 1);
  EXPECT_THAT(Names(), ElementsAre("a", "b", "c"));
  Tick(absl::Seconds(1));
  EXPECT_EQ(news, 1) << "nothing has changed";
  Join("d");
  Tick(absl::Milliseconds(999));
  EXPECT_EQ(news, 1) << "its turn is once a second";
  Tick(absl::Milliseconds(1));
  EXPECT_EQ(news, 2);
}

TEST_F(PresenceTest, TheGraceCountsFromTheFirstLookThatMissed) {
  Join("a");
  Join("b");
  Watch();
  Tick();
  Leave("a");
  Tick(absl::Seconds(100));
  EXPECT_THAT(Names(), ElementsAre("a", "b")) << "who knows since when";
  Tick(absl::Seconds(4));
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
  Join("a");
  Tick(absl::Seconds(1));
  Leave("a");
  Tick(absl::Seconds(1));
  Tick(absl::Seconds(4));
  EXPECT_THAT(Names(), ElementsAre("a", "b")) << "it was back meanwhile";
  Tick(absl::Seconds(1));
  EXPECT_THAT(Names(), ElementsAre("b"));
}

TEST_F(PresenceTest, ThoseWhoHaveGoneAreNoMoreThanMayBeNamed) {
  Watch();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) Join(std::to_string(10 * round + i));
    Tick(absl::Seconds(1));
    for (int i = 0; i < 4; ++i) Leave(std::to_string(10 * round + i));
    EXPECT_LE(Names().size(), 8u) << round;
  }
  EXPECT_THAT(Names(), ElementsAre("20", "21", "22", "23"));
}

TEST_F(PresenceTest, ARoomOfTenThousandHasACountAlone) {
  Watch();
  for (int i = 0; i < 10'000; ++i) Join(std::to_string(i));
  Tick();
  const auto state = presence->Take(kLobby, 0);
  ASSERT_NE(state, nullptr);
  EXPECT_FALSE(state->named);
  EXPECT_THAT(state->clients, IsEmpty());
  EXPECT_EQ(state->count, 10'000u);
}

TEST_F(PresenceTest, ARoomThatNobodyHearsOfMakesPlaceWhenItIsDue) {
  limits.rooms_max = 1;
  presence = Presence::Make(limits, directory, counters);
  for (int i = 0; i < 3; ++i) {
    Watch();
    Tick();
    presence->Unwatch(kLobby, 0);
    const absl::Status other = presence->Watch({"other"}, 0, [] {});
    EXPECT_EQ(ReasonOf(other), "PRESENCE_CAPACITY");
  }
  EXPECT_EQ(presence->Take(kLobby, 0), nullptr);
  Tick(absl::Seconds(1));
  EXPECT_TRUE(presence->Watch({"other"}, 0, [] {}).ok());
}

TEST_F(PresenceTest, AnAnswerMayComeBehindItsEnd) {
  ForgetfulDirectory late(directory);
  late.keeps_clients = true;
  presence = Presence::Make(limits, late, counters);
  Watch();
  Tick();
  Tick(absl::Seconds(1));
  EXPECT_EQ(late.reads_of_clients, 1) << "one question at a time";
  presence.reset();
  late.LetClientsThrough();
  EXPECT_EQ(news, 0);
}

// A client that loses its connection, and another one in its room.
class PresenceResumeTest : public ShardClientTest {
 protected:
  PresenceResumeTest() {
    node.Do(node.IdOf(bob), Release{});
    node.Own(bob, "bob", {"lobby"});
    node.Join(alice, "lobby");
    for (FakeConnection* connection : {&alice, &bob}) {
      node.Read(*connection);
      EXPECT_THAT(Say(node, *connection, R"({"presence":{"room":"lobby","on":true}})"), SizeIs(1));
    }
    node.shard(0).OnClose(bob, CloseCause::kConnectionLost, {.code = 1006});
    EXPECT_TRUE(bob.parked);
  }
  void PassSeconds(int seconds) {
    for (int second = 0; second < seconds; ++second) {
      node.Pass(absl::Seconds(1));
      node.Settle();
    }
  }

  MemorySessions sessions{{.server_id = "node-1", .incarnation = 0x6f2c9d0a51e7b384}};
  ShardFixture node{{.resume_window = absl::Seconds(20)}, 1, nullptr, &sessions};
  FakeConnection& alice = Alice(node);
  FakeConnection& bob = Alice(node);
};

TEST_F(PresenceResumeTest, WhoIsAwayIsShownAndHearsNothing) {
  node.Online("carol", {"lobby"});
  PassSeconds(2);
  EXPECT_THAT(node.Read(alice), ElementsAre(HasSubstr(R"("joined":["carol"],"count":3)")));
  EXPECT_TRUE(bob.outbox.empty());
  PassSeconds(17);
  EXPECT_THAT(node.Read(alice), IsEmpty());
  PassSeconds(9);
  EXPECT_THAT(node.Read(alice), ElementsAre(HasSubstr(R"("left":["bob"],"count":2)")));
}

TEST_F(PresenceResumeTest, AResumeShowsNothingAndTheClientAsksAgain) {
  PassSeconds(19);
  FakeConnection& back = node.connections().emplace_back();
  back.handshake = bob.handshake;
  node.shard(0).OnOpen(back,
                       SessionRecord{.connection = node.IdOf(bob),
                                     .path = "/ws",
                                     .own = {.client = {"bob"}, .rooms = {{"lobby"}}}},
                       "");
  node.Settle();
  PassSeconds(10);
  EXPECT_TRUE(bob.closed.has_value());
  EXPECT_THAT(node.Read(alice), IsEmpty());
  node.Read(back);
  node.Online("carol", {"lobby"});
  PassSeconds(2);
  EXPECT_THAT(node.Read(back), IsEmpty());
  EXPECT_THAT(Say(node, back, R"({"presence":{"room":"lobby","on":true}})"),
              ElementsAre(HasSubstr(R"("full":true,"joined":["alice","bob","carol"],"count":3)")));
}

}  // namespace
}  // namespace wsrouter
