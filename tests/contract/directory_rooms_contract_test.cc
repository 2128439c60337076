#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/contract/directory_contract.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DirectoryRoomsContractTest : public DirectoryContractTest {};

TEST_P(DirectoryRoomsContractTest, JoinCountsClientsAndConnections) {
  Start();
  EXPECT_FALSE(Join("lobby", 1, "alice")->already_member);
  const auto second = Join("lobby", 2, "alice");
  EXPECT_EQ(second->size.members, 1u);
  EXPECT_EQ(second->size.connections, 2u);
  const auto again = Join("lobby", 2, "alice");
  EXPECT_TRUE(again->already_member);
  EXPECT_EQ(again->size.connections, 2u);
  EXPECT_EQ(Join("lobby", 3, "bob")->size.members, 2u);
  EXPECT_EQ(Leave("lobby", Connection(1), "alice").members, 2u);
  EXPECT_EQ(Leave("lobby", Connection(2), "alice").members, 1u);
  EXPECT_EQ(Leave("lobby", Connection(2), "alice").members, 1u);
  EXPECT_FALSE(IsMember("lobby", "alice"));
  EXPECT_EQ(Leave("lobby", Connection(3), "bob").connections, 0u);
  EXPECT_THAT(Rooms("", "", 10).rooms, IsEmpty());
}

TEST_P(DirectoryRoomsContractTest, ARejoinAtCapacityIsStillAMember) {
  Start({.room_members_capacity = 1});
  EXPECT_TRUE(Join("lobby", 1, "alice").ok());
  EXPECT_TRUE(Join("lobby", 1, "alice")->already_member);
  EXPECT_FALSE(Join("lobby", 2, "alice").ok());
  EXPECT_EQ(Leave("lobby", Connection(1), "alice").connections, 0u);
  EXPECT_TRUE(Join("other", 2, "alice").ok());
}

TEST_P(DirectoryRoomsContractTest, MembersThatStayAreListedOnceThoughOthersJoinAndLeave) {
  Start();
  std::set<std::string> staying;
  for (uint64_t i = 0; i < 60; ++i) {
    const std::string client = "c" + std::to_string(i);
    EXPECT_TRUE(Join("lobby", i, client).ok());
    if (i % 3 != 0) staying.insert(client);
  }
  std::multiset<std::string> listed;
  std::string cursor;
  uint64_t turn = 0;
  do {
    const MembersPage page = Members("lobby", cursor, 7);
    ASSERT_LE(page.members.size(), 7u);
    for (const MemberRow& row : page.members) listed.insert(row.client.value);
    cursor = page.next_cursor;
    Leave("lobby", Connection(turn * 3), "c" + std::to_string(turn * 3));
    EXPECT_TRUE(Join("lobby", 1000 + turn, "new" + std::to_string(turn)).ok());
    ASSERT_LT(++turn, 60u) << "pages without end";
  } while (!cursor.empty());
  for (const std::string& client : staying) EXPECT_EQ(listed.count(client), 1u) << client;
  for (const std::string& client : listed) EXPECT_EQ(listed.count(client), 1u) << client;
}

TEST_P(DirectoryRoomsContractTest, MembersListAClientOnceWithAllItsConnections) {
  Start();
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(Join("lobby", i, "alice").ok());
  const MembersPage page = Members("lobby", "", 1);
  ASSERT_EQ(page.members.size(), 1u);
  EXPECT_EQ(page.members[0].client.value, "alice");
  EXPECT_THAT(page.members[0].connections,
              testing::UnorderedElementsAre(Connection(1), Connection(2), Connection(3)));
  EXPECT_EQ(page.next_cursor, "");
  EXPECT_THAT(Members("nowhere", "", 10).members, IsEmpty());
}

TEST_P(DirectoryRoomsContractTest, ClientsAreEachThereOnceOrOnlyCounted) {
  Start();
  const auto names = [](const RoomClients& clients) {
    std::multiset<std::string> found;
    for (const ClientId& client : clients.clients) found.insert(client.value);
    return found;
  };
  EXPECT_EQ(Clients("lobby", 10).count, 0u);
  EXPECT_THAT(Clients("lobby", 0).clients, IsEmpty());
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(Join("lobby", i, "alice").ok());
  EXPECT_TRUE(Join("lobby", 4, "b:{*}").ok());
  EXPECT_TRUE(Join("other", 5, "carol").ok());
  const RoomClients all = Clients("lobby", 2);
  EXPECT_EQ(all.count, 2u);
  EXPECT_THAT(names(all), ElementsAre("alice", "b:{*}"));
  const RoomClients counted = Clients("lobby", 1);
  EXPECT_EQ(counted.count, 2u);
  EXPECT_THAT(counted.clients, IsEmpty());
  Leave("lobby", Connection(4), "b:{*}");
  Leave("lobby", Connection(2), "alice");
  EXPECT_THAT(names(Clients("lobby", 2)), ElementsAre("alice"));
}

