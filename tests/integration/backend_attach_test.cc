// Services that attach: how they share connections, what becomes of questions when one goes, and
// which of them are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/backend_asker.h"
#include "tests/support/backend_node.h"
#include "tests/support/backend_services.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kNoAnswer[] = "refused 1013 the service does not answer, later";

// Lets everybody in under its own name.
BackendHandlers Named(const std::string& name) {
  return {.connect =
              [name](const auto&, const auto& reply) {
                v1::ConnectResponse response;
                response.mutable_accept()->set_client_id(name);
                reply(grpc::Status::OK, response);
              },
          .message =
              [name](const auto&, const auto& reply) {
                v1::MessageResponse response;
                response.add_effects()->mutable_send()->set_text(name);
                reply(grpc::Status::OK, response);
              }};
}
BackendHandlers Silent() {
  return {.connect = [](const auto&, const auto&) {}, .message = [](const auto&, const auto&) {}};
}
std::string As(const std::string& name) { return "let in as " + name + " in []"; }

class BackendAttachTest : public ::testing::Test {
 protected:
  std::unique_ptr<AttachedTestService> Attach(BackendHandlers handlers,
                                              v1::Attachment attachment = {}) {
    return std::make_unique<AttachedTestService>(std::move(handlers), host().control().channel,
                                                 std::move(attachment));
  }
  static v1::Attachment For(const std::string& prefix) {
    v1::Attachment attachment;
    attachment.set_path_prefix(prefix);
    return attachment;
  }
  BackendHost& host() {
    if (host_ == nullptr) host_ = std::make_unique<BackendHost>(options, attached_max);
    return *host_;
  }
  BackendAsker asker() { return BackendAsker(host().backend()); }
  // A stream that sends these requests and reads to the end.
  grpc::Status Attempt(const std::vector<std::string>& requests) {
    grpc::ClientContext context;
    auto stream = host().control().events->Attach(&context);
    for (const std::string& json : requests) stream->Write(FromJson<v1::AttachRequest>(json));
    v1::AttachResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish();
  }

  BackendOptions options;
  uint32_t attached_max = 64;

 private:
  std::unique_ptr<BackendHost> host_;
};

TEST_F(BackendAttachTest, WithoutARouteAServiceDecidesForAsLongAsItIsThere) {
  EXPECT_FALSE(host().backend().Decides("/ws"));
  {
    const auto service = Attach(Named("a"));
    EXPECT_TRUE(host().backend().Decides("/ws"));
    EXPECT_TRUE(host().backend().Hears("/ws"));
    EXPECT_EQ(asker().Connect(1).Get(), As("a"));
  }
  EXPECT_TRUE(Eventually([this] { return !host().backend().Decides("/ws"); }));
}

TEST_F(BackendAttachTest, AttachedServicesAreAskedBeforeTheOneThatIsDialled) {
  DialledTestService dialled(Named("dialled"));
  options.routes = {{.prefix = "/", .target = dialled.address()}};
  EXPECT_EQ(asker().Connect(1).Get(), As("dialled"));
  {
    const auto service = Attach(Named("attached"));
    EXPECT_EQ(asker().Connect(2).Get(), As("attached"));
  }
  EXPECT_TRUE(Eventually([this] { return asker().Connect(3).Get() == As("dialled"); }));
}

TEST_F(BackendAttachTest, TheLongestPathCountsAndMethodsAreThoseThatItSaid) {
  v1::Attachment deaf = For("/chat");
  deaf.add_methods("Connect");
  const auto all = Attach(Named("all"));
  const auto chat = Attach(Named("chat"), deaf);
  EXPECT_EQ(asker().Connect(1, {}, "/chat/7").Get(), As("chat"));
  EXPECT_EQ(asker().Connect(2, {}, "/chats").Get(), As("all"));
  EXPECT_EQ(asker().Message(1, "hello", "alice", "/chat/7").Get(), "send all");
}

