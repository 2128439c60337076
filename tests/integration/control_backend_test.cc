// Services decide about clients, whether the node dials them or they attach to it: the same
// questions and the same answers. The backend is asked as shards ask it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/backend_asker.h"
#include "tests/support/backend_node.h"
#include "tests/support/backend_services.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr char kNoAnswer[] = "refused 1013 the service does not answer, later";
constexpr char kEnd[] = "disconnect 1013 the service does not answer";

class ControlBackendTest : public ::testing::TestWithParam<Way> {
 protected:
  BackendNode& Node(BackendHandlers handlers, BackendOptions options = {}) {
    node_ = std::make_unique<BackendNode>(GetParam(), std::move(handlers), std::move(options));
    return *node_;
  }

  // Answers of services, in JSON, as they come.
  static BackendHandlers Accepting(const std::string& json) {
    return {.connect = [json](const auto&, const auto& reply) {
      reply(grpc::Status::OK, FromJson<v1::ConnectResponse>(json));
    }};
  }
  static BackendHandlers Leading(const std::string& json) {
    return {.message = [json](const auto&, const auto& reply) {
      reply(grpc::Status::OK, FromJson<v1::MessageResponse>(json));
    }};
  }
  static BackendHandlers Failing(grpc::StatusCode code) {
    const grpc::Status status(code, "no");
    return {.connect = [status](const auto&, const auto& reply) { reply(status, {}); },
            .message = [status](const auto&, const auto& reply) { reply(status, {}); },
            .disconnected = [status](const auto&, const auto& reply) { reply(status, {}); }};
  }
  static BackendHandlers Silent() {
    return {.connect = [](const auto&, const auto&) {},
            .message = [](const auto&, const auto&) {},
            .disconnected = [](const auto&, const auto&) {}};
  }
  static BackendOptions Impatient() { return {.timeout = absl::Milliseconds(300)}; }

  std::unique_ptr<BackendNode> node_;
};

INSTANTIATE_TEST_SUITE_P(Ways, ControlBackendTest, ::testing::Values(Way::kDialled, Way::kAttached),
                         [](const auto& info) {
                           return info.param == Way::kDialled ? "Dialled" : "Attached";
                         });

TEST_P(ControlBackendTest, LetsInWithRoomsLabelsFirstPayloadsAndAnEnd) {
  BackendNode& node = Node(Accepting(
      R"({"accept":{"client_id":"alice","rooms":["lobby","kitchen"],"labels":{"plan":"free"},
          "first":[{"text":"welcome"},{"text":"alice"}],"expires_at":"2099-01-01T00:00:00Z",
          "subprotocol":"chat.v2"}})"));
  EXPECT_EQ(node.asker().Connect(1).Get(),
            "let in as alice in [lobby,kitchen] plan=free until 4070908800 first welcome first "
            "alice by chat.v2");
  EXPECT_THAT(node.service().asked.lines(), ElementsAre("Connect /ws"));
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 0u);
}

TEST_P(ControlBackendTest, LetsInAsNobodyOrAsWhomATokenProved) {
  BackendNode& node = Node(Accepting(R"({"accept":{}})"));
  EXPECT_EQ(node.asker().Connect(1).Get(), "let in as nobody");
  EXPECT_EQ(node.asker().Connect(2, Own{.client = {"bob"}, .rooms = {{"r"}}}).Get(),
            "let in as bob in [r]");
}

TEST_P(ControlBackendTest, RefusesAsItSays) {
  BackendNode& node =
      Node(Accepting(R"({"refuse":{"code":4029,"reason":"too often","retry_after":"30s"}})"));
  EXPECT_EQ(node.asker().Connect(1).Get(), "refused 4029 too often, later");
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 0u);
}

TEST_P(ControlBackendTest, AMessageLeadsToEachKindOfEffect) {
  BackendNode& node = Node(Leading(R"({"effects":[{"send":{"text":"hi"}},
      {"push":{"room":"r","payload":{"text":"all"}}},
      {"send_to_client":{"client_id":"bob","payload":{"text":"psst"}}},{"join":{"rooms":["a","b"]}},
      {"leave":{"rooms":["c"]}},{"own":{"client_id":"carol"}},{"disconnect":{"code":4999}}]})"));
  EXPECT_EQ(node.asker().Message(1, "hello").Get(),
            "send hi; send all to room r; send psst to client bob; join a,b; leave c; own carol in "
            "[]; disconnect 4999 ");
  EXPECT_EQ(node.Total(Counter::kRoomPushes), 1u);
  EXPECT_EQ(node.Total(Counter::kSendToClient), 1u);
}

