// The questions, and the Admin service, through a real gRPC server.
#include <set>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/control_node.h"

namespace wsrouter {
namespace {

using Stub = v1::Router::Stub;
using testing::ElementsAre;
using testing::IsEmpty;

class ControlQueryTest : public testing::Test {
 protected:
  ControlNode node_;
};

TEST_F(ControlQueryTest, IsMemberKnowsClientsAndConnections) {
  const ConnectionId in = node_.Online("alice", R"("lobby")");
  const ConnectionId out = node_.Online("alice");
  const auto member = [&](const std::string& target) {
    const auto called =
        node_.Call(&Stub::IsMember, fmt::format(R"({{"room":"lobby",{}}})", target));
    EXPECT_TRUE(called.ok()) << called.message;
    return called.response.member();
  };
  EXPECT_TRUE(member(R"("client_id":"alice")"));
  EXPECT_FALSE(member(R"("client_id":"nobody")"));
  EXPECT_TRUE(member(fmt::format(R"("connection_id":"{}")", in.ToString())));
  EXPECT_FALSE(member(fmt::format(R"("connection_id":"{}")", out.ToString())));
  EXPECT_FALSE(member(R"("connection_id":"nonsense")"));
  EXPECT_FALSE(member(R"("connection_id":"node-9.6f2c9d0a51e7b384.00.1")"));
}

TEST_F(ControlQueryTest, RoomSizeCountsClientsAndConnections) {
  node_.Online("alice", R"("lobby")");
  node_.Online("alice", R"("lobby")");
  node_.Online("bob", R"("lobby")");

  const auto size = node_.Call(&Stub::RoomSize, R"({"room":"lobby"})");
  EXPECT_EQ(size.response.members(), 2u);
  EXPECT_EQ(size.response.connections(), 3u);
  EXPECT_EQ(node_.Call(&Stub::RoomSize, R"({"room":"nowhere"})").response.connections(), 0u);
}

TEST_F(ControlQueryTest, MembersArePagedEachOnce) {
  const ConnectionId alice = node_.Online("alice", R"("lobby")");
  node_.Online("bob", R"("lobby")");
  node_.Online("carol", R"("lobby")");

  const auto first = node_.Call(&Stub::Members, R"({"room":"lobby","count":2})");
  ASSERT_EQ(first.response.members_size(), 2);
  EXPECT_THAT(first.response.members(0).connection_ids(), IsEmpty());
  const auto second = node_.Call(
      &Stub::Members,
      fmt::format(R"({{"room":"lobby","count":2,"cursor":"{}"}})", first.response.next_cursor()));
  ASSERT_EQ(second.response.members_size(), 1);
  EXPECT_EQ(second.response.members(0).client_id(), "carol");
  EXPECT_EQ(second.response.next_cursor(), "");
  const auto ids = node_.Call(&Stub::Members, R"({"room":"lobby","include_connections":true})");
  EXPECT_THAT(ids.response.members(0).connection_ids(), ElementsAre(alice.ToString()));
}

TEST_F(ControlQueryTest, MembersHaveTheirLabelsWhereTheyAreAskedFor) {
  node_.Online("alice", R"("lobby")");
  const ConnectionId bob = node_.shard.Open();
  ASSERT_TRUE(node_
                  .Call(&Stub::Own, fmt::format(R"({{"connection_id":"{}","client_id":"bob",
                        "rooms":["lobby"],"labels":{{"device":"phone"}}}})",
                                                bob.ToString()))
                  .ok());
  const auto labelled = node_.Call(&Stub::Members, R"({"room":"lobby","include_labels":true})");
  ASSERT_EQ(labelled.response.members_size(), 2);
  EXPECT_THAT(labelled.response.members(0).labels(), IsEmpty());
  EXPECT_THAT(labelled.response.members(1).labels(), ElementsAre(testing::Pair("device", "phone")));
  const auto bare = node_.Call(&Stub::Members, R"({"room":"lobby"})");
  EXPECT_THAT(bare.response.members(1).labels(), IsEmpty());
  const auto nobody = node_.Call(&Stub::Members, R"({"room":"nowhere","include_labels":true})");
  EXPECT_TRUE(nobody.ok());
  EXPECT_THAT(nobody.response.members(), IsEmpty());
  const auto many =
      node_.Call(&Stub::Members, R"({"room":"lobby","include_labels":true,"count":101})");
  EXPECT_EQ(many.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(many.reason, "FIELD_OUT_OF_RANGE");
  EXPECT_EQ(many.field, "count");
}

