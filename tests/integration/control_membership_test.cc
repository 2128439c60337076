// Own, Release, Join, Leave and Disconnect through a real gRPC server.
#include "absl/time/time.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/control_node.h"

namespace wsrouter {
namespace {

using Stub = v1::Router::Stub;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kGone[] = "node-1.6f2c9d0a51e7b384.00.ffff";

class ControlMembershipTest : public testing::Test {
 protected:
  std::string Own(const ConnectionId& id, std::string_view rest) {
    return fmt::format(R"({{"connection_id":"{}",{}}})", id.ToString(), rest);
  }
  ControlNode node_{
      {.room_members_capacity = 3, .connections_per_client = 2, .rooms_per_connection = 2}};
};

TEST_F(ControlMembershipTest, OwnBindsTheClientAndJoinsItsRooms) {
  const ConnectionId id = node_.shard.Open();

  const auto owned = node_.Call(
      &Stub::Own, Own(id, R"("client_id":"alice","rooms":["lobby"],"labels":{"device":"phone"})"));

  ASSERT_TRUE(owned.ok()) << owned.message;
  ASSERT_EQ(owned.response.rooms_size(), 1);
  EXPECT_EQ(owned.response.rooms(0).result(), v1::MEMBERSHIP_RESULT_JOINED);
  EXPECT_EQ(owned.response.rooms(0).members(), 1u);
  const auto client = node_.Call(&Stub::GetClient, R"({"client_id":"alice"})");
  ASSERT_EQ(client.response.connections_size(), 1);
  EXPECT_EQ(client.response.connections(0).connection_id(), id.ToString());
  EXPECT_EQ(client.response.connections(0).labels().at("device"), "phone");
  EXPECT_THAT(client.response.connections(0).rooms(), ElementsAre("lobby"));
}

TEST_F(ControlMembershipTest, OwnOfAConnectionThatNobodyHasIsGone) {
  for (const char* id : {kGone, "node-1.6f2c9d0a51e7b384.07.1", "node-1.6f2c9d0a51e7b385.00.1",
                         "node-2.6f2c9d0a51e7b384.00.1", "nonsense"}) {
    const auto owned =
        node_.Call(&Stub::Own, fmt::format(R"({{"connection_id":"{}","client_id":"alice"}})", id));
    EXPECT_EQ(owned.code, grpc::StatusCode::NOT_FOUND) << id;
    EXPECT_EQ(owned.reason, "CONNECTION_GONE") << id;
  }
}

TEST_F(ControlMembershipTest, OwnByAnotherClientIsRefused) {
  const ConnectionId id = node_.Online("alice");
  const auto owned = node_.Call(&Stub::Own, Own(id, R"("client_id":"bob")"));
  EXPECT_EQ(owned.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(owned.reason, "CONNECTION_ALREADY_OWNED");
}

TEST_F(ControlMembershipTest, DuplicatesAreAllowedReplacedOrRejected) {
  const ConnectionId first = node_.Online("alice");
  const ConnectionId second = node_.Online("alice");
  const ConnectionId third = node_.shard.Open();

  const auto over = node_.Call(&Stub::Own, Own(third, R"("client_id":"alice")"));
  EXPECT_EQ(over.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(over.reason, "CONNECTIONS_PER_CLIENT");
  const auto rejected = node_.Call(
      &Stub::Own, Own(third, R"("client_id":"alice","on_duplicate":"ON_DUPLICATE_REJECT")"));
  EXPECT_EQ(rejected.code, grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(rejected.reason, "CLIENT_ALREADY_OWNED");
  const auto replaced = node_.Call(
      &Stub::Own, Own(third, R"("client_id":"alice","on_duplicate":"ON_DUPLICATE_REPLACE")"));
  ASSERT_TRUE(replaced.ok()) << replaced.message;

  EXPECT_THAT(replaced.response.displaced_connection_ids(),
              testing::UnorderedElementsAre(first.ToString(), second.ToString()));
  EXPECT_EQ(node_.shard.Closed(first)->code, 4020);
  EXPECT_EQ(node_.shard.Closed(second)->code, 4020);
  EXPECT_FALSE(node_.shard.Closed(third).has_value());
}

TEST_F(ControlMembershipTest, OwnThatExpiredIsRefused) {
  const ConnectionId id = node_.shard.Open();
  const auto owned =
      node_.Call(&Stub::Own, Own(id, R"("client_id":"alice","expires_at":"2001-01-01T00:00:00Z")"));
  EXPECT_EQ(owned.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(owned.field, "expires_at");
}

TEST_F(ControlMembershipTest, RefusedRoomDoesNotUndoTheOwnership) {
  const ConnectionId id = node_.shard.Open();

  const auto owned =
      node_.Call(&Stub::Own, Own(id, R"("client_id":"alice","rooms":["a","b","c","a"])"));

  ASSERT_TRUE(owned.ok()) << owned.message;
  ASSERT_EQ(owned.response.rooms_size(), 3);
  EXPECT_EQ(owned.response.rooms(2).room(), "c");
  EXPECT_EQ(owned.response.rooms(2).result(), v1::MEMBERSHIP_RESULT_REFUSED);
  EXPECT_EQ(owned.response.rooms(2).reason(), "ROOMS_PER_CONNECTION");
}

TEST_F(ControlMembershipTest, JoinByClientJoinsAllItsConnectionsInOneRow) {
  node_.Online("alice");
  node_.Online("alice", R"("lobby")");

  const auto joined = node_.Call(&Stub::Join, R"({"client_id":"alice","rooms":["lobby"]})");

  ASSERT_TRUE(joined.ok()) << joined.message;
  ASSERT_EQ(joined.response.rooms_size(), 1);
  EXPECT_EQ(joined.response.rooms(0).result(), v1::MEMBERSHIP_RESULT_JOINED);
  EXPECT_EQ(joined.response.rooms(0).changed(), 1u);
  EXPECT_EQ(joined.response.rooms(0).members(), 1u);
  EXPECT_EQ(joined.response.rooms(0).connections(), 2u);
}

TEST_F(ControlMembershipTest, JoinNeedsSomebodyWhoCanJoin) {
  const auto offline = node_.Call(&Stub::Join, R"({"client_id":"nobody","rooms":["lobby"]})");
  EXPECT_EQ(offline.code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(offline.reason, "CLIENT_OFFLINE");
  const auto gone =
      node_.Call(&Stub::Join, fmt::format(R"({{"connection_id":"{}","rooms":["lobby"]}})", kGone));
  EXPECT_EQ(gone.reason, "CONNECTION_GONE");
  const auto unowned = node_.Call(&Stub::Join, Own(node_.shard.Open(), R"("rooms":["lobby"])"));
  EXPECT_EQ(unowned.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(unowned.reason, "CONNECTION_NOT_OWNED");
}

TEST_F(ControlMembershipTest, JoinThatEveryRoomRefusesFails) {
  node_.Online("alice", R"("a","b")");
  node_.Online("bob", R"("a")");

  const auto full = node_.Call(&Stub::Join, R"({"client_id":"bob","rooms":["x"]})");
  EXPECT_EQ(full.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(full.reason, "CAPACITY_ROOM_MEMBERS");
  const auto some = node_.Call(&Stub::Join, R"({"client_id":"bob","rooms":["x","a"]})");
  ASSERT_TRUE(some.ok()) << some.message;
  EXPECT_EQ(some.response.rooms(0).result(), v1::MEMBERSHIP_RESULT_REFUSED);
  EXPECT_EQ(some.response.rooms(1).result(), v1::MEMBERSHIP_RESULT_ALREADY_MEMBER);
}

TEST_F(ControlMembershipTest, LeaveIsIdempotent) {
  node_.Online("alice", R"("lobby")");

  const auto left = node_.Call(&Stub::Leave, R"({"client_id":"alice","rooms":["lobby","x"]})");
  ASSERT_TRUE(left.ok()) << left.message;
  EXPECT_EQ(left.response.rooms(0).result(), v1::MEMBERSHIP_RESULT_LEFT);
  EXPECT_EQ(left.response.rooms(0).changed(), 1u);
  EXPECT_EQ(left.response.rooms(1).result(), v1::MEMBERSHIP_RESULT_NOT_A_MEMBER);
  for (const std::string& target :
       {std::string(R"("client_id":"alice")"), std::string(R"("client_id":"nobody")"),
        fmt::format(R"("connection_id":"{}")", kGone),
        std::string(R"("connection_id":"nonsense")")}) {
    const auto again = node_.Call(&Stub::Leave, fmt::format(R"({{{},"rooms":["lobby"]}})", target));
    ASSERT_TRUE(again.ok()) << target << again.message;
    ASSERT_EQ(again.response.rooms_size(), 1);
    EXPECT_EQ(again.response.rooms(0).result(), v1::MEMBERSHIP_RESULT_NOT_A_MEMBER) << target;
  }
}

TEST_F(ControlMembershipTest, ReleaseEndsOwnershipOnceAndKeepsTheConnection) {
  const ConnectionId id = node_.Online("alice", R"("lobby")");

  EXPECT_EQ(node_.Call(&Stub::Release, R"({"client_id":"alice"})").response.released(), 1u);
  const auto again = node_.Call(&Stub::Release, R"({"client_id":"alice"})");
  EXPECT_TRUE(again.ok());
  EXPECT_EQ(again.response.released(), 0u);
  EXPECT_TRUE(node_.Call(&Stub::Release, R"({"connection_id":"nonsense"})").ok());
  EXPECT_FALSE(node_.shard.Closed(id).has_value());
  EXPECT_EQ(node_.Call(&Stub::RoomSize, R"({"room":"lobby"})").response.members(), 0u);
}

TEST_F(ControlMembershipTest, ReleaseWithCloseClosesAsItSays) {
  const ConnectionId plain = node_.Online("alice");
  const ConnectionId coded = node_.Online("bob");

  node_.Call(&Stub::Release, R"({"client_id":"alice","close":{}})");
  node_.Call(&Stub::Release, R"({"client_id":"bob","close":{"code":1000,"reason":"bye"}})");

  EXPECT_EQ(node_.shard.Closed(plain)->code, 4021);
  EXPECT_EQ(node_.shard.Closed(coded)->code, 1000);
  EXPECT_EQ(node_.shard.Closed(coded)->reason, "bye");
}

TEST_F(ControlMembershipTest, DisconnectReachesConnectionsClientsAndRooms) {
  const ConnectionId unowned = node_.shard.Open();
  const ConnectionId client = node_.Online("alice");
  const ConnectionId member = node_.Online("bob", R"("lobby")");

  node_.Call(&Stub::Disconnect, Own(unowned, R"("code":4003)"));
  node_.Call(&Stub::Disconnect, R"({"client_id":"alice"})");
  const auto room = node_.Call(&Stub::Disconnect, R"({"room":"lobby","reason":"closing"})");

  EXPECT_EQ(room.response.disconnected(), 1u);
  EXPECT_EQ(node_.shard.Closed(unowned)->code, 4003);
  EXPECT_EQ(node_.shard.Closed(client)->code, 4021);
  EXPECT_EQ(node_.shard.Closed(member)->reason, "closing");
  EXPECT_EQ(node_.Call(&Stub::Disconnect, R"({"room":"lobby"})").response.disconnected(), 0u);
}

}  // namespace
}  // namespace wsrouter
