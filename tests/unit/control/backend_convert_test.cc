#include "control/backend_convert.h"

#include <string>

#include "core/error.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr size_t kBytesMax = 1000;
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

template <typename Message>
Message Json(const std::string& json) {
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &message);
  EXPECT_TRUE(status.ok()) << status.ToString() << " in " << json;
  return message;
}

ConnectQuestion Question() {
  Handshake handshake;
  handshake.path = "/ws";
  handshake.query = "v=2";
  handshake.peer = "203.0.113.7:1";
  handshake.offered_subprotocols = {"chat.v1"};
  handshake.cookies = {{"session", "s1"}};
  return {.connection = {{"node-1", 7}, 0, 42},
          .handshake = std::make_shared<const Handshake>(handshake),
          .token = "secret",
          .proved = {}};
}

ConnectQuestion Proved() {
  ConnectQuestion question = Question();
  question.proved = Own{.client = {"alice"},
                        .rooms = {{"lobby"}},
                        .labels = {{"plan", "free"}, {"region", "eu"}},
                        .expires_at = kNow + absl::Hours(1)};
  return question;
}

absl::StatusOr<ConnectAnswer> Read(const std::string& json,
                                   const ConnectQuestion& question = Question()) {
  return ReadAnswer(Json<v1::ConnectResponse>(json), question, kBytesMax, kNow);
}

Admission Admitted(const std::string& json, const ConnectQuestion& question = Question()) {
  const auto answer = Read(json, question);
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.ok() ? std::get<Admission>(*answer) : Admission();
}

// What is wrong with an answer.
std::string Wrong(const std::string& json, const ConnectQuestion& question = Question()) {
  return std::string(Read(json, question).status().message());
}

absl::StatusOr<MessageAnswer> ReadMessage(const std::string& json) {
  return ReadAnswer(Json<v1::MessageResponse>(json), Question().connection, kBytesMax, kNow);
}

TEST(BackendConvertTest, TheQuestionShowsTheHandshakeAndWhatTheTokenProvedButNotTheToken) {
  const v1::ConnectRequest request = ToRequest(Proved());
  EXPECT_EQ(request.connection_id(), "node-1.0000000000000007.00.2a");
  EXPECT_EQ(request.client().path(), "/ws");
  EXPECT_EQ(request.client().query(), "v=2");
  EXPECT_EQ(request.client().cookies().at("session"), "s1");
  EXPECT_EQ(request.token_client_id(), "alice");
  EXPECT_THAT(request.token_rooms(), ElementsAre("lobby"));
  EXPECT_EQ(request.token_labels().at("plan"), "free");
  EXPECT_EQ(request.SerializeAsString().find("secret"), std::string::npos);
}