TEST_P(DirectoryRoomsContractTest, AThousandClientsAreNamedAtOnce) {
  Start();
  for (uint64_t i = 0; i < 1000; ++i) {
    directory().Join({"lobby"}, Connection(i), {"c" + std::to_string(i)}, [](auto) {});
  }
  const RoomClients all = Clients("lobby", 1000);
  EXPECT_EQ(all.count, 1000u);
  std::set<std::string> names;
  for (const ClientId& client : all.clients) names.insert(client.value);
  EXPECT_EQ(names.size(), 1000u);
  EXPECT_TRUE(Join("lobby", 1000, "one more").ok());
  EXPECT_THAT(Clients("lobby", 1000).clients, IsEmpty());
  EXPECT_EQ(Clients("lobby", 1000).count, 1001u);
}

TEST_P(DirectoryRoomsContractTest, RoomsArePagedByPrefix) {
  Start();
  std::set<std::string> expected;
  uint64_t counter = 0;
  for (const std::string room : {"chat", "chat:", "chat:1", "chat:10", "chat:2", "chat:\xC3\xA4",
                                 "chat:[a]*", "cha", "chau", "other", "CHAT:1"}) {
    EXPECT_TRUE(Join(room, ++counter, "alice").ok());
    if (room.starts_with("chat:")) expected.insert(room);
  }
  std::multiset<std::string> listed;
  std::string cursor;
  do {
    const RoomsPage page = Rooms("chat:", cursor, 2);
    ASSERT_LE(page.rooms.size(), 2u);
    for (const RoomRow& row : page.rooms) {
      listed.insert(row.room.value);
      EXPECT_EQ(row.size.connections, 1u);
    }
    cursor = page.next_cursor;
    ASSERT_LE(listed.size(), 20u) << "pages without end";
  } while (!cursor.empty());
  EXPECT_EQ(listed, std::multiset<std::string>(expected.begin(), expected.end()));
  EXPECT_EQ(Rooms("", "", 100).rooms.size(), 11u);
  EXPECT_THAT(Rooms("nothing", "", 10).rooms, IsEmpty());
}

TEST_P(DirectoryRoomsContractTest, HostileNamesAreNamesLikeOthers) {
  Start();
  const std::vector<std::string> names = {"*",
                                          "a*",
                                          "[a]",
                                          "?",
                                          ":",
                                          "a:b",
                                          "{a}",
                                          "}{",
                                          "a\\b",
                                          "%s%n",
                                          "\"",
                                          "'; --",
                                          " ",
                                          "a b",
                                          "../..",
                                          "0",
                                          "-1",
                                          "nil",
                                          "false",
                                          std::string(255, 'x'),
                                          "\xF0\x9F\x98\x80",
                                          "\xEF\xBF\xBF"};
  for (uint64_t i = 0; i < names.size(); ++i) {
    EXPECT_TRUE(Bind(i, names[i]).ok());
    EXPECT_TRUE(Join(names[i], i, names[i]).ok());
  }
  for (uint64_t i = 0; i < names.size(); ++i) {
    EXPECT_THAT(Client(names[i]), ElementsAre(Connection(i))) << names[i];
    EXPECT_EQ(Size(names[i]).members, 1u) << names[i];
    const MembersPage page = Members(names[i], "", 10);
    ASSERT_EQ(page.members.size(), 1u);
    EXPECT_EQ(page.members[0].client.value, names[i]);
    EXPECT_GE(Rooms(names[i], "", 100).rooms.size(), 1u);
  }
  EXPECT_EQ(Count().clients, names.size());
  for (uint64_t i = 0; i < names.size(); ++i) Unbind(Connection(i), names[i], {{names[i]}});
  EXPECT_EQ(Count().connections, 0u);
  EXPECT_THAT(Rooms("", "", 100).rooms, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Engines, DirectoryRoomsContractTest, testing::ValuesIn(EngineKinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace wsrouter
