// What becomes of clients whose service fails: which failures are outages, about which the policies
// speak, and which refuse in any case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
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
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kNoAnswer[] = "refused 1013 the service does not answer, later";
constexpr char kEnd[] = "disconnect 1013 the service does not answer";
constexpr ConnectOutage kPolicies[] = {ConnectOutage::kRefuse, ConnectOutage::kAcceptProved,
                                       ConnectOutage::kHold};
const Own kBob = {.client = {"bob"}};

BackendHandlers Failing(StatusCode code, const std::string& message = "no") {
  const grpc::Status status(code, message);
  return {.connect = [status](const auto&, const auto& reply) { reply(status, {}); },
          .message = [status](const auto&, const auto& reply) { reply(status, {}); },
          .disconnected = [status](const auto&, const auto& reply) { reply(status, {}); }};
}
BackendHandlers Deciding(const std::string& json) {
  return {.connect = [json](const auto&, const auto& reply) {
    reply(grpc::Status::OK, FromJson<v1::ConnectResponse>(json));
  }};
}
// Answers the first Message and the first Disconnected, and says then that it never could.
BackendHandlers Forgetful() {
  const auto forget = [](auto asked) {
    return [asked](const auto&, const auto& reply) {
      const bool first = asked->fetch_add(1) == 0;
      reply(first ? grpc::Status::OK : grpc::Status(StatusCode::UNIMPLEMENTED, ""), {});
    };
  };
  return {.connect = {},
          .message = forget(std::make_shared<std::atomic<int>>(0)),
          .disconnected = forget(std::make_shared<std::atomic<int>>(0))};
}

class BackendFailureTest : public ::testing::TestWithParam<Way> {
 protected:
  BackendNode& Node(BackendHandlers handlers, BackendOptions options = {}) {
    node_ = std::make_unique<BackendNode>(GetParam(), std::move(handlers), std::move(options));
    return *node_;
  }
  // One whose service is asked one question at a time.
  BackendNode& OneByOne(BackendHandlers handlers, BackendOptions options = {}) {
    v1::Attachment attachment;
    attachment.set_questions_max(1);
    options.concurrency_max = 1;
    node_ = std::make_unique<BackendNode>(GetParam(), std::move(handlers), std::move(options),
                                          std::move(attachment));
    return *node_;
  }
  // What is logged when such a service is asked. Lines are rationed, so one is asked until they
  // come, a new one each time, since none is left alone then.
  std::string LogOf(const BackendHandlers& handlers, const BackendOptions& options = {}) {
    std::string log;
    EXPECT_TRUE(Eventually([&] {
      BackendNode& node = Node(handlers, options);
      ::testing::internal::CaptureStderr();
      node.asker().Connect(1).Get();
      log = ::testing::internal::GetCapturedStderr();
      return log.find("backend_failed") != std::string::npos;
    }));
    return log;
  }

  std::unique_ptr<BackendNode> node_;
};

INSTANTIATE_TEST_SUITE_P(Ways, BackendFailureTest, ::testing::Values(Way::kDialled, Way::kAttached),
                         [](const auto& info) {
                           return info.param == Way::kDialled ? "Dialled" : "Attached";
                         });

TEST_P(BackendFailureTest, OnlyWhileAServiceIsAwayIsLetInWhomATokenProved) {
  for (const StatusCode code : {StatusCode::UNAVAILABLE, StatusCode::DEADLINE_EXCEEDED}) {
    BackendNode& node = Node(Failing(code), {.connect_outage = ConnectOutage::kAcceptProved});
    EXPECT_EQ(node.asker().Connect(1).Get(), kNoAnswer);
    EXPECT_EQ(node.asker().Connect(2, kBob).Get(), "let in as bob in []");
    EXPECT_EQ(node.Total(Counter::kBackendFailures), 2u);
  }
  for (const StatusCode code :
       {StatusCode::CANCELLED, StatusCode::UNKNOWN, StatusCode::INVALID_ARGUMENT,
        StatusCode::RESOURCE_EXHAUSTED, StatusCode::UNIMPLEMENTED, StatusCode::INTERNAL}) {
    BackendNode& node = Node(Failing(code), {.connect_outage = ConnectOutage::kAcceptProved});
    EXPECT_EQ(node.asker().Connect(1, kBob).Get(), kNoAnswer) << code;
    EXPECT_EQ(node.Total(Counter::kBackendFailures), 1u);
  }
}

