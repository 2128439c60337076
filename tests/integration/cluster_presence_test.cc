// Who is in a room of a cluster, as its members hear it: gateways on one Redis, through real
// sockets.
#include <set>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/client_frames.h"
#include "tests/support/eventually.h"
#include "tests/support/gateway_node.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Limits WithGrace(absl::Duration grace) {
  return {.presence = {.interval = absl::Milliseconds(100), .grace = grace, .named_max = 20}};
}

// What a client knows of a room from what it heard.
struct Heard {
  std::set<std::string> names;
  uint64_t count = 0;
  int frames = 0;

  void Add(const json& presence) {
    if (presence.value("full", false)) names.clear();
    for (const json& name : presence.value("joined", json::array())) {
      EXPECT_TRUE(names.insert(name.get<std::string>()).second) << name << " twice";
    }
    for (const json& name : presence.value("left", json::array())) {
      EXPECT_EQ(names.erase(name.get<std::string>()), 1u) << name << " was not there";
    }
    count = presence.at("count");
    ++frames;
  }
};

class ClusterPresenceTest : public testing::Test {
 protected:
  explicit ClusterPresenceTest(absl::Duration grace = absl::Milliseconds(500))
      : one(redis, "one", 1, WithGrace(grace)), two(redis, "two", 2, WithGrace(grace)) {}

  static RawClient InLobby(GatewayNode& node, const std::string& name) {
    return node.InRoom("lobby", name);
  }
  static Heard TurnOn(RawClient& client) {
    EXPECT_TRUE(client.Send(ClientText(R"({"presence":{"id":"p","room":"lobby","on":true}})")));
    EXPECT_EQ(AwaitFrame(client, "ack")["id"], "p");
    const json first = AwaitFrame(client, "presence");
    EXPECT_TRUE(first.value("full", false)) << first;
    Heard heard;
    heard.Add(first);
    return heard;
  }
  // Reads until it knows of just these.
  static void AwaitNames(RawClient& client, Heard& heard, const std::set<std::string>& names) {
    while (heard.names != names && !testing::Test::HasFailure()) {
      heard.Add(AwaitFrame(client, "presence"));
    }
    EXPECT_EQ(heard.count, names.size());
  }

  PrivateRedis redis;
  GatewayNode one;
  GatewayNode two;
};

// In which nobody leaves before the test ends.
class ClusterPresenceGraceTest : public ClusterPresenceTest {
 protected:
  ClusterPresenceGraceTest() : ClusterPresenceTest(absl::Minutes(2)) {}
};

TEST_F(ClusterPresenceTest, JoinsAndLeavesOfAllNodesAreHeardOnBoth) {
  RawClient alice = InLobby(one, "alice");
  RawClient bob = InLobby(two, "bob");
  Heard at_one = TurnOn(alice);
  Heard at_two = TurnOn(bob);
  EXPECT_THAT(at_one.names, ElementsAre("alice", "bob"));
  EXPECT_THAT(at_two.names, ElementsAre("alice", "bob"));
  {
    RawClient carol = InLobby(two, "carol");
    AwaitNames(alice, at_one, {"alice", "bob", "carol"});
    AwaitNames(bob, at_two, {"alice", "bob", "carol"});
    EXPECT_TRUE(carol.Send(ClientText(R"({"leave":{"room":"lobby"}})")));
  }
  AwaitNames(alice, at_one, {"alice", "bob"});
  AwaitNames(bob, at_two, {"alice", "bob"});
  EXPECT_EQ(at_one.frames, 3);
  EXPECT_EQ(at_two.frames, 3);
}

TEST_F(ClusterPresenceTest, AClientWithAConnectionOnEachNodeIsThereOnce) {
  RawClient alice = InLobby(one, "alice");
  Heard heard = TurnOn(alice);
  RawClient phone = InLobby(one, "bob");
  AwaitNames(alice, heard, {"alice", "bob"});
  RawClient laptop = InLobby(two, "bob");
  phone.Send(ClientClose(1000));
  ASSERT_TRUE(Eventually([&] { return one.SizeOf("lobby").connections == 2; }));
  RawClient carol = InLobby(two, "carol");
  AwaitNames(alice, heard, {"alice", "bob", "carol"});
  laptop.Send(ClientClose(1000));
  AwaitNames(alice, heard, {"alice", "carol"});
  EXPECT_EQ(heard.frames, 4);
}

TEST_F(ClusterPresenceGraceTest, WhoIsBackInTimeWasNeverAwayOnWhicheverNode) {
  RawClient alice = InLobby(one, "alice");
  RawClient bob = InLobby(two, "bob");
  Heard heard = TurnOn(alice);
  for (int i = 0; i < 3; ++i) {
    bob.Send(ClientClose(1000));
    ASSERT_TRUE(Eventually([&] { return one.SizeOf("lobby").members == 1; }));
    bob = InLobby(i % 2 == 0 ? one : two, "bob");
  }
  RawClient carol = InLobby(two, "carol");
  AwaitNames(alice, heard, {"alice", "bob", "carol"});
  EXPECT_EQ(heard.frames, 2);
}

TEST_F(ClusterPresenceTest, WhoWasOnANodeThatCrashedLeavesOnce) {
  RawClient alice = InLobby(one, "alice");
  RawClient bob = InLobby(two, "bob");
  RawClient carol = InLobby(two, "carol");
  Heard heard = TurnOn(alice);
  EXPECT_THAT(heard.names, ElementsAre("alice", "bob", "carol"));
  two.Crash();
  AwaitNames(alice, heard, {"alice"});
  EXPECT_LE(heard.frames, 3) << "they may be missed by two looks";
  RawClient dave = InLobby(one, "dave");
  AwaitNames(alice, heard, {"alice", "dave"});
}

TEST_F(ClusterPresenceGraceTest, ARedisThatComesBackEmptyShowsNothing) {
  RawClient alice = InLobby(one, "alice");
  RawClient bob = InLobby(two, "bob");
  Heard heard = TurnOn(alice);
  redis.Kill();
  ASSERT_TRUE(Eventually([&] { return !one.up() && !two.up(); }));
  redis.Start();
  ASSERT_TRUE(Eventually([&] { return one.up() && two.up(); }));
  RawClient carol = InLobby(two, "carol");
  AwaitNames(alice, heard, {"alice", "bob", "carol"});
  EXPECT_EQ(heard.frames, 2);
}

TEST_F(ClusterPresenceTest, AFullRoomTellsItsCountAlone) {
  RawClient alice = InLobby(one, "alice");
  Heard heard = TurnOn(alice);
  std::vector<RawClient> many;
  for (int i = 0; i < 21; ++i) many.push_back(InLobby(two, fmt::format("c{}", i)));
  while (heard.count != 22 && !HasFailure()) heard.Add(AwaitFrame(alice, "presence"));
  EXPECT_THAT(heard.names, IsEmpty());
  many[0].Send(ClientClose(1000));
  many[1].Send(ClientClose(1000));
  while (heard.count != 20 && !HasFailure()) heard.Add(AwaitFrame(alice, "presence"));
  while (heard.names.size() != 20 && !HasFailure()) heard.Add(AwaitFrame(alice, "presence"));
}

}  // namespace
}  // namespace wsrouter
