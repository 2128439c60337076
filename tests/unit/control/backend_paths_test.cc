#include "control/backend_paths.h"

#include "gtest/gtest.h"

namespace wsrouter {
namespace {

constexpr auto kMessage = static_cast<size_t>(BackendMethod::kMessage);
const BackendMethodSet kAll = BackendMethodSet().set();
const BackendMethodSet kNoMessages = BackendMethodSet().set().reset(kMessage);
constexpr absl::Duration kNow = absl::Hours(1);

TEST(BackendPathsTest, NobodyDecidesWhereThereIsNobody) {
  BackendPaths paths;
  EXPECT_FALSE(paths.Decides("/ws"));
  EXPECT_FALSE(paths.Hears("/ws", kNow));
}

TEST(BackendPathsTest, RoutesAreAboutTheirPathAndThoseBelow) {
  BackendPaths paths;
  paths.Set({{.prefix = "/chat", .methods = kAll, .dialled = true}});
  EXPECT_TRUE(paths.Decides("/chat"));
  EXPECT_TRUE(paths.Hears("/chat/7", kNow));
  EXPECT_FALSE(paths.Decides("/chats"));
  EXPECT_FALSE(paths.Hears("/", kNow));
}

TEST(BackendPathsTest, WhoOnlyHearsDoesNotDecide) {
  BackendPaths paths;
  paths.Set({{.prefix = "/", .methods = BackendMethodSet().set(kMessage), .dialled = true}});
  EXPECT_FALSE(paths.Decides("/ws"));
  EXPECT_TRUE(paths.Hears("/ws", kNow));
}

TEST(BackendPathsTest, WhatIsNotImplementedIsNotHeardForAWhile) {
  BackendPaths paths;
  BackendPaths::Row row = {.prefix = "/", .methods = kAll, .dialled = true};
  row.unimplemented_until[kMessage] = kNow;
  paths.Set({row});
  EXPECT_FALSE(paths.Hears("/ws", kNow - absl::Nanoseconds(1)));
  EXPECT_TRUE(paths.Hears("/ws", kNow));
  EXPECT_TRUE(paths.Decides("/ws"));
}

TEST(BackendPathsTest, TheLongestRouteSaysWhetherMessagesAreHeard) {
  BackendPaths paths;
  BackendPaths::Row deaf = {.prefix = "/a/b", .methods = kAll, .dialled = true};
  deaf.unimplemented_until[kMessage] = absl::InfiniteDuration();
  paths.Set({deaf, {.prefix = "/", .methods = kAll, .dialled = true}});
  EXPECT_FALSE(paths.Hears("/a/b/c", kNow));
  EXPECT_TRUE(paths.Hears("/a", kNow));
}

TEST(BackendPathsTest, ARouteThatWaitsForServicesHearsForThemUntilOneSaysThatItDoesNot) {
  BackendPaths paths;
  paths.Set({{.prefix = "/", .methods = kAll}});
  EXPECT_TRUE(paths.Hears("/ws", kNow));
  paths.Set({{.prefix = "/ws", .methods = kNoMessages, .attached = true},
             {.prefix = "/", .methods = kAll}});
  EXPECT_FALSE(paths.Hears("/ws", kNow));
  EXPECT_TRUE(paths.Hears("/other", kNow));
  paths.Set({{.prefix = "/ws", .methods = kNoMessages, .attached = true},
             {.prefix = "/", .methods = kAll, .dialled = true}});
  EXPECT_TRUE(paths.Hears("/ws", kNow));
}

}  // namespace
}  // namespace wsrouter
