// Rate limits through a real gRPC server.
#include "core/close_code.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/authority.h"
#include "tests/support/control_node.h"
#include "tests/support/eventually.h"
#include "tests/support/raw_call.h"

namespace wsrouter {
namespace {

using Router = v1::Router::Stub;
using Admin = v1::Admin::Stub;
using grpc::StatusCode;
using testing::ElementsAre;

class ControlRatesTest : public testing::Test {
 protected:
  auto Push(const std::string& rest) {
    return node_.Call(&Router::Push, fmt::format(R"({{"payload":{{"text":"x"}},{}}})", rest));
  }
  auto SetRoom(const std::string& json) {
    return node_.Call(*node_.admin, &Admin::SetRoomRateLimit, json);
  }
  auto SetClient(const std::string& json) {
    return node_.Call(*node_.admin, &Admin::SetClientRateLimit, json);
  }

  ControlNode node_{{},
                    {},
                    65536,
                    nullptr,
                    *Namespaces::Parse({"strict: client_rate=1/1h on_limit=disconnect"}, {})};
};

TEST_F(ControlRatesTest, ARoomOverItsLimitIsRefusedWithAReasonAndATime) {
  ASSERT_TRUE(SetRoom(R"({"room":"lobby","n":2,"window":"3600s"})").ok());
  EXPECT_TRUE(Push(R"("room":"lobby")").ok());
  EXPECT_TRUE(Push(R"("room":"lobby")").ok());
  const auto refused = Push(R"("room":"lobby")");
  EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.reason, "RATE_ROOM");
  EXPECT_GT(refused.retry_after, absl::Minutes(50));
  EXPECT_LE(refused.retry_after, absl::Hours(1));
  EXPECT_EQ(node_.stats.Total(Counter::kRateLimitDrops), 1u);
  EXPECT_EQ(node_.stats.Total(Counter::kClientRateLimitDrops), 0u);
}

TEST_F(ControlRatesTest, TheSenderIsChargedAndNotTheRecipient) {
  ASSERT_TRUE(SetClient(R"({"client_id":"bob","n":1,"window":"3600s"})").ok());
  const auto send = [&](const std::string& rest) {
    return node_.Call(&Router::SendToClient,
                      fmt::format(R"({{"payload":{{"text":"x"}},{}}})", rest));
  };
  EXPECT_TRUE(send(R"("client_id":"alice","from_client_id":"bob")").ok());
  const auto refused = send(R"("client_id":"alice","from_client_id":"bob")");
  EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.reason, "RATE_CLIENT");
  EXPECT_GT(refused.retry_after, absl::ZeroDuration());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(send(R"("client_id":"bob")").ok());
  EXPECT_EQ(Push(R"("room":"lobby","from_client_id":"bob")").reason, "RATE_CLIENT");
  EXPECT_EQ(node_.stats.Total(Counter::kClientRateLimitDrops), 2u);
}

TEST_F(ControlRatesTest, OfSeveralRoomsEachHasItsOwnVerdict) {
  const ConnectionId alice = node_.Online("alice", R"("a","b")");
  ASSERT_TRUE(SetRoom(R"({"room":"a","n":1,"window":"3600s"})").ok());
  EXPECT_TRUE(Push(R"("rooms":["a","b"])").ok());
  const auto pushed = Push(R"("rooms":["a","b"])");
  ASSERT_TRUE(pushed.ok()) << pushed.message;
  EXPECT_EQ(pushed.response.rooms(0).reason(), "RATE_ROOM");
  EXPECT_GT(pushed.response.rooms(0).retry_after().seconds(), 3000);
  EXPECT_EQ(pushed.response.rooms(0).outcome().queued(), 0u);
  EXPECT_EQ(pushed.response.rooms(1).reason(), "");
  EXPECT_FALSE(pushed.response.rooms(1).has_retry_after());
  EXPECT_EQ(pushed.response.rooms(1).outcome().queued(), 1u);
  EXPECT_THAT(node_.shard.Got(alice), ElementsAre("x", "x", "x"));
}