TEST_P(ControlBackendTest, AReplyComesBesideTheEffects) {
  BackendNode& node = Node({.message = [](const v1::MessageRequest& request, const auto& reply) {
    v1::MessageResponse response;
    if (request.payload().text() == "both") response.add_effects()->mutable_send()->set_text("e");
    response.mutable_reply()->set_text("about " + request.room());
    reply(grpc::Status::OK, response);
  }});
  EXPECT_EQ(node.asker().Message(1, "both").Get(), "send e; reply about claimed");
  EXPECT_EQ(node.asker().Message(1, "one").Get(), "reply about claimed");
}

TEST_P(ControlBackendTest, AReplyThatIsNoneFailsTheAnswer) {
  BackendNode& node = Node(Leading(R"({"effects":[{"send":{"text":"a"}}],"reply":{}})"));
  EXPECT_EQ(node.asker().Message(1, "hello").Get(), kEnd);
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 1u);
}

TEST_P(ControlBackendTest, QuestionsOfAConnectionComeInTheirOrderAndOnce) {
  BackendNode& node = Node({});
  EXPECT_EQ(node.asker().Message(1, "one").Get(), "nothing");
  EXPECT_EQ(node.asker().Message(1, "two").Get(), "nothing");
  node.asker().Disconnected(1, 1001);
  EXPECT_THAT(
      node.service().asked.Await(3),
      ElementsAre("Message one of alice", "Message two of alice", "Disconnected 1001 of alice"));
}

TEST_P(ControlBackendTest, AServiceThatTakesItsTimeIsWaitedForAndHoldsUpNoOther) {
  std::promise<BackendReply<v1::ConnectResponse>> first;
  std::atomic<int> asked = 0;
  BackendNode& node = Node({.connect = [&](const auto&, const auto& reply) {
    const auto refuse = FromJson<v1::ConnectResponse>(R"({"refuse":{}})");
    if (asked++ == 0) return first.set_value(reply);
    reply(grpc::Status::OK, refuse);
  }});
  auto slow = node.asker().Connect(1);
  const auto reply = first.get_future().get();
  EXPECT_EQ(node.asker().Connect(2).Get(), "refused 4003 ");
  EXPECT_TRUE(slow.Waits());
  reply(grpc::Status::OK, FromJson<v1::ConnectResponse>(R"({"accept":{"client_id":"alice"}})"));
  EXPECT_EQ(slow.Get(), "let in as alice in []");
}

TEST_P(ControlBackendTest, AServiceThatHangsIsAnsweredForAndToldThatNobodyWaits) {
  BackendNode& node = Node(Silent(), Impatient());
  EXPECT_EQ(node.asker().Connect(1).Get(), kNoAnswer);
  EXPECT_EQ(node.asker().Message(2, "hello").Get(), kEnd);
  EXPECT_THAT(node.service().asked.Await(4),
              ::testing::UnorderedElementsAre("Connect /ws", "cancelled", "Message hello of alice",
                                              "cancelled"));
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 2u);
}

TEST_P(ControlBackendTest, AServiceThatDiesWhileItThinksIsAnsweredFor) {
  BackendNode& node = Node(Silent());
  auto connect = node.asker().Connect(1);
  auto message = node.asker().Message(2, "hello");
  node.service().asked.Await(2);
  node.service().Die();
  EXPECT_EQ(connect.Get(), kNoAnswer);
  EXPECT_EQ(message.Get(), kEnd);
}

TEST_P(ControlBackendTest, AMebibyteArrivesWholeAndMoreThanThatIsNonsense) {
  for (const auto& [octets, expected] :
       {std::pair<size_t, std::string>{1 << 20, "send 1048576 octets"}, {(1 << 20) + 1, kEnd}}) {
    v1::MessageResponse response;
    response.add_effects()->mutable_send()->set_binary(std::string(octets, 'x'));
    BackendNode& node = Node({.message = [response](const auto&, const auto& reply) {
      reply(grpc::Status::OK, response);
    }});
    EXPECT_EQ(node.asker().Message(1, "hello").Get(), expected);
  }
}

TEST_P(ControlBackendTest, AnAnswerOverTheLimitFailsItsQuestionAlone) {
  v1::MessageResponse large;
  for (int i = 0; i < 5; ++i) {
    large.add_effects()->mutable_send()->set_binary(std::string(1 << 20, 'x'));
  }
  BackendNode& node =
      Node({.message = [large](const v1::MessageRequest& request, const auto& reply) {
        if (request.payload().text() == "wait") return;
        reply(grpc::Status::OK, request.payload().text() == "much" ? large : v1::MessageResponse());
      }});
  const auto waiting = node.asker().Message(1, "wait");
  for (uint64_t i = 2; i < 12; ++i) EXPECT_EQ(node.asker().Message(i, "much").Get(), kEnd);
  EXPECT_EQ(node.asker().Message(12, "little").Get(), "nothing");
  EXPECT_TRUE(waiting.Waits());
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 10u);
}

