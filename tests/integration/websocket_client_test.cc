// WebSocketClient against a server made of Beast's other half, over real sockets.

#include "wsrouter/websocket_client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/recorder.h"
#include "tests/support/recording_client.h"
#include "tests/support/websocket_peer.h"

namespace wsrouter::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::wsrouter::testing::ConnectRecording;
using ::wsrouter::testing::Recorder;
using ::wsrouter::testing::WebSocketPeer;
using ::wsrouter::testing::WebSocketServer;

void Echo(WebSocketPeer& peer) {
  peer.Accept();
  peer.EchoToTheEnd();
}

TEST(WebSocketClientTest, MessagesComeBackAsTheyWereSent) {
  Recorder seen;
  WebSocketServer server({Echo});
  const auto client = ConnectRecording({.url = server.url()}, seen);

  client->SendText("h\xC3\xA9llo");
  client->SendBinary(std::string("\x00\xFF", 2));
  client->SendText("");

  EXPECT_THAT(seen.Await(4), ElementsAre("open ", "text h\xC3\xA9llo",
                                         std::string("binary \x00\xFF", 9), "text "));
  client->Close();
  EXPECT_EQ(seen.Await(5).back(), "ended 1000 0 ");
}

TEST(WebSocketClientTest, RequestHasQueryHeadersAndSubprotocols) {
  Recorder seen;
  std::promise<std::vector<std::string>> request;
  WebSocketServer server({[&](WebSocketPeer& peer) {
    peer.Accept("b");
    request.set_value({peer.target(), peer.header("X-Token"), peer.header("Host"),
                       peer.header("Sec-WebSocket-Protocol")});
    peer.EchoToTheEnd();
  }});

  const auto client = ConnectRecording({.url = server.url() + "?v=2",
                                        .query = {{"name", "a&b \xC3\xBC"}},
                                        .headers = {{"X-Token", "t"}},
                                        .subprotocols = {"a", "b"}},
                                       seen);

  EXPECT_THAT(seen.Await(1), ElementsAre("open b"));
  EXPECT_THAT(request.get_future().get(),
              ElementsAre("/ws?v=2&name=a%26b%20%C3%BC", "t",
                          fmt::format("127.0.0.1:{}", server.port()), "a, b"));
}

TEST(WebSocketClientTest, LostConnectionComesBackWithWhatWasQueued) {
  Recorder seen;
  std::promise<void> may_drop;
  WebSocketServer server({[&](WebSocketPeer& peer) {
                            peer.Accept();
                            may_drop.get_future().wait();
                          },
                          [](WebSocketPeer& peer) { peer.Refuse(503); }, Echo});
  const auto client = ConnectRecording({.url = server.url()}, seen);
  ASSERT_THAT(seen.Await(1), ElementsAre("open "));

  may_drop.set_value();
  ASSERT_THAT(seen.Await(2)[1], StartsWith("lost 1006 0"));
  client->SendText("after");

  EXPECT_THAT(seen.Await(5), ElementsAre("open ", StartsWith("lost 1006 0"),
                                         StartsWith("lost 1006 503"), "open ", "text after"));
  EXPECT_EQ(client->dropped(), 0u);
}

TEST(WebSocketClientTest, CodesThatMakeItUselessAreTheEnd) {
  for (const uint16_t code : {1008, 4001, 4002, 4003, 4020}) {
    Recorder seen;
    WebSocketServer server({[code](WebSocketPeer& peer) {
                              peer.Accept();
                              peer.Close(code, "why");
                            },
                            Echo});
    const auto client = ConnectRecording({.url = server.url()}, seen);

    EXPECT_THAT(seen.Await(2), ElementsAre("open ", fmt::format("ended {} 0 why", code)));
    EXPECT_FALSE(client->SendText("x"));
    EXPECT_EQ(client->dropped(), 1u);
  }
}

