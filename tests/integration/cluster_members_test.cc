// The members of a room of a cluster with their labels: gateways on one Redis.
#include <set>
#include <string>
#include <vector>

#include "control/member_labels.h"
#include "control/query_calls.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/gateway_node.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using ::testing::IsEmpty;

// What Router.Members answers on a node.
class ClusterMembersTest : public testing::Test {
 protected:
  static RawClient InLobby(GatewayNode& node, const std::string& name, const Labels& labels = {}) {
    return node.InRoom("lobby", name, labels);
  }
  v1::MembersResponse Members(GatewayNode& node, const std::string& cursor, uint32_t count) {
    QueryCalls calls(node.engine().broker(), node.engine().directory(), node.id());
    v1::MembersRequest request;
    request.set_room("lobby");
    request.set_cursor(cursor);
    request.set_count(count);
    request.set_include_labels(true);
    Awaited<absl::StatusOr<v1::MembersResponse>> answer;
    calls.Members(request, answer.Take());
    return answer.Wait().value_or(v1::MembersResponse{});
  }
  static std::string LabelOf(const v1::Member& member, const std::string& key) {
    const auto found = member.labels().find(key);
    return found == member.labels().end() ? "" : found->second;
  }

  PrivateRedis redis;
  GatewayNode one{redis, "one", 1};
  GatewayNode two{redis, "two", 2};
};

TEST_F(ClusterMembersTest, LabelsComeFromTheNodesThatHoldTheMembers) {
  RawClient alice = InLobby(one, "alice", {{"device", "phone"}});
  RawClient bob = InLobby(two, "bob", {{"device", "watch"}});
  RawClient older = InLobby(one, "carol", {{"device", "old"}});
  RawClient newer = InLobby(two, "carol", {{"device", "new"}});
  RawClient dave = InLobby(two, "dave");
  for (GatewayNode* node : {&one, &two}) {
    const auto page = Members(*node, "", 10);
    ASSERT_EQ(page.members_size(), 4);
    EXPECT_EQ(LabelOf(page.members(0), "device"), "phone");
    EXPECT_EQ(LabelOf(page.members(1), "device"), "watch");
    EXPECT_EQ(LabelOf(page.members(2), "device"), "new");
    EXPECT_THAT(page.members(3).labels(), IsEmpty());
    EXPECT_THAT(page.members(0).connection_ids(), IsEmpty());
    EXPECT_FALSE(page.partial());
    EXPECT_EQ(page.next_cursor(), "");
  }
  const auto second = Members(one, "alice", 1);
  ASSERT_EQ(second.members_size(), 1);
  EXPECT_EQ(LabelOf(second.members(0), "device"), "watch");
  EXPECT_EQ(second.next_cursor(), "bob");
}

TEST_F(ClusterMembersTest, APageHasNoMoreOctetsOfLabelsThanItMay) {
  Labels large;
  for (int i = 0; i < 32; ++i) large[fmt::format("key{:02}", i)] = std::string(1000, 'x');
  std::vector<RawClient> clients;
  std::set<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(InLobby(i % 2 == 0 ? one : two, fmt::format("c{:02}", i), large));
    expected.insert(fmt::format("c{:02}", i));
  }
  std::multiset<std::string> listed;
  std::string cursor;
  int pages = 0;
  do {
    const auto page = Members(one, cursor, 100);
    size_t octets = 0;
    for (const v1::Member& member : page.members()) {
      listed.insert(member.client_id());
      EXPECT_EQ(member.labels_size(), 32);
      for (const auto& [key, value] : member.labels()) octets += key.size() + value.size();
    }
    EXPECT_LE(octets, kLabelledPageBytesMax);
    cursor = page.next_cursor();
    ASSERT_LT(++pages, 10);
  } while (!cursor.empty());
  EXPECT_EQ(pages, 2);
  EXPECT_EQ(listed, std::multiset<std::string>(expected.begin(), expected.end()));
}

TEST_F(ClusterMembersTest, WhoseNodeHasCrashedHasNoLabels) {
  RawClient alice = InLobby(one, "alice", {{"device", "phone"}});
  RawClient bob = InLobby(two, "bob", {{"device", "watch"}});
  two.Crash();
  const auto page = Members(one, "", 10);
  ASSERT_EQ(page.members_size(), 2);
  EXPECT_EQ(LabelOf(page.members(0), "device"), "phone");
  EXPECT_THAT(page.members(1).labels(), IsEmpty());
}

}  // namespace
}  // namespace wsrouter