TEST_F(ControlRatesTest, ASenderOverItsLimitIsClosedWhereTheNamespaceSaysSo) {
  const ConnectionId bob = node_.Online("bob");
  EXPECT_TRUE(Push(R"("room":"strict:1","from_client_id":"bob")").ok());
  EXPECT_EQ(Push(R"("room":"strict:2","from_client_id":"bob")").reason, "RATE_CLIENT");
  ASSERT_TRUE(Eventually([&] { return node_.shard.Closed(bob).has_value(); }));
  EXPECT_EQ(node_.shard.Closed(bob)->code, static_cast<uint16_t>(CloseCode::kRateLimited));
  EXPECT_TRUE(Push(R"("room":"lax","from_client_id":"bob")").ok());
}

TEST_F(ControlRatesTest, LimitsAreListedAPageAtATimeAndForgottenByReset) {
  ASSERT_TRUE(SetRoom(R"({"room":"lobby","n":2,"window":"1.5s"})").ok());
  ASSERT_TRUE(SetClient(R"({"client_id":"bob"})").ok());
  const auto first = node_.Call(*node_.admin, &Admin::GetLimits, R"({"count":1})");
  ASSERT_EQ(first.response.limits_size(), 1);
  EXPECT_EQ(first.response.limits(0).client_id(), "bob");
  EXPECT_EQ(first.response.limits(0).n(), 0u);
  const auto second = node_.Call(*node_.admin, &Admin::GetLimits,
                                 fmt::format(R"({{"cursor":"{}"}})", first.response.next_cursor()));
  ASSERT_EQ(second.response.limits_size(), 1);
  EXPECT_EQ(second.response.limits(0).room(), "lobby");
  EXPECT_EQ(second.response.limits(0).window().nanos(), 500'000'000);
  EXPECT_EQ(second.response.next_cursor(), "");
  ASSERT_TRUE(SetRoom(R"({"room":"lobby","reset":true})").ok());
  ASSERT_TRUE(SetClient(R"({"client_id":"bob","reset":true})").ok());
  EXPECT_EQ(node_.Call(*node_.admin, &Admin::GetLimits, "{}").response.limits_size(), 0);
}

TEST(ControlCallsRateTest, ACallerOverItsRateIsRefusedBeforeAnythingIsDone) {
  ControlNode node({}, {.calls_rate = {.n = 3, .window = absl::Hours(1)}});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(node.Call(*node.admin, &Admin::Stats, "{}").ok());
  const auto refused = node.Call(&Router::Push, R"({"room":"a","payload":{"text":"x"}})");
  EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.reason, "RATE_CALLER");
  EXPECT_GT(refused.retry_after, absl::Minutes(50));
  EXPECT_EQ(node.stats.Total(Counter::kRoomPushes), 0u);
}

TEST(ControlCallsRateTest, EachTokenIsACallerByItself) {
  const Authority authority;
  const std::string a = "first-0123456789abcdef0123456789abc";
  const std::string b = "second-0123456789abcdef0123456789abc";
  const std::string tokens = authority.Write("tokens", "a read " + a + "\nb read " + b + "\n");
  ControlNode node({}, {.tokens_file = tokens, .calls_rate = {.n = 2, .window = absl::Hours(1)}});
  const auto code = [&](const std::string& token) {
    return RawCall(*node.channel, "/wsrouter.v1.Admin/Stats", "", "Bearer " + token)
        .status.error_code();
  };
  for (const std::string& token : {a, b}) {
    EXPECT_EQ(code(token), StatusCode::OK);
    EXPECT_EQ(code(token), StatusCode::OK);
    EXPECT_EQ(code(token), StatusCode::RESOURCE_EXHAUSTED);
  }
  // Who has no credential is told so, and spends nobody's calls.
  EXPECT_EQ(code("nobody"), StatusCode::UNAUTHENTICATED);
}

TEST_F(ControlRatesTest, ABadLimitIsRefusedByItsField) {
  for (const auto& [json, field] : {std::pair(R"({"n":1,"window":"1s"})", "room"),
                                    std::pair(R"({"room":"a","n":10001,"window":"1s"})", "n"),
                                    std::pair(R"({"room":"a","n":1})", "window"),
                                    std::pair(R"({"room":"a","n":1,"window":"3601s"})", "window"),
                                    std::pair(R"({"room":"a","n":1,"window":"-1s"})", "window"),
                                    std::pair(R"({"room":"a","n":1,"reset":true})", "reset")}) {
    const auto refused = SetRoom(json);
    EXPECT_EQ(refused.code, StatusCode::INVALID_ARGUMENT) << json;
    EXPECT_EQ(refused.field, field) << json;
  }
}

}  // namespace
}  // namespace wsrouter
