#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "gateway/upgrade.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RefuseUpgradeTest, RefusalIsAWholeResponse) {
  EXPECT_EQ(RefuseUpgrade(503, "the node is full", std::chrono::seconds(7)).response,
            "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 7\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 17\r\n\r\n"
            "the node is full\n");
  EXPECT_EQ(RefuseUpgrade(426, "x").response,
            "HTTP/1.1 426 Upgrade Required\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 2\r\n\r\nx\n");
}

TEST(RefuseUpgradeTest, EveryStatusHasItsPhrase) {
  for (int status : {400, 401, 403, 404, 405, 408, 426, 429, 431, 500, 501, 503, 505}) {
    const UpgradeRefused refused = RefuseUpgrade(status, "why");
    EXPECT_EQ(refused.status, status);
    EXPECT_THAT(refused.response, Not(HasSubstr(" Refused\r\n")));
    EXPECT_THAT(refused.response, HasSubstr("\r\nConnection: close"));
  }
  EXPECT_THAT(RefuseUpgrade(418, "why").response, HasSubstr("HTTP/1.1 418 Refused\r\n"));
}

TEST(RefuseUpgradeTest, UnauthorizedNamesAScheme) {
  EXPECT_THAT(RefuseUpgrade(401, "no").response, HasSubstr("\r\nWWW-Authenticate: Bearer\r\n"));
}

}  // namespace
}  // namespace wsrouter