TEST(WebSocketClientTest, OtherCloseCodesAreFollowedByANewConnection) {
  Recorder seen;
  WebSocketServer server({[](WebSocketPeer& peer) {
                            peer.Accept();
                            peer.Close(1012, "restart");
                          },
                          Echo});
  const auto client = ConnectRecording({.url = server.url()}, seen);

  EXPECT_THAT(seen.Await(3), ElementsAre("open ", "lost 1012 0 restart", "open "));
}

TEST(WebSocketClientTest, RefusalOfTheUpgradeIsTheEndWhenTheRequestIsAtFault) {
  Recorder seen;
  WebSocketServer server({[](WebSocketPeer& peer) { peer.Refuse(401); }, Echo});
  const auto client = ConnectRecording({.url = server.url()}, seen);

  EXPECT_THAT(seen.Await(1), ElementsAre(StartsWith("ended 1006 401")));
}

// When the client comes back after this answer, with a backoff of 10 ms at most.
absl::Duration RetryIn(int status, const std::string& retry_after) {
  WebSocketServer server({[&](WebSocketPeer& peer) { peer.Refuse(status, retry_after); }});
  std::promise<std::optional<absl::Duration>> retry;
  const auto client = WebSocketClient::Connect(
      {.url = server.url(),
       .backoff = {.first_bound = absl::Hours(1), .bound_max = absl::Milliseconds(10)},
       .retry_after_max = absl::Minutes(2)},
      {.on_close = [&, told = false](const Closed& closed) mutable {
        if (!std::exchange(told, true)) retry.set_value(closed.retry_in);
      }});
  EXPECT_TRUE(client.ok()) << client.status();
  return retry.get_future().get().value_or(absl::InfiniteDuration());
}

TEST(WebSocketClientTest, RetryAfterOfARefusalGoesBeforeTheBackoff) {
  for (const int status : {503, 429}) {
    EXPECT_GE(RetryIn(status, "60"), absl::Seconds(60)) << status;
    EXPECT_LE(RetryIn(status, "60"), absl::Seconds(61)) << status;
  }
  EXPECT_LE(RetryIn(503, "999999"), absl::Minutes(2) + absl::Seconds(1));  // bounded
}

TEST(WebSocketClientTest, ARetryAfterThatSaysNothingIsIgnored) {
  for (const char* text : {"", "soon", "-5", "7x", "Wed, 21 Oct 2065 07:28:00 GMT"}) {
    EXPECT_LE(RetryIn(503, text), absl::Seconds(1)) << text;
  }
  EXPECT_LE(RetryIn(500, "60"), absl::Seconds(1));
}

TEST(WebSocketClientTest, CloseComesBehindWhatWasQueued) {
  Recorder seen;
  std::promise<std::vector<std::string>> got;
  WebSocketServer server({[&](WebSocketPeer& peer) {
    peer.Accept();
    std::vector<std::string> lines;
    while (const auto message = peer.Read()) lines.push_back(*message);
    lines.push_back(fmt::format("{} {}", peer.close_code(), peer.close_reason()));
    got.set_value(lines);
  }});
  const auto client = ConnectRecording({.url = server.url()}, seen);
  ASSERT_THAT(seen.Await(1), SizeIs(1));

  client->SendText("a");
  client->SendText("b");
  client->Close(4444, "bye");

  EXPECT_THAT(got.get_future().get(), ElementsAre("a", "b", "4444 bye"));
  EXPECT_EQ(seen.Await(2).back(), "ended 4444 0 ");
}

TEST(WebSocketClientTest, PeerThatDoesNotAnswerCloseIsLeftInTime) {
  Recorder seen;
  std::promise<void> may_end;
  WebSocketServer server({[&](WebSocketPeer& peer) {
    peer.Accept();
    may_end.get_future().wait();
  }});
  const auto client =
      ConnectRecording({.url = server.url(), .close_timeout = absl::Milliseconds(50)}, seen);
  ASSERT_THAT(seen.Await(1), SizeIs(1));

  client->Close();

  EXPECT_EQ(seen.Await(2).back(), "ended 1006 0 no answer to Close in time");
  may_end.set_value();
}

