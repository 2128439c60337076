#include "core/client_protocol.h"

#include <string>
#include <vector>

#include "core/error.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

using namespace std::string_literals;

template <typename Frame>
Frame Parsed(std::string_view text) {
  auto frame = ParseClientFrame(text);
  if (const auto* bad = std::get_if<BadClientFrame>(&frame)) {
    ADD_FAILURE() << text << ": " << bad->refusal;
    return {};
  }
  return std::get<Frame>(std::get<ClientRequest>(std::move(frame)));
}

// "breaks", or the reason and the id.
std::string Wrong(std::string_view text) {
  const auto frame = ParseClientFrame(text);
  const auto* bad = std::get_if<BadClientFrame>(&frame);
  if (bad == nullptr) return "nothing";
  if (bad->breaks_protocol) return "breaks";
  return ReasonOf(bad->refusal) + " " + bad->id;
}

TEST(ClientProtocolTest, KindsAreReadWithAndWithoutAnId) {
  const auto join = Parsed<client_frame::Join>(R"( {"join":{"id":"1","room":"lobby"}} )");
  EXPECT_EQ(join.id, "1");
  EXPECT_EQ(join.room.value, "lobby");
  const auto leave = Parsed<client_frame::Leave>(R"({"leave":{"room":"\u00e4"}})");
  EXPECT_EQ(leave.id, "");
  EXPECT_EQ(leave.room.value, "\xC3\xA4");
  const auto message =
      Parsed<client_frame::Message>(R"({"message":{"id":"m","text":"a\n\u0000"}})");
  EXPECT_EQ(message.opcode, Opcode::kText);
  EXPECT_EQ(message.payload, "a\n\0"s);
  EXPECT_EQ(message.room.value, "");
  EXPECT_EQ(Parsed<client_frame::Message>(R"({"message":{"text":"","room":"r"}})").room.value, "r");
  EXPECT_EQ(Parsed<client_frame::Message>(R"({"message":{"text":"","room":""}})").room.value, "");
  EXPECT_EQ(Parsed<client_frame::Ping>(R"({"ping":{"id":"9"}})").id, "9");
  EXPECT_EQ(Parsed<client_frame::Ping>(R"({"ping":{}})").id, "");
  const auto presence =
      Parsed<client_frame::Presence>(R"({"presence":{"id":"p","room":"lobby","on":true}})");
  EXPECT_EQ(presence.id, "p");
  EXPECT_EQ(presence.room.value, "lobby");
  EXPECT_TRUE(presence.on);
  for (const char* off : {R"({"presence":{"room":"a"}})", R"({"presence":{"room":"a","on":null}})",
                          R"({"presence":{"room":"a","on":false}})"}) {
    EXPECT_FALSE(Parsed<client_frame::Presence>(off).on) << off;
  }
}

TEST(ClientProtocolTest, BinaryIsBase64OfBothAlphabets) {
  for (const char* text : {R"({"message":{"binary":"+/8="}})", R"({"message":{"binary":"-_8"}})"}) {
    const auto message = Parsed<client_frame::Message>(text);
    EXPECT_EQ(message.opcode, Opcode::kBinary);
    EXPECT_EQ(message.payload, "\xFB\xFF") << text;
  }
  EXPECT_EQ(Parsed<client_frame::Message>(R"({"message":{"binary":""}})").payload, "");
  EXPECT_EQ(Wrong(R"({"message":{"id":"m","binary":"a*"}})"), "FRAME_INVALID m");
}

TEST(ClientProtocolTest, UnknownMembersAndNullsAreIgnored) {
  const auto join = Parsed<client_frame::Join>(
      R"({"join":{"room":"a","id":null,"since":null,"until":[1]},"leave":null,"v":2})");
  EXPECT_FALSE(join.since.has_value());
  EXPECT_EQ(join.room.value, "a");
}

TEST(ClientProtocolTest, APositionIsReadAsANumberAndAsAText) {
  const auto since = [](const std::string& text) {
    return Parsed<client_frame::Join>(R"({"join":{"room":"a","since":)" + text + "}}").since;
  };
  const Position expected = {.offset = 17, .epoch = "e"};
  EXPECT_EQ(since(R"({"offset":17,"epoch":"e"})"), expected);
  EXPECT_EQ(since(R"({"offset":"17","epoch":"e","at":{"id":1}})"), expected);
  EXPECT_EQ(since("{}"), Position{});
  EXPECT_EQ(since(R"({"offset":null,"epoch":"e"})"), (Position{.offset = 0, .epoch = "e"}));
  EXPECT_EQ(since(R"({"offset":"18446744073709551615","epoch":"e"})")->offset, UINT64_MAX);
}

