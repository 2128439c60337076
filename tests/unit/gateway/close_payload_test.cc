#include "gateway/close_payload.h"

#include <gtest/gtest.h>

#include <string>

namespace wsrouter {
namespace {

TEST(ClosePayloadTest, CodeComesInNetworkOrderBeforeTheReason) {
  EXPECT_EQ(EncodeClosePayload(1001, "drain"),
            "\x03\xE9"
            "drain");
  EXPECT_EQ(EncodeClosePayload(4999, ""), "\x13\x87");
}

TEST(ClosePayloadTest, ReasonIsCutToAControlFrame) {
  EXPECT_EQ(EncodeClosePayload(1000, std::string(123, 'r')).size(), 125u);
  EXPECT_EQ(EncodeClosePayload(1000, std::string(124, 'r')).size(), 125u);
}

TEST(ClosePayloadTest, ReasonIsCutBetweenCodePoints) {
  const std::string reason = std::string(122, 'r') + "\u20AC";
  EXPECT_EQ(EncodeClosePayload(1000, reason).substr(2), std::string(122, 'r'));
}

TEST(ClosePayloadTest, ReasonEndsWhereItStopsBeingUtf8) {
  EXPECT_EQ(EncodeClosePayload(1000, "good\xFFworse").substr(2), "good");
  EXPECT_EQ(EncodeClosePayload(1000, "caf\xC3").substr(2), "caf");
}

TEST(ClosePayloadTest, CodeThatMustNotBeSentGivesNoPayload) {
  for (uint16_t code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535}) {
    EXPECT_EQ(EncodeClosePayload(code, "reason"), "") << code;
  }
}

TEST(ClosePayloadTest, CodesOfTheServiceMayBeSent) {
  for (uint16_t code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 4001, 4002,
                        4003, 4013, 4014, 4020, 4021, 4029, 4040}) {
    EXPECT_TRUE(IsSendableCloseCode(code)) << code;
  }
}

}  // namespace
}  // namespace wsrouter