TEST_F(BackendAttachTest, SeveralShareConnectionsAndEachConnectionStaysWithOne) {
  const auto first = Attach(Named("a"));
  std::set<std::string> names;
  for (uint64_t i = 0; i < 40; ++i) names.insert(asker().Connect(i).Get());
  EXPECT_THAT(names, ElementsAre(As("a")));
  auto second = Attach(Named("b"));
  int moved = 0;
  for (uint64_t i = 0; i < 40; ++i) {
    const std::string connect = asker().Connect(i).Get();
    EXPECT_EQ(asker().Message(i, "hello").Get(), connect == As("a") ? "send a" : "send b");
    EXPECT_EQ(asker().Connect(i).Get(), connect);
    moved += connect == As("b") ? 1 : 0;
  }
  EXPECT_GT(moved, 4);
  EXPECT_LT(moved, 36);
}

TEST_F(BackendAttachTest, OneThatIsAwayThoughItIsThereLeavesItsConnectionsToTheOthers) {
  const auto away = Attach({.connect = [](const auto&, const auto& reply) {
    reply(grpc::Status(grpc::StatusCode::UNAVAILABLE, ""), {});
  }});
  for (uint64_t i = 0; i < 10; ++i) EXPECT_EQ(asker().Connect(i).Get(), kNoAnswer);
  const auto other = Attach(Named("b"));
  for (uint64_t i = 0; i < 10; ++i) EXPECT_EQ(asker().Connect(i).Get(), As("b"));
}

TEST_F(BackendAttachTest, WhatAServiceLeftUnansweredGoesToTheOthersAsItCame) {
  auto first = Attach(Silent());
  std::vector<BackendAsker::Asked> asked;
  for (uint64_t i = 0; i < 20; ++i) asked.push_back(asker().Connect(i));
  first->asked.Await(20);
  const auto second = Attach(Named("b"));
  first->Die();
  for (auto& one : asked) EXPECT_EQ(one.Get(), As("b"));
  EXPECT_EQ(host().Total(Counter::kBackendFailures), 0u);
}

TEST_F(BackendAttachTest, OrToTheServiceThatIsDialledOrToThePolicy) {
  DialledTestService dialled(Named("dialled"));
  options.routes = {{.prefix = "/ws", .target = dialled.address()}};
  auto service = Attach(Silent());
  auto with = asker().Connect(1);
  auto without = asker().Connect(2, {}, "/other");
  service->asked.Await(2);
  service->Die();
  EXPECT_EQ(with.Get(), As("dialled"));
  EXPECT_EQ(without.Get(), kNoAnswer);
}

TEST_F(BackendAttachTest, ARouteThatWaitsForServicesRefusesOrHoldsAsThePolicySays) {
  options.routes = {{.prefix = "/ws", .target = ""}};
  EXPECT_EQ(asker().Connect(1).Get(), kNoAnswer);
}

TEST_F(BackendAttachTest, WhoIsHeldIsLetInWhenAServiceComes) {
  options = {.routes = {{.prefix = "/ws", .target = ""}},
             .connect_outage = ConnectOutage::kHold,
             .hold_max = absl::Seconds(20)};
  auto held = asker().Connect(1);
  auto gone = asker().Connect(2);
  host().backend().Cancel(gone.ticket);
  EXPECT_TRUE(Eventually([this] { return host().Total(Counter::kBackendFailures) > 3; }));
  EXPECT_TRUE(held.Waits());
  const auto service = Attach(Named("a"));
  EXPECT_EQ(held.Get(), As("a"));
  EXPECT_THAT(service->asked.lines(), ElementsAre("Connect /ws"));
}

TEST_F(BackendAttachTest, WhoIsHeldIsRefusedWhenTheTimeIsOver) {
  options = {.routes = {{.prefix = "/ws", .target = ""}},
             .connect_outage = ConnectOutage::kHold,
             .hold_max = absl::Milliseconds(400)};
  EXPECT_EQ(asker().Connect(1, Own{.client = {"bob"}}).Get(), kNoAnswer);
}

