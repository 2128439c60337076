// Where a token is found in a request, and that nobody else is shown it.
#include "gateway/credentials.h"

#include <string>

#include "gateway/connect_info.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const CredentialPlaces kAll = {.token_query = "token",
                               .token_authorization = true,
                               .token_cookie = "jwt",
                               .token_subprotocol = "bearer.",
                               .session_cookie = "sid"};

struct Taken {
  Credentials credentials;
  Handshake handshake;
};

Taken Take(const std::string& target, const std::string& headers,
           const CredentialPlaces& places = kAll) {
  RequestHeadParser parser;
  const std::string text = "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
  std::string_view input = text;
  EXPECT_EQ(parser.Feed(input), RequestHeadParser::State::kComplete);
  const std::vector<std::string> shown_headers = {"authorization", "x-device"};
  const std::vector<std::string> shown_cookies = {"jwt", "sid", "theme"};
  Taken taken = {.credentials = {},
                 .handshake = MakeHandshake(parser.head(), {.peer = "p",
                                                            .subprotocol = "",
                                                            .tls = false,
                                                            .headers = shown_headers,
                                                            .cookies = shown_cookies})};
  taken.credentials = TakeCredentials(parser.head(), places, taken.handshake);
  return taken;
}

TEST(CredentialsTest, OfTheQueryWhichLosesIt) {
  const Taken taken = Take("/ws?room=7&token=a%2Eb%2bc&token=x&tokens=1", "");
  EXPECT_EQ(taken.credentials.token, "a.b+c");
  EXPECT_EQ(taken.handshake.query, "room=7&tokens=1");
  EXPECT_EQ(Take("/ws?token", "").credentials.token, "");
  EXPECT_EQ(Take("/ws?token=", "").handshake.query, "");
  EXPECT_EQ(Take("/ws?a=b&&c", "").handshake.query, "a=b&&c");
}

TEST(CredentialsTest, OfAuthorizationWhichIsNotShown) {
  const Taken taken = Take("/ws", "Authorization: bEaReR   a.b.c\r\nX-Device: 1\r\n");
  EXPECT_EQ(taken.credentials.token, "a.b.c");
  EXPECT_THAT(taken.handshake.headers, ElementsAre(Pair("x-device", "1")));
  EXPECT_EQ(Take("/ws", "Authorization: Basic YTpi\r\n").credentials.token, "");
  EXPECT_EQ(Take("/ws", "Authorization: Bearer\r\n").credentials.token, "");
}

TEST(CredentialsTest, OfCookiesWhichAreNotShown) {
  const Taken taken = Take("/ws", "Cookie: theme=dark; sid=s:1.x; jwt=a.b.c; jwt=later\r\n");
  EXPECT_EQ(taken.credentials.token, "a.b.c");
  EXPECT_EQ(taken.credentials.session, "s:1.x");
  EXPECT_THAT(taken.handshake.cookies, UnorderedElementsAre(Pair("theme", "dark")));
}

TEST(CredentialsTest, OfASubprotocolWhichIsNotOfferedAnyMore) {
  const Taken taken = Take("/ws", "Sec-WebSocket-Protocol: chat.v1, bearer.a.b.c, bearer.x\r\n");
  EXPECT_EQ(taken.credentials.token, "a.b.c");
  EXPECT_THAT(taken.handshake.offered_subprotocols, ElementsAre("chat.v1"));
}

TEST(CredentialsTest, TheFirstPlaceCountsAndAllLoseIt) {
  const Taken taken =
      Take("/ws?token=query", "Authorization: Bearer header\r\nCookie: jwt=cookie\r\n");
  EXPECT_EQ(taken.credentials.token, "query");
  EXPECT_TRUE(taken.handshake.headers.empty());
  EXPECT_TRUE(taken.handshake.cookies.empty());
}

TEST(CredentialsTest, WhereNoneIsLookedForAllIsShown) {
  const Taken taken = Take("/ws?token=q",
                           "Authorization: Bearer h\r\nCookie: jwt=c\r\n"
                           "Sec-WebSocket-Protocol: bearer.x\r\n",
                           {});
  EXPECT_EQ(taken.credentials.token, "");
  EXPECT_EQ(taken.handshake.query, "token=q");
  EXPECT_EQ(taken.handshake.headers.size(), 1u);
  EXPECT_EQ(taken.handshake.cookies.size(), 1u);
  EXPECT_EQ(taken.handshake.offered_subprotocols.size(), 1u);
}

}  // namespace
}  // namespace wsrouter