TEST_F(ControlQueryTest, RoomsArePagedByPrefix) {
  node_.Online("alice", R"("chat:1","chat:2","news")");

  const auto first = node_.Call(&Stub::Rooms, R"({"prefix":"chat:","count":1})");
  ASSERT_EQ(first.response.rooms_size(), 1);
  EXPECT_EQ(first.response.rooms(0).room(), "chat:1");
  EXPECT_EQ(first.response.rooms(0).members(), 1u);
  const auto second = node_.Call(&Stub::Rooms, fmt::format(R"({{"prefix":"chat:","cursor":"{}"}})",
                                                           first.response.next_cursor()));
  ASSERT_EQ(second.response.rooms_size(), 1);
  EXPECT_EQ(second.response.rooms(0).room(), "chat:2");
  EXPECT_EQ(second.response.next_cursor(), "");
}

TEST_F(ControlQueryTest, OnlineCountsLeaveTheUnownedOut) {
  node_.Online("alice");
  node_.Online("alice");
  node_.shard.Open();

  const auto count = node_.Call(&Stub::OnlineCount, "{}");
  EXPECT_EQ(count.response.clients(), 1u);
  EXPECT_EQ(count.response.connections(), 2u);
  const auto servers = node_.Call(&Stub::OnlineByServer, "{}");
  ASSERT_EQ(servers.response.servers_size(), 1);
  EXPECT_EQ(servers.response.servers(0).server_id(), "node-1");
  EXPECT_EQ(servers.response.servers(0).incarnation(), "6f2c9d0a51e7b384");
  EXPECT_EQ(servers.response.servers(0).connections(), 2u);
}

TEST_F(ControlQueryTest, GetClientOfNobodyIsEmpty) {
  const auto client = node_.Call(&Stub::GetClient, R"({"client_id":"nobody"})");
  EXPECT_TRUE(client.ok());
  EXPECT_THAT(client.response.connections(), IsEmpty());
}

TEST_F(ControlQueryTest, ConnectionsArePagedOverShardsEachOnce) {
  ShardHost other({.node = node_.node,
                   .index = 1,
                   .broker = node_.broker,
                   .directory = node_.directory,
                   .events = node_.hub,
                   .stats = node_.stats});
  std::set<std::string> opened;
  for (int i = 0; i < 4; ++i) {
    opened.insert(node_.shard.Open().ToString());
    opened.insert(other.Open().ToString());
  }

  std::set<std::string> listed;
  std::string cursor;
  for (int pages = 0; pages < 4; ++pages) {
    const auto page =
        node_.Call(&Stub::Connections, fmt::format(R"({{"count":3,"cursor":"{}"}})", cursor));
    ASSERT_TRUE(page.ok()) << page.message;
    for (const auto& connection : page.response.connections()) {
      EXPECT_EQ(connection.peer(), "192.0.2.1:1000");
      EXPECT_TRUE(listed.insert(connection.connection_id()).second);
    }
    cursor = page.response.next_cursor();
    if (cursor.empty()) break;
  }
  EXPECT_EQ(cursor, "");
  EXPECT_EQ(listed, opened);
}

TEST_F(ControlQueryTest, CursorsThatWereNotGivenAreRefused) {
  const auto refused = [](const auto& called) {
    return called.code == grpc::StatusCode::INVALID_ARGUMENT && called.field == "cursor" &&
           called.reason == "CURSOR_INVALID";
  };
  EXPECT_TRUE(refused(node_.Call(&Stub::Connections, R"({"cursor":"x"})")));
  EXPECT_TRUE(
      refused(node_.Call(&Stub::Connections, R"({"cursor":"node-2.6f2c9d0a51e7b384.00.1"})")));
  EXPECT_TRUE(refused(node_.Call(&Stub::Members, R"({"room":"a","cursor":"\n"})")));
  EXPECT_TRUE(refused(node_.Call(&Stub::Rooms, R"({"prefix":"chat:","cursor":"news"})")));
}

