#ifndef WSROUTER_CLIENT_WEBSOCKET_CLIENT_H_
#define WSROUTER_CLIENT_WEBSOCKET_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wsrouter/backoff.h"

namespace wsrouter::client {

struct WebSocketClientOptions {
  std::string url = {};  // "ws://127.0.0.1:8080/ws", "wss://chat.example.org/ws?v=2"
  // Appended to the query of the URL, percent-encoded here.
  std::vector<std::pair<std::string, std::string>> query = {};
  // Of the upgrade request. Those that make the upgrade (Host, Connection, Sec-WebSocket-...) are
  // refused.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::vector<std::string> subprotocols = {};  // by preference
  // PEM file of the authorities that may have signed a wss server's certificate. Empty: those of
  // the system. A server that cannot be verified, or has another name, is never talked to.
  std::string ca_file = {};

  // From the look-up of the name to the end of the upgrade.
  absl::Duration connect_timeout = absl::Seconds(10);
  // From Close() to the end of the connection.
  absl::Duration close_timeout = absl::Seconds(5);
  // Nothing came for so long, not even the Pong to the Ping at half of it: the connection is lost.
  absl::Duration idle_timeout = absl::Seconds(60);
  size_t message_bytes_max = size_t{16}
                             << 20;  // of one that comes in; a larger one closes with 1009
  // Of all that waits to be sent, while connected and while not; each message counts 64 octets
  // more.
  size_t queue_bytes_max = size_t{1} << 20;

  bool reconnect = true;
  BackoffOptions backoff = {};
  // How far the Retry-After of an answer 503 or 429 to the upgrade is heeded, which goes before the
  // delay that the backoff says.
  absl::Duration retry_after_max = absl::Minutes(5);
};

// How a connection, or an attempt to make one, ended.
struct Closed {
  // Of the peer's Close frame; 1005 if that had none, 1006 if there was no Close frame.
  uint16_t code = 1006;
  // Of the Close frame, or what went wrong.
  std::string reason = {};
  // The answer to an upgrade that was refused, else 0.
  int http_status = 0;
  // When the next attempt begins. Without a value there is none, and on_close was the last call:
  // after Close(), without `reconnect`, and after codes that make it useless (see AfterCloseCode).
  std::optional<absl::Duration> retry_in = {};
};

// Each may be left empty. All are called by the thread of the client, one at a time.
struct WebSocketHandlers {
  std::function<void(const std::string& subprotocol)> on_open = {};
  std::function<void(std::string_view octets, bool binary)> on_message = {};
  std::function<void(const Closed& closed)> on_close = {};
};

// A WebSocket connection that comes back by itself (RFC 6455; without compression).
//
// Messages are sent in the order of Send, at most once: one whose writing began when the connection
// was lost is not repeated. What is queued while there is no connection is sent by the next one.
// Pings are answered by themselves.
//
// All methods may be called from any thread and in handlers, except the destructor.
class WebSocketClient {
 public:
  // Begins to connect at once; what becomes of it is told to the handlers. Only options that can
  // never work are errors: InvalidArgument.
  static absl::StatusOr<std::unique_ptr<WebSocketClient>> Connect(WebSocketClientOptions options,
                                                                  WebSocketHandlers handlers);

  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;
  // Drops the connection without a Close frame; no handler runs after it. Waits for the handler and
  // the look-up of a name that are under way. Must not run in a handler.
  ~WebSocketClient();

  // Queues a message. False, and counted in dropped(), when the queue is full or Close was called.
  // Text must be UTF-8: a node closes the connection with 1007 otherwise.
  bool SendText(std::string utf8);
  bool SendBinary(std::string octets);

  // Sends what is queued, then a Close frame, and waits for the peer's, all of it at most
  // close_timeout; then on_close is called for the last time. Codes: 1000 to 1003, 1007 to 1014 and
  // 3000 to 4999; others become 1000. A reason is cut to 123 octets.
  void Close(uint16_t code = 1000, std::string reason = {});

  // Messages that Send refused, or that were lost: being written when the connection ended, or
  // still queued at the last one's end.
  [[nodiscard]] uint64_t dropped() const;

 private:
  class State;

  explicit WebSocketClient(std::unique_ptr<State> state);

  const std::unique_ptr<State> state_;
};

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_WEBSOCKET_CLIENT_H_