TEST_F(BackendAttachTest, WhatIsNoAttachmentIsRefused) {
  const auto expect = [this](const std::vector<std::string>& requests, const std::string& why) {
    const grpc::Status status = Attempt(requests);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << why;
    EXPECT_THAT(status.error_message(), HasSubstr(why));
  };
  expect({"{}"}, "attach is missing");
  expect({R"({"answer":{"question_id":1}})"}, "attach is missing");
  expect({R"({"attach":{}})", R"({"attach":{}})"}, "comes twice");
  expect({R"({"attach":{}})", "{}"}, "answer is missing");
  expect({R"({"attach":{"path_prefix":"ws"}})"}, "path_prefix");
  expect({R"({"attach":{"questions_max":10001}})"}, "questions_max");
  expect({R"({"attach":{"methods":["connect"]}})"}, "methods");
  EXPECT_TRUE(Eventually([this] { return !host().backend().Decides("/ws"); }));
}

TEST_F(BackendAttachTest, NoMoreThanSoManyMayAttach) {
  attached_max = 2;
  const auto first = Attach({});
  const auto second = Attach({});
  const grpc::Status refused = Attempt({R"({"attach":{}})"});
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  std::string reason;
  std::string field;
  ReadErrorInfo(refused, reason, field);
  EXPECT_EQ(reason, "TOO_MANY_WATCHERS");
  EXPECT_THAT(refused.error_details(), HasSubstr("control.attached_max"));
}

TEST_F(BackendAttachTest, AnswersToNoQuestionOfItsOwnAreIgnored) {
  const auto first = Attach(Silent(), For("/ws"));
  auto asked = asker().Connect(1);
  first->asked.Await(1);
  grpc::ClientContext context;
  auto stream = host().control().events->Attach(&context);
  stream->Write(FromJson<v1::AttachRequest>(R"({"attach":{"path_prefix":"/other"}})"));
  for (int id = 0; id < 10; ++id) {
    v1::AttachRequest request;
    request.mutable_answer()->set_question_id(static_cast<uint64_t>(id));
    request.mutable_answer()->mutable_connect()->mutable_accept();
    stream->Write(request);
  }
  stream->WritesDone();
  v1::AttachResponse response;
  while (stream->Read(&response)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(asked.Waits());
}

TEST_F(BackendAttachTest, WhoSpeaksNonsenseIsNotMistakenForOneThatIsAway) {
  options.connect_outage = ConnectOutage::kAcceptProved;
  grpc::ClientContext context;
  auto stream = host().control().events->Attach(&context);
  stream->Write(FromJson<v1::AttachRequest>(R"({"attach":{}})"));
  v1::AttachResponse response;
  ASSERT_TRUE(stream->Read(&response) && response.has_ready());
  auto asked = asker().Connect(1, Own{.client = {"bob"}});
  ASSERT_TRUE(stream->Read(&response) && response.has_question());
  stream->Write(FromJson<v1::AttachRequest>("{}"));
  EXPECT_EQ(asked.Get(), kNoAnswer);
  EXPECT_EQ(host().Total(Counter::kBackendFailures), 1u);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(BackendAttachTest, AnAnswerFarOverTheLimitEndsTheStreamWithAReason) {
  const auto service = Attach({.connect = [](const auto&, const auto& reply) {
    v1::ConnectResponse response;
    response.mutable_accept()->add_first()->set_binary(std::string(size_t{17} << 20, 'x'));
    reply(grpc::Status::OK, response);
  }});
  EXPECT_EQ(asker().Connect(1).Get(), kNoAnswer);
  EXPECT_EQ(service->AwaitEnd().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(BackendAttachTest, AStopEndsTheStreamAndSaysSo) {
  const auto service = Attach({});
  host().control().server->Shutdown(absl::Seconds(5));
  const grpc::Status end = service->AwaitEnd();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(end.error_message(), HasSubstr("stopping"));
}

}  // namespace
}  // namespace wsrouter
