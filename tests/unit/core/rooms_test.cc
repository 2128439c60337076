#include "core/rooms.h"

#include <deque>
#include <random>
#include <set>

#include "gmock/gmock.h"

namespace wsrouter {
namespace {

TEST(RoomsTest, ExistWhileTheyHaveMembers) {
  Rooms rooms;
  Connection alice;
  Connection bob;
  EXPECT_EQ(rooms.Find({"lobby"}), nullptr);
  rooms.Add(alice, {"lobby"});
  rooms.Add(bob, {"lobby"});
  EXPECT_EQ(rooms.size(), 1u);
  EXPECT_TRUE(rooms.Remove(alice, {"lobby"}));
  ASSERT_NE(rooms.Find({"lobby"}), nullptr);
  EXPECT_THAT(rooms.Find({"lobby"})->members, testing::ElementsAre(&bob));
  EXPECT_TRUE(rooms.Remove(bob, {"lobby"}));
  EXPECT_EQ(rooms.Find({"lobby"}), nullptr);
  EXPECT_EQ(rooms.size(), 0u);
}

TEST(RoomsTest, RemoveIsFalseForWhoIsNoMember) {
  Rooms rooms;
  Connection alice;
  Connection bob;
  rooms.Add(alice, {"lobby"});
  EXPECT_FALSE(rooms.Remove(bob, {"lobby"}));
  EXPECT_FALSE(rooms.Remove(alice, {"other"}));
  EXPECT_TRUE(rooms.Remove(alice, {"lobby"}));
  EXPECT_FALSE(rooms.Remove(alice, {"lobby"}));
}

TEST(RoomsTest, OfAConnectionAreListedByName) {
  Rooms rooms;
  Connection alice;
  for (const char* name : {"c", "a", "b"}) rooms.Add(alice, {name});
  EXPECT_THAT(RoomsOf(alice), testing::ElementsAre(RoomName{"a"}, RoomName{"b"}, RoomName{"c"}));
  rooms.Remove(alice, {"a"});
  EXPECT_THAT(RoomsOf(alice), testing::ElementsAre(RoomName{"b"}, RoomName{"c"}));
}

TEST(RoomsTest, KeepEveryPlaceTrueUnderAnyOrderOfJoinsAndLeaves) {
  std::mt19937 random(11);
  Rooms rooms;
  std::deque<Connection> connections(12);
  std::set<std::pair<size_t, std::string>> expected;
  for (int step = 0; step < 4000; ++step) {
    const size_t who = random() % connections.size();
    const RoomName room{std::string(1, static_cast<char>('a' + random() % 6))};
    const bool member = expected.contains({who, room.value});
    ASSERT_EQ(Rooms::Has(connections[who], room), member);
    if (member) {
      ASSERT_TRUE(rooms.Remove(connections[who], room));
      expected.erase({who, room.value});
    } else {
      rooms.Add(connections[who], room);
      expected.insert({who, room.value});
    }
    size_t memberships = 0;
    for (const Connection& connection : connections) {
      for (const Connection::Membership& membership : connection.rooms) {
        ASSERT_EQ(membership.room->members[membership.place], &connection);
        ++memberships;
      }
    }
    ASSERT_EQ(memberships, expected.size());
  }
}

}  // namespace
}  // namespace wsrouter
