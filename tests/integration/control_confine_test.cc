// A route with rooms= keeps its services to their rooms, whether they are dialled or attach.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/backend_asker.h"
#include "tests/support/backend_node.h"
#include "tests/support/backend_services.h"

namespace wsrouter {
namespace {

using ::testing::Contains;
using ::testing::StartsWith;

class ControlConfineTest : public ::testing::TestWithParam<Way> {};

INSTANTIATE_TEST_SUITE_P(Ways, ControlConfineTest, ::testing::Values(Way::kDialled, Way::kAttached),
                         [](const auto& info) {
                           return info.param == Way::kDialled ? "Dialled" : "Attached";
                         });

TEST_P(ControlConfineTest, AConfinedServiceNamesItsOwnRoomsOnly) {
  BackendHandlers handlers = {.connect =
                                  [](const v1::ConnectRequest& request, const auto& reply) {
                                    v1::ConnectResponse response;
                                    response.mutable_accept()->set_client_id("alice");
                                    response.mutable_accept()->add_rooms("chat:1");
                                    if (request.token_client_id().empty())
                                      response.mutable_accept()->add_rooms("other");
                                    reply(grpc::Status::OK, response);
                                  },
                              .message =
                                  [](const auto&, const auto& reply) {
                                    reply(grpc::Status::OK,
                                          FromJson<v1::MessageResponse>(R"({"effects":[
            {"join":{"rooms":["chat:2","other"]}}, {"join":{"rooms":["chat:3"]}},
            {"leave":{"rooms":["other"]}}, {"push":{"room":"other","payload":{"text":"a"}}},
            {"push":{"rooms":["chat:1"],"payload":{"text":"b"}}},
            {"own":{"client_id":"x","rooms":["other"]}},
            {"own":{"client_id":"x","may_join":["chat:*","*"]}},
            {"push":{"room":"chat:1","payload":{"text":"d"},"from_client_id":"ceo"}},
            {"send_to_client":{"client_id":"bob","payload":{"text":"e"},"from_client_id":"ceo"}},
            {"send_to_client":{"client_id":"bob","payload":{"text":"c"}}}]})"));
                                  },
                              .join_check =
                                  [](const auto&, const auto& reply) {
                                    v1::JoinCheckResponse response;
                                    response.mutable_allow();
                                    reply(grpc::Status::OK, response);
                                  }};
  BackendNode node(GetParam(), std::move(handlers),
                   {.routes = {{.prefix = "/ws", .target = "", .rooms_prefix = "chat:"}}});
  EXPECT_EQ(node.asker().Connect(1).Get(), "refused 1013 the service does not answer, later");
  EXPECT_EQ(node.asker().Connect(2, Own{.client = {"bob"}, .rooms = {{"lobby"}}}).Get(),
            "let in as alice in [chat:1,lobby]");
  EXPECT_EQ(node.asker().Message(2, "hello").Get(),
            "join chat:3; send b to room chat:1; send c to client bob");
  EXPECT_EQ(node.Total(Counter::kEffectsFailed), 7u);
  EXPECT_EQ(node.asker().JoinCheck(2, "chat:9").Get(), "may join");
  EXPECT_THAT(node.asker().JoinCheck(2, "other").Get(), StartsWith("JOIN_FORBIDDEN"));
  EXPECT_THAT(node.service().asked.lines(), Contains(StartsWith("JoinCheck")).Times(1));
}

TEST_P(ControlConfineTest, AConfinedServiceAllowsNoPatternOfOtherRooms) {
  BackendHandlers handlers = {.connect = [](const v1::ConnectRequest&, const auto& reply) {
    v1::ConnectResponse response;
    response.mutable_accept()->set_client_id("alice");
    response.mutable_accept()->add_may_join("cha*");
    reply(grpc::Status::OK, response);
  }};
  BackendNode node(GetParam(), std::move(handlers),
                   {.routes = {{.prefix = "/ws", .target = "", .rooms_prefix = "chat:"}}});
  EXPECT_EQ(node.asker().Connect(1).Get(), "refused 1013 the service does not answer, later");
}

}  // namespace
}  // namespace wsrouter