TEST(BackendConvertTest, AnAcceptBecomesAnOwn) {
  const Admission admission = Admitted(R"({"accept":{"client_id":"bob","rooms":["a","b","a"],
      "labels":{"k":"v"},"on_duplicate":"ON_DUPLICATE_REPLACE",
      "expires_at":"2023-11-15T00:00:00Z","first":[{"text":"hi"},{"binary":"AP8="}],
      "subprotocol":"chat.v1"}})");
  ASSERT_TRUE(admission.own.has_value());
  EXPECT_EQ(admission.own->client.value, "bob");
  EXPECT_THAT(admission.own->rooms, ElementsAre(RoomName{"a"}, RoomName{"b"}));
  EXPECT_THAT(admission.own->labels, ElementsAre(Pair("k", "v")));
  EXPECT_EQ(admission.own->on_duplicate, OnDuplicate::kReplace);
  EXPECT_EQ(admission.own->expires_at, absl::FromUnixSeconds(1'700'006'400));
  EXPECT_EQ(admission.subprotocol, "chat.v1");
  ASSERT_EQ(admission.greetings.size(), 2u);
  EXPECT_EQ(admission.greetings[0]->payload(), "hi");
  EXPECT_EQ(admission.greetings[1]->opcode(), Opcode::kBinary);
}

TEST(BackendConvertTest, AnEmptyAcceptIsForNobodyOrForWhomTheTokenProved) {
  EXPECT_FALSE(Admitted(R"({"accept":{}})").own.has_value());
  const Admission proved = Admitted(R"({"accept":{}})", Proved());
  EXPECT_EQ(proved.own->client.value, "alice");
  EXPECT_THAT(proved.own->rooms, ElementsAre(RoomName{"lobby"}));
  EXPECT_EQ(proved.own->expires_at, kNow + absl::Hours(1));
}

TEST(BackendConvertTest, WhatTheServiceSaysGoesBesidesTheTokenAndBeforeIt) {
  const Admission admission =
      Admitted(R"({"accept":{"rooms":["lobby","kitchen"],"labels":{"plan":"paid"}}})", Proved());
  EXPECT_THAT(admission.own->rooms, UnorderedElementsAre(RoomName{"lobby"}, RoomName{"kitchen"}));
  EXPECT_THAT(admission.own->labels, ElementsAre(Pair("plan", "paid"), Pair("region", "eu")));
  EXPECT_EQ(Admitted(R"({"accept":{"client_id":"bob"}})", Proved()).own->client.value, "bob");
}

TEST(BackendConvertTest, ARefusalIsForbiddenUnlessItSaysMore) {
  const auto plain = std::get<Denial>(*Read(R"({"refuse":{}})"));
  EXPECT_EQ(plain.close.code, 4003);
  EXPECT_EQ(plain.retry_after, absl::ZeroDuration());
  const auto told =
      std::get<Denial>(*Read(R"({"refuse":{"code":4029,"reason":"slowly","retry_after":"1.5s"}})"));
  EXPECT_EQ(told.close.code, 4029);
  EXPECT_EQ(told.close.reason, "slowly");
  EXPECT_EQ(told.retry_after, absl::Milliseconds(1500));
}

TEST(BackendConvertTest, AnswersThatAreNotInOrderAreRefusedWithWhatIsWrong) {
  EXPECT_THAT(Wrong("{}"), HasSubstr("neither accept nor refuse"));
  EXPECT_THAT(Wrong(R"({"accept":{"client_id":"a\u0001"}})"), HasSubstr("client_id"));
  EXPECT_THAT(Wrong(R"({"accept":{"rooms":["r"]}})"), HasSubstr("client_id is empty"));
  EXPECT_THAT(Wrong(R"({"accept":{"labels":{"k":"v"}}})"), HasSubstr("client_id is empty"));
  EXPECT_THAT(Wrong(R"({"accept":{"client_id":"a","rooms":[""]}})"), HasSubstr("rooms[0]"));
  EXPECT_THAT(Wrong(R"({"accept":{"client_id":"a","on_duplicate":9}})"), HasSubstr("on_duplicate"));
  EXPECT_THAT(Wrong(R"({"accept":{"client_id":"a","expires_at":"2001-01-01T00:00:00Z"}})"),
              HasSubstr("in the past"));
  EXPECT_THAT(Wrong(R"({"accept":{"subprotocol":"chat.v2"}})"), HasSubstr("none that the client"));
  EXPECT_THAT(Wrong(R"({"accept":{"first":[{}]}})"), HasSubstr("neither text nor binary"));
  EXPECT_THAT(Wrong(R"({"refuse":{"code":1006}})"), HasSubstr("refuse.code"));
  EXPECT_THAT(Wrong(R"({"refuse":{"code":200}})"), HasSubstr("refuse.code"));
  EXPECT_THAT(Wrong(R"({"refuse":{"reason":")" + std::string(124, 'x') + R"("}})"),
              HasSubstr("refuse.reason"));
  EXPECT_THAT(Wrong(R"({"refuse":{"retry_after":"-1s"}})"), HasSubstr("retry_after"));
}

TEST(BackendConvertTest, ARefusalThatIsNotInOrderIsOneAllTheSame) {
  EXPECT_TRUE(absl::IsPermissionDenied(Read(R"({"refuse":{"code":1006}})").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Read(R"({"accept":{"rooms":["r"]}})").status()));
}

TEST(BackendConvertTest, FirstPayloadsAreBoundedInNumberAndSize) {
  std::string first;
  for (int i = 0; i < 17; ++i) first += std::string(i > 0 ? "," : "") + R"({"text":""})";
  EXPECT_THAT(Wrong(R"({"accept":{"first":[)" + first + "]}}"), HasSubstr("first has 17 entries"));
  EXPECT_THAT(Wrong(R"({"accept":{"first":[{"text":")" + std::string(1001, 'x') + R"("}]}})"),
              HasSubstr("1001 octets"));
}

TEST(BackendConvertTest, LabelsWithThoseOfTheTokenAreBounded) {
  ConnectQuestion question = Proved();
  for (int i = 0; i < 32; ++i) question.proved->labels[std::to_string(i)] = "";
  EXPECT_THAT(Wrong(R"({"accept":{}})", question), HasSubstr("with those of the token"));
}

TEST(BackendConvertTest, EffectsBecomeEnvelopesInTheirOrder) {
  const auto answer = ReadMessage(R"({"effects":[{"send":{"text":"hi"}},
      {"push":{"room":"a","rooms":["b"],"payload":{"text":"all"},"except_client_ids":["bob"]}},
      {"send_to_client":{"client_id":"carol","payload":{"text":"psst"}}},
      {"join":{"rooms":["c"]}},{"leave":{"rooms":["d"]}},{"own":{"client_id":"alice"}},
      {"disconnect":{"code":4999,"reason":"bye"}}]})");
  ASSERT_TRUE(answer.ok()) << answer.status();
  const Effects& effects = answer->effects;
  ASSERT_EQ(effects.size(), 8u);
  EXPECT_EQ(answer->reply, nullptr);
  const Topic self = Question().connection;
  EXPECT_EQ(effects[0].to, self);
  EXPECT_EQ(std::get<Deliver>(effects[0].action).frame->payload(), "hi");
  EXPECT_EQ(effects[1].to, Topic(RoomName{"a"}));
  EXPECT_EQ(effects[2].to, Topic(RoomName{"b"}));
  EXPECT_TRUE(std::get<Deliver>(effects[2].action).except->clients.contains(ClientId{"bob"}));
  EXPECT_EQ(effects[3].to, Topic(ClientId{"carol"}));
  EXPECT_THAT(std::get<Join>(effects[4].action).rooms, ElementsAre(RoomName{"c"}));
  EXPECT_THAT(std::get<Leave>(effects[5].action).rooms, ElementsAre(RoomName{"d"}));
  EXPECT_EQ(std::get<Own>(effects[6].action).client.value, "alice");
  EXPECT_EQ(std::get<Disconnect>(effects[7].action).close.code, 4999);
}