TEST_P(BackendFailureTest, OnlyAServiceThatIsAwayIsAskedAgain) {
  BackendNode& node = Node(Failing(StatusCode::INTERNAL), {.connect_outage = ConnectOutage::kHold});
  EXPECT_EQ(node.asker().Connect(1, kBob).Get(), kNoAnswer);
  EXPECT_THAT(node.service().asked.lines(), ElementsAre("Connect /ws"));
}

TEST_P(BackendFailureTest, AStatusThatDeniesRefusesWhateverThePolicyIs) {
  for (const ConnectOutage policy : kPolicies) {
    BackendNode& denying = Node(Failing(StatusCode::PERMISSION_DENIED), {.connect_outage = policy});
    EXPECT_EQ(denying.asker().Connect(1, kBob).Get(), "refused 4003 ");
    EXPECT_EQ(denying.Total(Counter::kBackendFailures), 1u);
    BackendNode& asking = Node(Failing(StatusCode::UNAUTHENTICATED), {.connect_outage = policy});
    EXPECT_EQ(asking.asker().Connect(1, kBob).Get(), "refused 4001 ");
  }
}

TEST_P(BackendFailureTest, ARefusalThatIsNotInOrderIsARefusal) {
  for (const std::string& refusal :
       {std::string(R"("code":1006)"), R"("reason":")" + std::string(124, 'x') + '"',
        std::string(R"("code":4029,"retry_after":"-1s")")}) {
    for (const ConnectOutage policy : kPolicies) {
      BackendNode& node =
          Node(Deciding(R"({"refuse":{)" + refusal + "}}"), {.connect_outage = policy});
      EXPECT_EQ(node.asker().Connect(1, kBob).Get(), "refused 4003 ") << refusal;
      EXPECT_EQ(node.Total(Counter::kBackendFailures), 1u);
    }
  }
}

TEST_P(BackendFailureTest, NonsenseLetsNobodyIn) {
  for (const char* nonsense :
       {"{}", R"({"accept":{"rooms":[""]}})", R"({"accept":{"subprotocol":"nobody's"}})"}) {
    BackendNode& node = Node(Deciding(nonsense), {.connect_outage = ConnectOutage::kAcceptProved});
    EXPECT_EQ(node.asker().Connect(1, kBob).Get(), kNoAnswer) << nonsense;
    EXPECT_EQ(node.Total(Counter::kBackendFailures), 1u);
  }
}

TEST_P(BackendFailureTest, AnAnswerThatCannotBeParsedLetsNobodyInHoweverMuchOfItMakesSense) {
  BackendNode& node = Node({.connect =
                                [](const auto&, const auto& reply) {
                                  v1::ConnectResponse response;
                                  response.mutable_accept()->set_client_id("eve");
                                  (*response.mutable_accept()->mutable_labels())["key"] = "\xff";
                                  reply(grpc::Status::OK, response);
                                }},
                           {.connect_outage = ConnectOutage::kAcceptProved});
  EXPECT_EQ(node.asker().Connect(1).Get(), kNoAnswer);
  EXPECT_EQ(node.asker().Connect(2, kBob).Get(), kNoAnswer);
  EXPECT_THAT(node.service().asked.lines(), ElementsAre("Connect /ws", "Connect /ws"));
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 2u);
}

