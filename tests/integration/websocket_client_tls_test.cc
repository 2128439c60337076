// WebSocketClient over TLS, against certificates that the test makes itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/recorder.h"
#include "tests/support/recording_client.h"
#include "tests/support/websocket_peer.h"
#include "wsrouter/websocket_client.h"

namespace wsrouter::client {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;
using ::wsrouter::testing::ConnectRecording;
using ::wsrouter::testing::Recorder;
using ::wsrouter::testing::TlsFiles;
using ::wsrouter::testing::WebSocketPeer;
using ::wsrouter::testing::WebSocketServer;

void Echo(WebSocketPeer& peer) {
  peer.Accept();
  peer.EchoToTheEnd();
}

TEST(WebSocketClientTlsTest, ServerIsTalkedToWhenItsAuthorityAndNameAreRight) {
  const TlsFiles files;
  WebSocketServer server({Echo, Echo}, &files);
  for (const char* host : {"localhost", "127.0.0.1"}) {
    Recorder seen;
    const auto client =
        ConnectRecording({.url = server.url(host), .ca_file = files.authority()}, seen);
    client->SendText("secret");

    EXPECT_THAT(seen.Await(2), ElementsAre("open ", "text secret")) << host;
    client->Close();
    EXPECT_EQ(seen.Await(3).back(), "ended 1000 0 ");
  }
}

TEST(WebSocketClientTlsTest, ServerOfAnUnknownAuthorityOrNameIsNotTalkedTo) {
  const TlsFiles files;
  Recorder seen;
  WebSocketServer server({Echo, Echo}, &files);

  const auto unknown = ConnectRecording({.url = server.url(), .reconnect = false}, seen);
  ASSERT_THAT(seen.Await(1)[0], StartsWith("ended 1006 0 TLS: certificate verify failed"));

  const auto misnamed = ConnectRecording(
      {.url = server.url("127.0.0.2"), .ca_file = files.authority(), .reconnect = false}, seen);
  EXPECT_THAT(seen.Await(2)[1], StartsWith("ended 1006 0 TLS: certificate verify failed"));
}

}  // namespace
}  // namespace wsrouter::client