TEST_F(ControlQueryTest, StatsListEveryCounterAndGauge) {
  node_.Online("alice", R"("lobby")");
  node_.shard.Open();

  const auto stats = node_.Call(*node_.admin, &v1::Admin::Stub::Stats, "{}");

  ASSERT_TRUE(stats.ok()) << stats.message;
  EXPECT_EQ(stats.response.server_id(), "node-1");
  EXPECT_EQ(stats.response.version(), "0.0.1");
  EXPECT_EQ(stats.response.counters_size(), static_cast<int>(kCounterNames.size()));
  EXPECT_EQ(stats.response.counters().at("owns_total"), 1u);
  EXPECT_EQ(stats.response.counters().at("hmac_verify_failures_total"), 0u);
  node_.shard.Run([] {});  // gauges are shown at the end of a turn
  const auto later = node_.Call(*node_.admin, &v1::Admin::Stub::Stats, "{}");
  EXPECT_EQ(later.response.gauges().at("connections"), 2);
  EXPECT_EQ(later.response.gauges().at("connections_unowned"), 1);
  EXPECT_EQ(later.response.gauges().at("watchers"), 0);
}

TEST_F(ControlQueryTest, AdminShowsNodesConfigAndReapsNothing) {
  const auto nodes = node_.Call(*node_.admin, &v1::Admin::Stub::Nodes, "{}");
  ASSERT_EQ(nodes.response.nodes_size(), 1);
  EXPECT_TRUE(nodes.response.nodes(0).self());
  EXPECT_EQ(nodes.response.nodes(0).version(), "0.0.1");
  const auto config = node_.Call(*node_.admin, &v1::Admin::Stub::GetConfig, "{}");
  EXPECT_EQ(config.response.yaml(), "node:\n  server_id: node-1\n");
  const auto reaped = node_.Call(*node_.admin, &v1::Admin::Stub::RunStaleServerGC, "{}");
  EXPECT_TRUE(reaped.ok());
  EXPECT_EQ(reaped.response.reaped_rows(), 0u);
}

TEST_F(ControlQueryTest, DrainAndUndrainTellTheNodeAndStatsShowsIt) {
  node_.Online("alice");
  const auto drained = node_.Call(*node_.admin, &v1::Admin::Stub::Drain, R"({"window":"2.5s"})");
  ASSERT_TRUE(drained.ok()) << drained.message;
  EXPECT_EQ(drained.response.connections(), 1u);
  EXPECT_EQ(node_.drains.window(), absl::Milliseconds(2500));
  const auto draining = [this] {
    return node_.Call(*node_.admin, &v1::Admin::Stub::Stats, "{}").response.gauges().at("draining");
  };
  EXPECT_EQ(draining(), 1);
  ASSERT_TRUE(node_.Call(*node_.admin, &v1::Admin::Stub::Undrain, "{}").ok());
  EXPECT_EQ(draining(), 0);
}

TEST_F(ControlQueryTest, DrainRefusesAWindowThatIsOutOfRangeAndDoesNothing) {
  for (const char* window : {"-1s", "3600.000000001s", "315576000000s"}) {
    const auto refused = node_.Call(*node_.admin, &v1::Admin::Stub::Drain,
                                    fmt::format(R"({{"window":"{}"}})", window));
    EXPECT_EQ(refused.code, grpc::StatusCode::INVALID_ARGUMENT) << window;
    EXPECT_EQ(refused.reason, "FIELD_OUT_OF_RANGE");
    EXPECT_EQ(refused.field, "window");
  }
  EXPECT_FALSE(node_.drains.draining());
}

}  // namespace
}  // namespace wsrouter
