// What is measured of questions to services, however these are asked.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/support/backend_asker.h"
#include "tests/support/backend_node.h"
#include "tests/support/backend_services.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

using grpc::StatusCode;

class BackendMeasuresTest : public ::testing::TestWithParam<Way> {
 protected:
  BackendNode& Node(BackendHandlers handlers, BackendOptions options = {}) {
    node_ = std::make_unique<BackendNode>(GetParam(), std::move(handlers), std::move(options));
    return *node_;
  }
  uint64_t Count(BackendMethod method, QuestionOutcome outcome) const {
    return measures()
        .questions.Read(static_cast<size_t>(method), static_cast<size_t>(outcome))
        .count();
  }
  const ControlMeasures& measures() const { return node_->measures(); }

  std::unique_ptr<BackendNode> node_;
};

INSTANTIATE_TEST_SUITE_P(Ways, BackendMeasuresTest,
                         ::testing::Values(Way::kDialled, Way::kAttached), [](const auto& info) {
                           return info.param == Way::kDialled ? "Dialled" : "Attached";
                         });

BackendHandlers Saying(StatusCode code) {
  return {.connect = [code](const auto&, const auto& reply) {
    reply(grpc::Status(code, ""), FromJson<v1::ConnectResponse>(R"({"accept":{}})"));
  }};
}

TEST_P(BackendMeasuresTest, AnswersAndFailuresAreApart) {
  Node(Saying(StatusCode::OK)).asker().Connect(1).Get();
  EXPECT_EQ(Count(BackendMethod::kConnect, QuestionOutcome::kAnswered), 1u);
  EXPECT_EQ(measures().services_attached, GetParam() == Way::kAttached ? 1u : 0u);
  Node(Saying(StatusCode::INTERNAL)).asker().Connect(1).Get();
  EXPECT_EQ(Count(BackendMethod::kConnect, QuestionOutcome::kFailed), 1u);
  EXPECT_EQ(Count(BackendMethod::kConnect, QuestionOutcome::kAnswered), 0u);
}

TEST_P(BackendMeasuresTest, AQuestionIsRunningUntilItIsLate) {
  BackendNode& node =
      Node({.connect = [](const auto&, const auto&) {}}, {.timeout = absl::Milliseconds(500)});
  auto asked = node.asker().Connect(1);
  EXPECT_TRUE(Eventually([&] { return measures().questions_running == 1; }));
  asked.Get();
  EXPECT_EQ(measures().questions_running, 0u);
  EXPECT_EQ(measures().questions_waiting, 0u);
  EXPECT_EQ(Count(BackendMethod::kConnect, QuestionOutcome::kLate), 1u);
}

TEST_P(BackendMeasuresTest, AClientThatGivesUpWithdrawsItsQuestion) {
  BackendNode& node = Node({.connect = [](const auto&, const auto&) {}});
  const auto asked = node.asker().Connect(1);
  EXPECT_TRUE(Eventually([&] { return measures().questions_running == 1; }));
  node.backend().Cancel(asked.ticket);
  EXPECT_TRUE(Eventually([&] { return measures().questions_running == 0; }));
  EXPECT_TRUE(
      Eventually([&] { return Count(BackendMethod::kConnect, QuestionOutcome::kWithdrawn) == 1; }));
}

TEST_P(BackendMeasuresTest, AServiceThatFailsTooOftenIsPausedAndNotAsked) {
  BackendNode& node = Node(Saying(StatusCode::UNAVAILABLE));
  for (uint64_t i = 1; Count(BackendMethod::kConnect, QuestionOutcome::kUnasked) == 0; ++i) {
    ASSERT_LT(i, 100u);
    node.asker().Connect(i).Get();
  }
  EXPECT_EQ(measures().services_paused, 1u);
  EXPECT_GE(Count(BackendMethod::kConnect, QuestionOutcome::kFailed), 5u);
}

TEST(BackendMeasuresNobodyTest, WhereNobodyIsAttachedNobodyIsAsked) {
  BackendHost host({.routes = {{.prefix = "/ws", .target = ""}}});
  BackendAsker(host.backend()).Connect(1).Get();
  EXPECT_EQ(host.measures()
                .questions
                .Read(static_cast<size_t>(BackendMethod::kConnect),
                      static_cast<size_t>(QuestionOutcome::kUnasked))
                .count(),
            1u);
}

}  // namespace
}  // namespace wsrouter
