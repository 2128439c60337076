// Services say which rooms clients may join by themselves, whether they are dialled or attach.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/support/backend_asker.h"
#include "tests/support/backend_node.h"
#include "tests/support/backend_services.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

class ControlJoinTest : public ::testing::TestWithParam<Way> {
 protected:
  BackendNode& Node(BackendHandlers handlers, BackendOptions options = {}) {
    node_ = std::make_unique<BackendNode>(GetParam(), std::move(handlers), std::move(options));
    return *node_;
  }
  static BackendOptions Impatient() { return {.timeout = absl::Milliseconds(300)}; }

  std::unique_ptr<BackendNode> node_;
};

INSTANTIATE_TEST_SUITE_P(Ways, ControlJoinTest, ::testing::Values(Way::kDialled, Way::kAttached),
                         [](const auto& info) {
                           return info.param == Way::kDialled ? "Dialled" : "Attached";
                         });

TEST_P(ControlJoinTest, SaysWhichRoomsAClientMayJoin) {
  BackendNode& node =
      Node({.join_check = [](const v1::JoinCheckRequest& request, const auto& reply) {
        EXPECT_EQ(request.client().path(), "/ws");
        if (request.room() == "failing") {
          return reply(grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no"), {});
        }
        if (request.room() == "broken")
          return reply(grpc::Status(grpc::StatusCode::INTERNAL, ""), {});
        v1::JoinCheckResponse response;
        if (request.room() == "open") response.mutable_allow();
        if (request.room() == "closed") response.mutable_deny()->set_reason("members only");
        if (request.room() == "wordy") response.mutable_deny()->set_reason(std::string(124, 'x'));
        reply(grpc::Status::OK, response);
      }});
  const std::string denied = "JOIN_FORBIDDEN the client may not join this room";
  const std::string undecided =
      "JOIN_UNDECIDED the service that decides about joins does not answer";
  EXPECT_TRUE(node.backend().ChecksJoins("/ws"));
  EXPECT_EQ(node.asker().JoinCheck(1, "open").Get(), "may join");
  EXPECT_EQ(node.asker().JoinCheck(1, "closed").Get(), "JOIN_FORBIDDEN members only");
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 0u);
  EXPECT_EQ(node.asker().JoinCheck(1, "wordy").Get(), denied);
  EXPECT_EQ(node.asker().JoinCheck(1, "failing").Get(), denied);
  EXPECT_EQ(node.asker().JoinCheck(1, "broken").Get(), undecided);
  EXPECT_EQ(node.asker().JoinCheck(1, "neither").Get(), undecided);
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 4u);
  EXPECT_THAT(node.service().asked.lines(),
              ElementsAre("JoinCheck open of alice", "JoinCheck closed of alice",
                          "JoinCheck wordy of alice", "JoinCheck failing of alice",
                          "JoinCheck broken of alice", "JoinCheck neither of alice"));
}

TEST_P(ControlJoinTest, WhileNobodyAnswersNobodyJoins) {
  BackendNode& silent = Node({.join_check = [](const auto&, const auto&) {}}, Impatient());
  EXPECT_THAT(silent.asker().JoinCheck(1, "lobby").Get(), StartsWith("JOIN_UNDECIDED"));
  silent.service().Die();
  EXPECT_THAT(silent.asker().JoinCheck(1, "lobby").Get(), StartsWith("JOIN_UNDECIDED"));
  BackendNode& unable = Node({.join_check = [](const auto&, const auto& reply) {
    reply(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, ""), {});
  }});
  EXPECT_THAT(unable.asker().JoinCheck(1, "lobby").Get(), StartsWith("JOIN_FORBIDDEN"));
  EXPECT_FALSE(unable.backend().ChecksJoins("/ws"));
  EXPECT_THAT(unable.asker().JoinCheck(1, "lobby").Get(), StartsWith("JOIN_FORBIDDEN"));
  EXPECT_THAT(unable.service().asked.lines(), ElementsAre("JoinCheck lobby of alice"));
}

}  // namespace
}  // namespace wsrouter