TEST(ClientProtocolTest, WhatIsNoPositionIsToldByItsId) {
  const std::string long_epoch(65, 'e');
  for (const std::string& text : std::vector<std::string>{
           "17", R"("17")", "[]", R"({"offset":17})", R"({"offset":"1","epoch":""})",
           R"({"offset":-1,"epoch":"e"})", R"({"offset":"-1","epoch":"e"})",
           R"({"offset":1.5,"epoch":"e"})", R"({"offset":"","epoch":"e"})",
           R"({"offset":" 1","epoch":"e"})", R"({"offset":true,"epoch":"e"})",
           R"({"offset":"18446744073709551616","epoch":"e"})", R"({"epoch":7})",
           R"({"offset":1,"epoch":")" + long_epoch + R"("})"}) {
    EXPECT_EQ(Wrong(R"({"join":{"id":"1","room":"a","since":)" + text + "}}"), "FRAME_INVALID 1")
        << text;
  }
}

TEST(ClientProtocolTest, WhatIsNotInOrderIsToldByItsId) {
  EXPECT_EQ(Wrong("{}"), "FRAME_UNKNOWN ");
  EXPECT_EQ(Wrong(R"({"hello":{}})"), "FRAME_UNKNOWN ");
  EXPECT_EQ(Wrong(R"({"join":{"room":"a"},"leave":{"room":"a"}})"), "FRAME_INVALID ");
  EXPECT_EQ(Wrong(R"({"join":"a"})"), "FRAME_INVALID ");
  EXPECT_EQ(Wrong(R"({"join":{"id":"1"}})"), "FRAME_INVALID 1");
  EXPECT_EQ(Wrong(R"({"join":{"id":"1","room":7}})"), "FRAME_INVALID 1");
  EXPECT_EQ(Wrong(R"({"join":{"id":"1","room":"a\u0001"}})"), "FRAME_INVALID 1");
  EXPECT_EQ(Wrong(R"({"join":{"id":7,"room":"a"}})"), "FRAME_INVALID ");
  EXPECT_EQ(Wrong(R"({"leave":{"id":"1","room":")" + std::string(256, 'a') + R"("}})"),
            "FRAME_INVALID 1");
  EXPECT_EQ(Wrong(R"({"message":{"id":"1"}})"), "FRAME_INVALID 1");
  EXPECT_EQ(Wrong(R"({"message":{"id":"1","text":"a","room":"a\u0001"}})"), "FRAME_INVALID 1");
  EXPECT_EQ(Wrong(R"({"message":{"id":"1","text":"a","room":7}})"), "FRAME_INVALID 1");
  EXPECT_EQ(Wrong(R"({"ping":7})"), "FRAME_INVALID ");
  EXPECT_EQ(Wrong(R"({"message":{"id":"1","text":"a","binary":""}})"), "FRAME_INVALID 1");
  EXPECT_EQ(Wrong(R"({"join":{"room":"a","id":")" + std::string(65, 'i') + R"("}})"),
            "FRAME_INVALID ");
}