TEST(BackendConvertTest, EffectsThatAreNotInOrderAreRefusedAsAWhole) {
  const auto wrong = [](const std::string& effects) {
    return std::string(ReadMessage(R"({"effects":[)" + effects + "]}").status().message());
  };
  EXPECT_THAT(wrong("{}"), HasSubstr("effects[0]: effect is not set"));
  EXPECT_THAT(wrong(R"({"send":{"text":"a"}},{"send":{}})"), HasSubstr("effects[1]"));
  EXPECT_THAT(wrong(R"({"push":{"payload":{"text":""}}})"), HasSubstr("room is empty"));
  EXPECT_THAT(wrong(R"({"send_to_client":{"payload":{"text":""}}})"), HasSubstr("client_id"));
  EXPECT_THAT(wrong(R"({"join":{}})"), HasSubstr("rooms is empty"));
  EXPECT_THAT(wrong(R"({"own":{"client_id":"a","connection_id":"x"}})"),
              HasSubstr("want it empty"));
  EXPECT_THAT(wrong(R"({"disconnect":{"code":1006}})"), HasSubstr("code is 1006"));
  EXPECT_THAT(wrong(R"({"disconnect":{}},{"send":{"text":"a"}})"),
              HasSubstr("behind a disconnect"));
  std::string many;
  for (int i = 0; i < 101; ++i) many += std::string(i > 0 ? "," : "") + R"({"send":{"text":""}})";
  EXPECT_THAT(wrong(many), HasSubstr("effects has 101 entries"));
}

TEST(BackendConvertTest, AReplyIsAPayloadWithItsBounds) {
  const auto text = ReadMessage(R"({"effects":[{"leave":{"rooms":["a"]}}],"reply":{"text":""}})");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(text->reply->payload(), "");
  EXPECT_EQ(text->reply->opcode(), Opcode::kText);
  EXPECT_EQ(text->effects.size(), 1u);
  EXPECT_EQ(ReadMessage(R"({"reply":{"binary":"+/8="}})")->reply->payload(), "\xFB\xFF");
  const absl::Status neither = ReadMessage(R"({"reply":{}})").status();
  EXPECT_EQ(ReasonOf(neither), "FIELD_MISSING");
  EXPECT_THAT(std::string(neither.message()), HasSubstr("reply: "));
  const std::string large(kBytesMax + 1, 'x');
  EXPECT_EQ(ReasonOf(ReadMessage(R"({"reply":{"text":")" + large + R"("}})").status()),
            "PAYLOAD_TOO_LARGE");
}

TEST(BackendConvertTest, TheRoomOfAMessageIsTheClientsWord) {
  const ConnectQuestion proved = Proved();
  const v1::MessageRequest request = ToRequest(MessageQuestion{.connection = proved.connection,
                                                               .client = {"alice"},
                                                               .handshake = proved.handshake,
                                                               .payload = "hi",
                                                               .rooms = {{"lobby"}},
                                                               .room = {"attic"}});
  EXPECT_EQ(request.room(), "attic");
  EXPECT_EQ(request.rooms_size(), 1);
  EXPECT_EQ(request.rooms(0), "lobby");
}

}  // namespace
}  // namespace wsrouter
