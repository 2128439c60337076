#include "core/envelope.h"

#include <set>
#include <string>
#include <vector>

#include "core/counters.h"
#include "gmock/gmock.h"

namespace wsrouter {
namespace {

TEST(KeyOfTest, IsAnotherForEachTopicWhateverItsName) {
  using namespace std::string_literals;
  const ConnectionId id = {.node = {.server_id = "n", .incarnation = 1}, .shard = 2, .counter = 3};
  std::vector<Topic> topics = {Everyone{}, ThisNode{}, Inbox{0}, Inbox{1}, Inbox{10}, id};
  std::vector<std::string> names = {"",
                                    "*",
                                    ".",
                                    "i0",
                                    "i1",
                                    "c",
                                    "r",
                                    "b",
                                    "n",
                                    "0",
                                    "1",
                                    "10",
                                    "\0"s,
                                    "\0*"s,
                                    "cx",
                                    "rx",
                                    "bx",
                                    "c:x",
                                    "r:x",
                                    "r\nx",
                                    id.ToString(),
                                    "n" + id.ToString(),
                                    "x"};
  for (const std::string& name : names) {
    topics.push_back(ClientId{name});
    topics.push_back(RoomName{name});
    topics.push_back(ChannelName{name});
  }
  std::set<std::string> keys;
  for (const Topic& topic : topics) EXPECT_TRUE(keys.insert(KeyOf(topic)).second) << KeyOf(topic);
}

TEST(KeyOfTest, TellsConnectionsOfIncarnationsApart) {
  const ConnectionId before = {.node = {.server_id = "n", .incarnation = 1}, .counter = 3};
  ConnectionId after = before;
  after.node.incarnation = 2;
  EXPECT_NE(KeyOf(before), KeyOf(after));
}

TEST(CounterNamesTest, AreAllDifferentAndNoneIsMissing) {
  std::set<std::string_view> names;
  for (const std::string_view name : kCounterNames) {
    EXPECT_FALSE(name.empty());
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(kCounterNames[static_cast<size_t>(Counter::kHmacVerifyFailures)],
            "hmac_verify_failures_total");
  EXPECT_EQ(kCounterNames[static_cast<size_t>(Counter::kEventsMissed)], "events_missed_total");
}

}  // namespace
}  // namespace wsrouter
