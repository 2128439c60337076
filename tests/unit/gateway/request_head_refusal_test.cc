#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "gateway/request_head.h"
#include "tests/support/request_heads.h"

namespace wsrouter {
namespace {

using State = RequestHeadParser::State;

// The last octet of the wire, and no earlier one, must be refused, however the wire is cut.
void ExpectRefusedAtLastOctet(const std::string& wire, int status) {
  SCOPED_TRACE(testing::PrintToString(wire));
  const ParsedHead slow = ParseInPieces(wire, 1, 1);
  EXPECT_EQ(slow.state, State::kRefused);
  EXPECT_EQ(slow.status, status) << slow.reason;
  EXPECT_EQ(slow.taken, wire.size()) << "refused early";
  EXPECT_NE(slow.reason, "");
  const size_t step = wire.size() / 512 + 1;
  for (size_t cut = 0; cut <= wire.size(); cut += step) {
    EXPECT_EQ(ParseInPieces(wire + "rest", cut, wire.size() + 4), slow) << "cut " << cut;
  }
}

constexpr char kLine[] = "GET / HTTP/1.1\r\n";

TEST(RequestHeadRefusalTest, WhatIsNotHttpIsRefusedAtItsFirstOddOctet) {
  for (const std::string& wire : {
           std::string("\x16"),  // a TLS ClientHello
           std::string(1, '\0'),
           std::string("\xFF"),
           std::string("\x81"),  // a WebSocket frame
           std::string(" "),
           std::string("\n"),
           std::string("SSH-2.0-OpenSSH_9.2\r"),
           std::string("GE\x01"),
           std::string("*1\r"),  // Redis
           std::string("{"),
           std::string("\r\n\r"),
           std::string("\rG"),
       }) {
    ExpectRefusedAtLastOctet(wire, 400);
  }
}

TEST(RequestHeadRefusalTest, LongMethodIsRefusedUnread) {
  ExpectRefusedAtLastOctet(std::string(33, 'M'), 501);
}

TEST(RequestHeadRefusalTest, MalformedRequestLinesAreRefused) {
  for (const std::string wire : {
           "GET\t",
           "GET  ",
           "GET /\r",
           "GET /a\n",
           "GET /a\t",
           "GET /caf\xC3",
           "GET /a#",
           "GET / \r",
           "GET /  ",
           "GET / h",
           "GET / HTTX",
           "GET / HTTP/1\r",
           "GET / HTTP/1.x",
           "GET / HTTP/1.1 ",
           "GET / HTTP/1.11",
           "GET / HTTP/1.1\n",
           "GET / HTTP/11",
           "GET / HTTP/1.1\rH",
       }) {
    ExpectRefusedAtLastOctet(wire, 400);
  }
}

TEST(RequestHeadRefusalTest, OtherVersionsAreRefused) {
  for (const std::string version : {"0.9", "1.0", "1.2", "2.0", "3.0"}) {
    ExpectRefusedAtLastOctet("GET / HTTP/" + version + "\r", 505);
  }
  ExpectRefusedAtLastOctet("PRI * HTTP/2.0\r", 505);
}

TEST(RequestHeadRefusalTest, OtherFormsOfTargetAreRefused) {
  for (const std::string target : {"*", "example.org:443", "ws", "ftp://h/", "http:/h", "http://",
                                   "http:///ws", "http://u@h/", "http://h:x/", "://h/"}) {
    ExpectRefusedAtLastOctet("GET " + target + " HTTP/1.1\r", 400);
  }
}

TEST(RequestHeadRefusalTest, MalformedHeaderLinesAreRefused) {
  for (const std::string line : {
           " ",
           "\t",
           ":",
           "\n",
           "Host\r",
           "Host ",
           "Host\t",
           "H\xC3",
           "H(",
           "X: a\n",
           "X: a\rb",
           "X: a\x01",
           "X: a\x7F",
           "X: a\r\n ",
           "X: a\r\n\t",
           "X: a\r\n\rb",
       }) {
    ExpectRefusedAtLastOctet(kLine + line, 400);
  }
  ExpectRefusedAtLastOctet(kLine + std::string("X: a\0", 5), 400);
  ExpectRefusedAtLastOctet(kLine + std::string("X\0", 2), 400);
}

TEST(RequestHeadRefusalTest, HostMustComeOnce) {
  ExpectRefusedAtLastOctet(std::string(kLine) + "\r\n", 400);
  ExpectRefusedAtLastOctet(std::string(kLine) + "Host: a\r\nHost: a\r\n\r\n", 400);
  ExpectRefusedAtLastOctet("GET http://a/ HTTP/1.1\r\n\r\n", 400);
}

TEST(RequestHeadRefusalTest, MalformedHostIsRefused) {
  for (const std::string host : {"", "a b", "u@h", "h/", "h:80x", ":80", "[::1", "[]", "[g]",
                                 "[::1]80", "caf\xC3\xA9", "h:1:2", "\"h\""}) {
    ExpectRefusedAtLastOctet(kLine + ("Host: " + host) + "\r\n\r\n", 400);
  }
}

TEST(RequestHeadRefusalTest, HeadOverTheLimitIsRefusedAtTheLimit) {
  const std::string start = std::string(kLine) + "Host: h\r\nX: ";
  ExpectRefusedAtLastOctet(start + std::string(kRequestHeadBytesMax - start.size(), 'x'), 431);
  ExpectRefusedAtLastOctet("GET /" + std::string(kRequestHeadBytesMax - 5, 'x'), 431);
  ExpectRefusedAtLastOctet(start + std::string(kRequestHeadBytesMax - start.size(), ' '), 431);
}

TEST(RequestHeadRefusalTest, HeaderOverTheHundredIsRefusedAtItsFirstOctet) {
  std::string wire = kLine;
  for (size_t i = 0; i < kRequestHeadersMax; ++i) wire += "X: y\r\n";
  ExpectRefusedAtLastOctet(wire + "X", 431);
}

}  // namespace
}  // namespace wsrouter