TEST_P(BackendFailureTest, AMessageWhoseAnswerCannotBeParsedIsAnsweredForAndOthersAreNot) {
  BackendNode& node = Node({.message = [](const v1::MessageRequest& request, const auto& reply) {
    v1::MessageResponse response;
    response.add_effects()->mutable_send()->set_text("a");
    if (request.payload().text() == "bad") {
      response.add_effects()->mutable_join()->add_rooms("\xff");
    }
    reply(grpc::Status::OK, response);
  }});
  EXPECT_EQ(node.asker().Message(1, "bad").Get(), kEnd);
  EXPECT_EQ(node.asker().Message(2, "good").Get(), "send a");
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 1u);
}

TEST_P(BackendFailureTest, MessagesAreAnsweredForAsThePolicySaysWhateverTheFailureIs) {
  for (const StatusCode code : {StatusCode::INTERNAL, StatusCode::UNAVAILABLE}) {
    BackendNode& node = Node(Failing(code), {.message_outage = MessageOutage::kDrop});
    EXPECT_EQ(node.asker().Message(3, "hello").Get(), "nothing");
    EXPECT_EQ(node.Total(Counter::kBackendFailures), 1u);
  }
  BackendNode& node = Node({.message = [](const auto&, const auto& reply) {
    reply(grpc::Status::OK,
          FromJson<v1::MessageResponse>(R"({"effects":[{"send":{"text":"a"}},{}]})"));
  }});
  EXPECT_EQ(node.asker().Message(1, "hello").Get(), kEnd);
}

TEST_P(BackendFailureTest, AConnectThatIsNotImplementedSwitchesNothingOff) {
  BackendNode& node = Node(Failing(StatusCode::UNIMPLEMENTED));
  EXPECT_EQ(node.asker().Connect(1).Get(), kNoAnswer);
  EXPECT_EQ(node.asker().Connect(2, kBob).Get(), kNoAnswer);
  EXPECT_THAT(node.service().asked.lines(), ElementsAre("Connect /ws", "Connect /ws"));
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 2u);
  EXPECT_THAT(LogOf(Failing(StatusCode::UNIMPLEMENTED)),
              AllOf(HasSubstr(R"("code":"UNIMPLEMENTED")"), HasSubstr(R"("method":"Connect")"),
                    HasSubstr(R"("route":"/ws")"), HasSubstr(R"("level":"warning")")));
}

TEST_P(BackendFailureTest, WhatNeverWasImplementedIsAskedOnce) {
  BackendNode& node = Node(Failing(StatusCode::UNIMPLEMENTED));
  EXPECT_TRUE(node.backend().Hears("/ws"));
  EXPECT_EQ(node.asker().Message(1, "hello").Get(), "nothing");
  EXPECT_FALSE(node.backend().Hears("/ws"));
  EXPECT_EQ(node.asker().Message(1, "hello?").Get(), "nothing");
  node.asker().Disconnected(1);
  node.backend().Stop(absl::Seconds(10));
  EXPECT_THAT(node.service().asked.lines(),
              ElementsAre("Message hello of alice", "Disconnected 1000 of alice"));
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 0u);
  EXPECT_EQ(node.Total(Counter::kBackendEndsLost), 0u);
}

TEST_P(BackendFailureTest, WhatWasAnsweredIsImplemented) {
  BackendNode& node = OneByOne(Forgetful());
  EXPECT_EQ(node.asker().Message(1, "hello").Get(), "nothing");
  EXPECT_EQ(node.asker().Message(1, "hello").Get(), kEnd);
  EXPECT_TRUE(node.backend().Hears("/ws"));
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 1u);
  node.asker().Disconnected(1);
  node.asker().Disconnected(2);
  node.backend().Stop(absl::Seconds(10));
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 2u);
  EXPECT_EQ(node.Total(Counter::kBackendEndsLost), 1u);
}

