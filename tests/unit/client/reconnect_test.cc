#include "wsrouter/reconnect.h"

#include <gtest/gtest.h>

#include "wsrouter/v1/events.pb.h"

namespace wsrouter::client {
namespace {

TEST(ReconnectTest, CodesThatNeedAChangeFirstAreFinal) {
  for (const int code : {1000, 1002, 1003, 1007, 1008, 4001, 4002, 4003, 4020, 4021}) {
    EXPECT_EQ(AfterCloseCode(static_cast<uint16_t>(code)), Reconnect::kNever) << code;
  }
}

TEST(ReconnectTest, DrainAndSilenceAllowToComeBackAtOnce) {
  for (const int code : {1009, 1012, 4040}) {
    EXPECT_EQ(AfterCloseCode(static_cast<uint16_t>(code)), Reconnect::kAtOnce) << code;
  }
}

TEST(ReconnectTest, EverythingElseBacksOff) {
  for (const int code : {1001, 1005, 1006, 1011, 1013, 3000, 4013, 4014, 4029, 4999}) {
    EXPECT_EQ(AfterCloseCode(static_cast<uint16_t>(code)), Reconnect::kAfterBackoff) << code;
  }
}

TEST(ReconnectTest, RefusedUpgradeIsFinalWhenTheRequestIsAtFault) {
  for (const int status : {301, 400, 401, 403, 404, 426, 431}) {
    EXPECT_EQ(AfterHttpStatus(status), Reconnect::kNever) << status;
  }
  for (const int status : {200, 408, 425, 429, 500, 502, 503, 504}) {
    EXPECT_EQ(AfterHttpStatus(status), Reconnect::kAfterBackoff) << status;
  }
}

}  // namespace
}  // namespace wsrouter::client
