#include "gateway/request_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/support/request_heads.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = RequestHeadParser::State;

// The head in `wire`, which must be complete and mean the same however it is cut.
RequestHead Parse(const std::string& wire) {
  const ParsedHead whole = ParseInPieces(wire, wire.size(), wire.size());
  EXPECT_EQ(whole.state, State::kComplete) << whole.reason;
  EXPECT_EQ(ParseInPieces(wire, 1, 1), whole) << "octet by octet";
  for (size_t cut = 0; cut <= wire.size(); ++cut) {
    EXPECT_EQ(ParseInPieces(wire, cut, wire.size()), whole) << "cut " << cut;
  }
  RequestHeadParser parser;
  std::string_view input = wire;
  parser.Feed(input);
  return parser.TakeHead();
}

TEST(RequestHeadTest, FieldsOfAnUpgradeAreRead) {
  const RequestHead head = Parse(
      "GET /ws?token=a%20b&x=1?2 HTTP/1.1\r\nHost: example.org:8080\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/ws?token=a%20b&x=1?2");
  EXPECT_EQ(head.path, "/ws");
  EXPECT_EQ(head.query, "token=a%20b&x=1?2");
  EXPECT_EQ(head.host, "example.org:8080");
  EXPECT_THAT(head.Values("upgrade"), ElementsAre("websocket"));
}

TEST(RequestHeadTest, HeaderNamesComeInLowerCase) {
  const RequestHead head = Parse("GET / HTTP/1.1\r\nhOsT: a\r\nSec-WebSocket-KEY: k\r\n\r\n");
  ASSERT_EQ(head.headers.size(), 2u);
  EXPECT_EQ(head.headers[0].name, "host");
  EXPECT_EQ(head.headers[1].name, "sec-websocket-key");
}

TEST(RequestHeadTest, MethodKeepsItsCase) {
  EXPECT_EQ(Parse("get / HTTP/1.1\r\nHost: a\r\n\r\n").method, "get");
}

TEST(RequestHeadTest, WhiteSpaceAroundValuesIsDropped) {
  const RequestHead head =
      Parse("GET / HTTP/1.1\r\nHost:a\r\nX: \t one \t two\t \r\nY:\t\r\nZ:\r\n\r\n");
  EXPECT_THAT(head.Values("host"), ElementsAre("a"));
  EXPECT_THAT(head.Values("x"), ElementsAre("one \t two"));
  EXPECT_THAT(head.Values("y"), ElementsAre(""));
  EXPECT_THAT(head.Values("z"), ElementsAre(""));
}

TEST(RequestHeadTest, ValuesOfOneNameKeepTheirOrder) {
  const RequestHead head = Parse("GET / HTTP/1.1\r\nA: 1\r\nHost: h\r\na: 2\r\nB: 3\r\n\r\n");
  EXPECT_THAT(head.Values("a"), ElementsAre("1", "2"));
  EXPECT_THAT(head.Values("c"), IsEmpty());
}

TEST(RequestHeadTest, ValuesMayHoldOctetsAboveAscii) {
  EXPECT_THAT(Parse("GET / HTTP/1.1\r\nHost: h\r\nX: caf\xC3\xA9 \xFF\r\n\r\n").Values("x"),
              ElementsAre("caf\xC3\xA9 \xFF"));
}

TEST(RequestHeadTest, AbsoluteTargetNamesTheHost) {
  const RequestHead head =
      Parse("GET HTTP://real.example:80/ws?q HTTP/1.1\r\nHost: other.example\r\n\r\n");
  EXPECT_EQ(head.host, "real.example:80");
  EXPECT_EQ(head.path, "/ws");
  EXPECT_EQ(head.query, "q");
}

TEST(RequestHeadTest, AbsoluteTargetWithoutPathMeansTheRoot) {
  for (const std::string target : {"ws://h", "wss://h?q", "https://h/", "http://[::1]:8080"}) {
    EXPECT_EQ(Parse("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n").path, "/") << target;
  }
}

TEST(RequestHeadTest, PathIsNeitherDecodedNorNormalized) {
  EXPECT_EQ(Parse("GET //a/../%77s|{} HTTP/1.1\r\nHost: h\r\n\r\n").path, "//a/../%77s|{}");
}

TEST(RequestHeadTest, OneEmptyLineBeforeTheRequestIsPassedOver) {
  EXPECT_EQ(Parse("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").method, "GET");
}

TEST(RequestHeadTest, HostMayBeANameOrAnAddressWithAPort) {
  for (const std::string host : {"a", "a-b_c.example", "10.0.0.1:80", "[::1]", "[2001:db8::1]:443",
                                 "h:", "xn--caf-dma.example"}) {
    EXPECT_EQ(Parse("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").host, host);
  }
}

TEST(RequestHeadTest, OctetsBehindTheHeadStayWithTheCaller) {
  RequestHeadParser parser;
  std::string_view input = "GET / HTTP/1.1\r\nHost: h\r\n\r\n\x81\x80mask";
  EXPECT_EQ(parser.Feed(input), State::kComplete);
  EXPECT_EQ(input, "\x81\x80mask");
  EXPECT_EQ(parser.Feed(input), State::kComplete);
  EXPECT_EQ(input, "\x81\x80mask");
}

TEST(RequestHeadTest, EveryProperPrefixNeedsMore) {
  const std::string wire = "\r\nGET /ws HTTP/1.1\r\nHost: h\r\nX: y \r\n\r\n";
  for (size_t size = 0; size < wire.size(); ++size) {
    EXPECT_EQ(ParseInPieces(wire.substr(0, size), size, size).state, State::kNeedMore) << size;
  }
}

TEST(RequestHeadTest, HeadOfTheLimitIsTaken) {
  std::string wire = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  wire += std::string(kRequestHeadBytesMax - wire.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(wire.size(), kRequestHeadBytesMax);
  EXPECT_EQ(ParseInPieces(wire, wire.size(), 1).state, State::kComplete);
  EXPECT_EQ(ParseInPieces(wire, 1, 1).state, State::kComplete);
}

TEST(RequestHeadTest, HundredHeadersAreTaken) {
  std::string wire = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 99; ++i) wire += "X: y\r\n";
  EXPECT_EQ(Parse(wire + "\r\n").headers.size(), kRequestHeadersMax);
}

TEST(RequestHeadTest, NothingIsStartedBeforeTheFirstOctet) {
  RequestHeadParser parser;
  std::string_view input;
  EXPECT_EQ(parser.Feed(input), State::kNeedMore);
  EXPECT_FALSE(parser.started());
  input = "G";
  EXPECT_EQ(parser.Feed(input), State::kNeedMore);
  EXPECT_TRUE(parser.started());
}

}  // namespace
}  // namespace wsrouter
