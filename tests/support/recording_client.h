#ifndef WSROUTER_TESTS_SUPPORT_RECORDING_CLIENT_H_
#define WSROUTER_TESTS_SUPPORT_RECORDING_CLIENT_H_

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/recorder.h"
#include "wsrouter/websocket_client.h"

namespace wsrouter::testing {

// A client that retries fast and records all that it is told: "open SUBPROTOCOL", "text OCTETS",
// "binary OCTETS", and "lost CODE HTTP_STATUS REASON" or, when it was the last, "ended ...".
inline std::unique_ptr<client::WebSocketClient> ConnectRecording(
    client::WebSocketClientOptions options, Recorder& seen) {
  options.backoff = {.first_bound = absl::Milliseconds(20), .bound_max = absl::Milliseconds(50)};
  client::WebSocketHandlers handlers = {
      .on_open = [&](const std::string& subprotocol) { seen.Add("open " + subprotocol); },
      .on_message =
          [&](std::string_view octets, bool binary) {
            seen.Add(fmt::format("{} {}", binary ? "binary" : "text", octets));
          },
      .on_close =
          [&](const client::Closed& closed) {
            seen.Add(fmt::format("{} {} {} {}", closed.retry_in ? "lost" : "ended", closed.code,
                                 closed.http_status, closed.reason));
          }};
  auto made = client::WebSocketClient::Connect(std::move(options), std::move(handlers));
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

}  // namespace wsrouter::testing

#endif  // WSROUTER_TESTS_SUPPORT_RECORDING_CLIENT_H_
