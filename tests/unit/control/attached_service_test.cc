#include "control/attached_service.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace wsrouter {
namespace {

AttachedService Numbered(uint64_t number) {
  return {nullptr, {.prefix = "/", .questions_max = 1, .methods = {}}, 1, number};
}

TEST(AttachedServiceTest, WhicheverTwoShareConnectionsEachGetsAboutHalf) {
  constexpr int kConnections = 200;
  for (uint64_t number = 1; number < 1000; ++number) {
    const AttachedService one = Numbered(number);
    const AttachedService other = Numbered(number + 1);
    int moved = 0;
    for (uint64_t i = 0; i < kConnections; ++i) {
      const ConnectionId connection{{"node-1", 7}, 0, i};
      moved += other.WeightFor(connection) > one.WeightFor(connection) ? 1 : 0;
    }
    EXPECT_GT(moved, kConnections / 4) << number;
    EXPECT_LT(moved, kConnections * 3 / 4) << number;
  }
}

}  // namespace
}  // namespace wsrouter