TEST_P(ControlBackendTest, WhoGivesUpIsToldToTheService) {
  BackendNode& node = Node(Silent());
  auto asked = node.asker().Connect(1);
  node.service().asked.Await(1);
  node.backend().Cancel(asked.ticket);
  EXPECT_THAT(node.service().asked.Await(2), ElementsAre("Connect /ws", "cancelled"));
  node.backend().Cancel(asked.ticket);
  node.backend().Cancel(12345);
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 0u);
}

TEST_P(ControlBackendTest, MoreThanItTakesAtATimeWaitAndMoreThanMayWaitAreAnsweredFor) {
  v1::Attachment attachment;
  attachment.set_questions_max(1);
  node_ = std::make_unique<BackendNode>(
      GetParam(), Silent(), BackendOptions{.concurrency_max = 1, .queue_max = 1}, attachment);
  auto first = node_->asker().Connect(1);
  node_->service().asked.Await(1);
  auto second = node_->asker().Connect(2, {}, "/ws/2");
  EXPECT_EQ(node_->asker().Connect(3).Get(), kNoAnswer);
  EXPECT_TRUE(second.Waits());
  node_->backend().Cancel(first.ticket);
  EXPECT_THAT(node_->service().asked.Await(3),
              ::testing::UnorderedElementsAre("Connect /ws", "cancelled", "Connect /ws/2"));
}

TEST_P(ControlBackendTest, AServiceThatDoesNotAnswerManyIsLeftAloneForAWhile) {
  BackendNode& node = Node(Failing(grpc::StatusCode::UNAVAILABLE));
  for (uint64_t i = 0; i < 20; ++i) EXPECT_EQ(node.asker().Connect(i).Get(), kNoAnswer);
  EXPECT_LT(node.service().asked.lines().size(), 20u);
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 20u);
}

TEST_P(ControlBackendTest, AnswersThatASingleQuestionBringsAboutPauseNothing) {
  BackendNode& node = Node(Failing(grpc::StatusCode::INVALID_ARGUMENT));
  for (uint64_t i = 0; i < 50; ++i) node.asker().Connect(i).Get();
  EXPECT_EQ(node.service().asked.lines().size(), 50u);
}

TEST_P(ControlBackendTest, AnEndIsToldAgainWhileTheServiceIsAway) {
  std::atomic<int> asked = 0;
  BackendNode& node = Node({.disconnected = [&](const auto&, const auto& reply) {
    reply(asked++ < 2 ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "") : grpc::Status::OK, {});
  }});
  node.asker().Disconnected(1);
  node.backend().Stop(absl::Seconds(10));
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(node.Total(Counter::kBackendEndsLost), 0u);
}

TEST_P(ControlBackendTest, AnEndThatCannotBeToldIsCounted) {
  BackendNode& node = Node(Failing(grpc::StatusCode::INTERNAL));
  node.asker().Disconnected(1);
  node.backend().Stop(absl::Seconds(10));
  EXPECT_EQ(node.Total(Counter::kBackendEndsLost), 1u);
  node.asker().Disconnected(2);
  EXPECT_EQ(node.Total(Counter::kBackendEndsLost), 2u);
}

TEST_P(ControlBackendTest, AtTheEndNothingWaitsForEver) {
  BackendNode& node = Node(Silent());
  auto connect = node.asker().Connect(1);
  node.asker().Disconnected(2);
  node.service().asked.Await(2);
  node.backend().Stop(absl::Milliseconds(50));
  EXPECT_EQ(node.Total(Counter::kBackendEndsLost), 1u);
  EXPECT_THAT(node.asker().Connect(3).Get(), StartsWith("refused 1012"));
  EXPECT_EQ(node.asker().Message(3, "hello").Get(), kEnd);
}

TEST_P(ControlBackendTest, WhatOptionsLeaveOutIsNotAsked) {
  BackendOptions options;
  options.methods.reset(static_cast<size_t>(BackendMethod::kConnect));
  BackendNode& node = Node({}, options);
  EXPECT_TRUE(node.backend().Decides("/ws"));
  EXPECT_EQ(node.asker().Connect(1).Get(), "let in as nobody");
  EXPECT_EQ(node.asker().Message(1, "hello").Get(), "nothing");
  EXPECT_THAT(node.service().asked.lines(), ElementsAre("Message hello of alice"));
}

}  // namespace
}  // namespace wsrouter
