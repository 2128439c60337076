#ifndef WSROUTER_CLIENT_CPP_WEBSOCKET_LINK_H_
#define WSROUTER_CLIENT_CPP_WEBSOCKET_LINK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wsrouter/uri.h"

namespace boost::asio {
class io_context;
}  // namespace boost::asio

namespace wsrouter::client {

struct LinkOptions {
  WebSocketUrl url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> subprotocols;
  std::string ca_file;
  absl::Duration connect_timeout;
  absl::Duration idle_timeout;
  size_t message_bytes_max;
};

struct LinkEnd {
  uint16_t code = 1006;
  std::string reason = {};
  int http_status = 0;
  absl::Duration retry_after = {};  // what the answer with that status asks for
};

struct LinkEvents {
  std::function<void(const std::string& subprotocol)> on_open;
  std::function<void(std::string_view octets, bool binary)> on_message;
  std::function<void()> on_sent;
  std::function<void(const LinkEnd& end)> on_end;  // once, and nothing after it
};

// One connection, from the look-up of the name to its end; never a second one. Lives on the one
// thread of its io_context: methods are called there, and so are the events, though never from
// within a method except on_end by Abort.
class Link {
 public:
  virtual ~Link() = default;
  // After on_open, and after on_sent of the message before.
  virtual void Send(std::string octets, bool binary) = 0;
  // After on_open, once, with no Send under way. on_end follows when the peer has answered.
  virtual void Close(uint16_t code, const std::string& reason) = 0;
  // Ends it with 1006 and this reason, unless it has ended.
  virtual void Abort(const std::string& reason) = 0;
};

// Makes links with the same options. Outlives them.
class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual std::shared_ptr<Link> Dial(boost::asio::io_context& io, LinkEvents events) = 0;
};

// InvalidArgument when the CA file cannot be used.
absl::StatusOr<std::unique_ptr<Dialer>> MakeDialer(LinkOptions options);

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_CPP_WEBSOCKET_LINK_H_