TEST(WebSocketClientTest, PingIsAnswered) {
  Recorder seen;
  std::promise<std::string> pong;
  WebSocketServer server({[&](WebSocketPeer& peer) {
    peer.Accept();
    peer.Ping("are you there");
    peer.Send("behind the Ping");
    while (peer.Read()) {
    }
    pong.set_value(peer.last_pong());
  }});
  const auto client = ConnectRecording({.url = server.url()}, seen);
  ASSERT_THAT(seen.Await(2), SizeIs(2));

  client->Close();

  EXPECT_EQ(pong.get_future().get(), "are you there");
}

TEST(WebSocketClientTest, SilentPeerIsGivenUp) {
  Recorder seen;
  std::promise<void> may_end;
  WebSocketServer server({[&](WebSocketPeer& peer) {
    peer.Accept();
    may_end.get_future().wait();
  }});
  const auto client = ConnectRecording(
      {.url = server.url(), .idle_timeout = absl::Milliseconds(200), .reconnect = false}, seen);

  EXPECT_THAT(seen.Await(2), ElementsAre("open ", "ended 1006 0 nothing came within 200ms"));
  may_end.set_value();
}

TEST(WebSocketClientTest, UpgradeWithoutAnAnswerEndsInTime) {
  Recorder seen;
  std::promise<void> may_end;
  WebSocketServer server({[&](WebSocketPeer&) { may_end.get_future().wait(); }});
  const auto client = ConnectRecording(
      {.url = server.url(), .connect_timeout = absl::Milliseconds(100), .reconnect = false}, seen);

  EXPECT_THAT(seen.Await(1), ElementsAre("ended 1006 0 not connected within 100ms"));
  may_end.set_value();
}

TEST(WebSocketClientTest, FullQueueRefusesAndCounts) {
  Recorder seen;
  std::promise<void> may_end;
  WebSocketServer server({[&](WebSocketPeer&) { may_end.get_future().wait(); }});
  const auto client = ConnectRecording({.url = server.url(), .queue_bytes_max = 200}, seen);

  EXPECT_TRUE(client->SendText("0123456789"));
  EXPECT_TRUE(client->SendText("0123456789"));
  EXPECT_FALSE(client->SendText("0123456789"));
  EXPECT_EQ(client->dropped(), 1u);

  client->Close();  // before it is open: what is queued is lost
  EXPECT_THAT(seen.Await(1), ElementsAre("ended 1006 0 closed before it was open"));
  EXPECT_EQ(client->dropped(), 3u);
  may_end.set_value();
}

TEST(WebSocketClientTest, DestructorNeedsNobodysAnswer) {
  for (const bool open : {false, true}) {
    Recorder seen;
    std::promise<void> may_end;
    WebSocketServer server({[&](WebSocketPeer& peer) {
      if (open) peer.Accept();
      may_end.get_future().wait();
    }});
    auto client = ConnectRecording({.url = server.url()}, seen);
    if (open) seen.Await(1);

    client.reset();

    EXPECT_THAT(seen.lines(), SizeIs(open ? 1 : 0));
    may_end.set_value();
  }
}

TEST(WebSocketClientTest, OptionsThatCannotWorkAreRefused) {
  const auto refusal = [](WebSocketClientOptions options) {
    if (options.url.empty()) options.url = "ws://127.0.0.1:1";
    return std::string(WebSocketClient::Connect(std::move(options), {}).status().message());
  };
  EXPECT_THAT(refusal({.url = "http://a"}), HasSubstr("must begin with ws://"));
  EXPECT_THAT(refusal({.headers = {{"Host", "x"}}}), HasSubstr("header 'Host' cannot be set"));
  EXPECT_THAT(refusal({.headers = {{"X", "a\r\nY: b"}}}), HasSubstr("control character"));
  EXPECT_THAT(refusal({.subprotocols = {"a b"}}), HasSubstr("subprotocol 'a b'"));
  EXPECT_THAT(refusal({.url = "wss://a", .ca_file = "/nowhere"}), HasSubstr("CA file '/nowhere'"));
}

}  // namespace
}  // namespace wsrouter::client