TEST(ClientProtocolTest, WhatIsNoObjectBreaksTheProtocol) {
  const std::string deep(100'000, '[');
  for (const std::string& text :
       {""s, "hi"s, "7"s, "[]"s, "null"s, R"({"join":{"room":"a"}} x)"s, "{\"a\":\"\xFF\"}"s,
        R"({"a":"\ud800"})"s, "{}\0{}"s, R"({"a":)"s + deep, deep,
        R"({"a":)"s + std::string(16, '[') + std::string(16, ']') + "}"}) {
    EXPECT_EQ(Wrong(text), "breaks") << text.substr(0, 40);
  }
  EXPECT_EQ(Wrong(R"({"a":)"s + std::string(15, '[') + std::string(15, ']') + "}"),
            "FRAME_UNKNOWN ");
  EXPECT_EQ(Wrong(R"({"a":"[[[[[[[[[[[[[[[[[[\"[[[["})"), "FRAME_UNKNOWN ");
}

// A parser that walks through a list again for each of its members would be at it for an hour.
TEST(ClientProtocolTest, ManyMembersAreReadInOneGo) {
  std::string text = R"({"leave":{"id":"1","room":"a"},"x":[{})";
  for (int i = 0; i < 2'000'000; ++i) text += ",{}";
  const auto frame = ParseClientFrame(text + "]}");
  ASSERT_TRUE(std::holds_alternative<ClientRequest>(frame));
  EXPECT_EQ(std::get<client_frame::Leave>(std::get<ClientRequest>(frame)).room, RoomName{"a"});
}

TEST(ClientProtocolTest, NodeFramesAreWritten) {
  EXPECT_EQ(WelcomeText("n.1.0.1", ""), R"({"welcome":{"connectionId":"n.1.0.1"}})");
  EXPECT_EQ(WelcomeText("n.1.0.1", "a\"b"),
            R"({"welcome":{"connectionId":"n.1.0.1","clientId":"a\"b"}})");
  EXPECT_EQ(JoinedText("1", {"lobby"}), R"({"joined":{"id":"1","room":"lobby"}})");
  EXPECT_EQ(JoinedText("1", {"lobby"}, JoinedAt{{.offset = 17, .epoch = "e"}}),
            R"({"joined":{"id":"1","room":"lobby","since":{"offset":"17","epoch":"e"}}})");
  EXPECT_EQ(JoinedText("", {"lobby"}, JoinedAt{{.offset = 17, .epoch = "e"}, true, 19}),
            R"({"joined":{"room":"lobby","since":{"offset":"17","epoch":"e"},)"
            R"("recovered":true,"top":"19"}})");
  EXPECT_EQ(LeftOutFrame(RoomName{"lobby"}, {.offset = 17, .epoch = "e"})->payload(),
            R"({"msg":{"room":"lobby","offset":"17","epoch":"e"}})");
  EXPECT_EQ(LeftText("", {"lobby"}), R"({"left":{"room":"lobby"}})");
  EXPECT_EQ(AckText("7"), R"({"ack":{"id":"7"}})");
  EXPECT_EQ(AckText("7", Frame::Make(Opcode::kText, "a\"").get()),
            R"({"ack":{"id":"7","text":"a\""}})");
  EXPECT_EQ(AckText("7", Frame::Make(Opcode::kBinary, "\xFB\xFF").get()),
            R"({"ack":{"id":"7","binary":"+/8="}})");
  EXPECT_EQ(PongText("9", 4294967295), R"({"pong":{"id":"9","sent":4294967295}})");
  EXPECT_EQ(PongText("", 0), R"({"pong":{"sent":0}})");
  const std::vector<std::string> joined = {"a\"", "b"};
  const std::vector<std::string> left = {"c"};
  EXPECT_EQ(
      PresenceText({"r\\"},
                   {.full = true, .joined = joined, .left = left, .count = uint64_t{1} << 40}),
      R"({"presence":{"room":"r\\","full":true,"joined":["a\"","b"],"left":["c"],)"
      R"("count":4294967295}})");
  EXPECT_EQ(PresenceText({"r"}, {}), R"({"presence":{"room":"r","count":0}})");
  EXPECT_EQ(ErrorText("", ConnectionNotOwned(), absl::Milliseconds(1500)),
            R"({"error":{"reason":"CONNECTION_NOT_OWNED","text":"nobody owns the connection",)"
            R"("retryAfterMs":1500}})");
}

TEST(ClientProtocolTest, ByeAdvisesAsTheCodesDo) {
  EXPECT_EQ(ByeText(1012, "r"), R"({"bye":{"code":1012,"reason":"r","advice":"ADVICE_AT_ONCE"}})");
  EXPECT_EQ(ByeText(4013, ""), R"({"bye":{"code":4013,"reason":"","advice":"ADVICE_LATER"}})");
  EXPECT_EQ(ByeText(4002, ""),
            R"({"bye":{"code":4002,"reason":"","advice":"ADVICE_NEW_CREDENTIALS"}})");
  EXPECT_EQ(ByeText(4999, ""), R"({"bye":{"code":4999,"reason":"","advice":"ADVICE_NEVER"}})");
  EXPECT_EQ(ByeText(4029, "", absl::Milliseconds(2500)),
            R"({"bye":{"code":4029,"reason":"","advice":"ADVICE_LATER","retryAfterMs":2500}})");
}

TEST(ClientProtocolTest, PayloadsTravelOctetForOctet) {
  const auto msg = [](const Topic& to, Opcode opcode, std::string_view payload) {
    return std::string(MsgFrame(to, *Frame::Make(opcode, payload))->payload());
  };
  EXPECT_EQ(msg(RoomName{"r"}, Opcode::kText, "a\"\\\n\xF0\x9F\x98\x80"),
            "{\"msg\":{\"room\":\"r\",\"text\":\"a\\\"\\\\\\n\xF0\x9F\x98\x80\"}}");
  EXPECT_EQ(msg(ClientId{"c"}, Opcode::kText, ""), R"({"msg":{"text":""}})");
  EXPECT_EQ(msg(Everyone{}, Opcode::kBinary, "\xFB\xFF"), R"({"msg":{"binary":"+/8="}})");
}

TEST(ClientProtocolTest, WhatIsInAHistorySaysWhere) {
  const FramePtr frame = Frame::Make(Opcode::kText, "hi");
  EXPECT_EQ(MsgFrame(RoomName{"r"}, *frame, {UINT64_MAX, "e"})->payload(),
            R"({"msg":{"room":"r","text":"hi","offset":"18446744073709551615","epoch":"e"}})");
}

}  // namespace
}  // namespace wsrouter