TEST_P(BackendFailureTest, AnAnswerSpeaksForWhatAnotherSaidIsNotImplemented) {
  std::promise<BackendReply<v1::MessageResponse>> slow;
  BackendNode& node = Node({.message = [&](const v1::MessageRequest& request, const auto& reply) {
    if (request.payload().text() == "slow") return slow.set_value(reply);
    reply(grpc::Status(StatusCode::UNIMPLEMENTED, ""), {});
  }});
  auto asked = node.asker().Message(1, "slow");
  const auto reply = slow.get_future().get();
  EXPECT_EQ(node.asker().Message(2, "fast").Get(), "nothing");
  EXPECT_FALSE(node.backend().Hears("/ws"));
  reply(grpc::Status::OK, {});
  EXPECT_EQ(asked.Get(), "nothing");
  EXPECT_TRUE(node.backend().Hears("/ws"));
}

TEST_P(BackendFailureTest, WhatAServiceSaysOfAFailureIsNotLogged) {
  for (const auto& [code, name] : {std::pair(StatusCode::INVALID_ARGUMENT, "INVALID_ARGUMENT"),
                                   {StatusCode::UNAVAILABLE, "UNAVAILABLE"},
                                   {StatusCode::DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"}}) {
    EXPECT_THAT(LogOf(Failing(code, "s3cr3t")), AllOf(HasSubstr(name), Not(HasSubstr("s3cr3t"))));
  }
  EXPECT_THAT(LogOf(Deciding("{}")), HasSubstr("neither accept nor refuse"));
  EXPECT_THAT(LogOf(Deciding(R"({"refuse":{"code":1006}})")), HasSubstr("code is 1006"));
  // Its deadline is found by the desk or by gRPC, whichever is first.
  const BackendHandlers silent = {.connect = [](const auto&, const auto&) {}};
  EXPECT_THAT(LogOf(silent, {.timeout = absl::Milliseconds(100)}), HasSubstr("DEADLINE_EXCEEDED"));
}

TEST_P(BackendFailureTest, MoreOctetsThanMayWaitAreAnsweredFor) {
  BackendNode& node = OneByOne({.connect = [](const auto&, const auto&) {}},
                               {.timeout = absl::Seconds(60), .queue_max = 2});
  auto running = node.asker().Connect(1);
  node.service().asked.Await(1);
  const std::string text(40 << 20, 'x');
  auto waiting = node.asker().Message(2, text);
  // One more than may wait: when it is answered, the desk has looked at those before it.
  auto small = node.asker().Connect(6);
  EXPECT_EQ(node.asker().Connect(7).Get(), kNoAnswer);
  node.backend().Cancel(small.ticket);
  EXPECT_EQ(node.asker().Message(3, text).Get(), kEnd);
  EXPECT_TRUE(waiting.Waits());
  node.backend().Cancel(waiting.ticket);
  auto next = node.asker().Message(4, text);
  EXPECT_EQ(node.asker().Message(5, text).Get(), kEnd);
  EXPECT_TRUE(next.Waits());
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 3u);
}

TEST_P(BackendFailureTest, SoAreOctetsThatTheDeskHasNotLookedAt) {
  BackendNode& node = Node(Deciding(R"({"refuse":{}})"));
  std::promise<void> entered;
  std::promise<void> go;
  node.backend().Connect({.connection = BackendAsker::IdOf(1),
                          .handshake = std::make_shared<const Handshake>(Handshake{.path = "/ws"}),
                          .token = "",
                          .proved = {}},
                         [&](const ConnectAnswer&) {
                           entered.set_value();
                           go.get_future().wait();
                         });
  entered.get_future().wait();
  const std::string text(40 << 20, 'x');
  auto first = node.asker().Message(2, text);
  EXPECT_EQ(node.asker().Message(3, text).Get(), kEnd);
  EXPECT_EQ(node.Total(Counter::kBackendFailures), 1u);
  go.set_value();
  first.Get();
}

}  // namespace
}  // namespace wsrouter
