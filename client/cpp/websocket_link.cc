#include "websocket_link.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <charconv>
#include <optional>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_join.h"
#include "fmt/format.h"

namespace wsrouter::client {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

bool IsAddress(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

// The value of the Host header: without the port if it is the scheme's own.
std::string HostHeader(const WebSocketUrl& url) {
  const std::string host =
      url.host.find(':') == std::string::npos ? url.host : fmt::format("[{}]", url.host);
  return url.port == (url.tls ? "443" : "80") ? host : fmt::format("{}:{}", host, url.port);
}

// Of an answer 503 or 429: when to come again. A date instead of seconds (RFC 9110 section 10.2.3)
// is not understood.
absl::Duration RetryAfter(const websocket::response_type& response) {
  const auto status = response.result();
  if (status != beast::http::status::service_unavailable &&
      status != beast::http::status::too_many_requests) {
    return absl::ZeroDuration();
  }
  const auto text = response[beast::http::field::retry_after];
  uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return absl::ZeroDuration();
  return absl::Seconds(seconds);
}

// Ends at the first of: the name is not found, the connection is refused, TLS or the upgrade goes
// wrong, the deadline; then at the end of what is read.
template <typename Stream>
class StreamLink final : public Link, public std::enable_shared_from_this<StreamLink<Stream>> {
 public:
  StreamLink(const LinkOptions& options, LinkEvents events, asio::io_context& io, Stream stream)
      : options_(options),
        events_(std::move(events)),
        resolver_(io),
        deadline_(io),
        ws_(std::move(stream)) {}

  void Start() {
    deadline_.expires_after(absl::ToChronoNanoseconds(options_.connect_timeout));
    deadline_.async_wait([self = this->shared_from_this()](error_code error) {
      if (!error && !self->open_) {
        self->Abort(fmt::format("not connected within {}",
                                absl::FormatDuration(self->options_.connect_timeout)));
      }
    });
    resolver_.async_resolve(options_.url.host, options_.url.port,
                            [self = this->shared_from_this()](error_code error, auto addresses) {
                              if (self->Failed(error, "look-up")) return;
                              self->ConnectTo(addresses);
                            });
  }

  void Send(std::string octets, bool binary) override {
    outgoing_ = std::move(octets);
    ws_.binary(binary);
    ws_.async_write(asio::buffer(outgoing_),
                    [self = this->shared_from_this()](error_code error, size_t) {
                      // After an error the read ends as well, and it knows the close code.
                      if (!error && !self->ended_) self->events_.on_sent();
                    });
  }

  void Close(uint16_t code, const std::string& reason) override {
    const websocket::close_reason close(static_cast<websocket::close_code>(code),
                                        {reason.data(), reason.size()});
    closing_ = true;
    // From here on Beast itself reads, up to the peer's Close frame.
    ws_.async_close(close, [self = this->shared_from_this()](error_code error) {
      self->OnClosed(error ? error : error_code(websocket::error::closed));
    });
  }

  void Abort(const std::string& reason) override { End({.reason = reason}); }

 private:
  void End(const LinkEnd& end) {
    if (ended_) return;
    ended_ = true;
    deadline_.cancel();
    resolver_.cancel();
    beast::get_lowest_layer(ws_).close();
    events_.on_end(end);
  }

  // True also when the link has ended meanwhile, so that nobody goes on.
  bool Failed(error_code error, std::string_view step) {
    if (error) End({.reason = fmt::format("{}: {}", step, error.message())});
    return ended_;
  }

  void ConnectTo(const asio::ip::tcp::resolver::results_type& addresses) {
    beast::get_lowest_layer(ws_).async_connect(
        addresses,
        [self = this->shared_from_this()](error_code error, const asio::ip::tcp::endpoint&) {
          if (self->Failed(error, "connect")) return;
          error_code ignored;  // costs latency only
          beast::get_lowest_layer(self->ws_).socket().set_option(asio::ip::tcp::no_delay(true),
                                                                 ignored);
          self->Secure();
        });
  }

  void Secure() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      TlsStream& tls = ws_.next_layer();
      tls.set_verify_callback(asio::ssl::host_name_verification(options_.url.host));
      // Server Name Indication is for names only (RFC 6066 section 3).
      if (!IsAddress(options_.url.host)) {
        SSL_set_tlsext_host_name(tls.native_handle(), options_.url.host.c_str());
      }
      tls.async_handshake(asio::ssl::stream_base::client,
                          [self = this->shared_from_this()](error_code error) {
                            if (!self->Failed(error, "TLS")) self->Upgrade();
                          });
    } else {
      Upgrade();
    }
  }

  void Upgrade() {
    ws_.set_option(websocket::stream_base::timeout{
        .handshake_timeout = websocket::stream_base::none(),  // see deadline_
        .idle_timeout = absl::ToChronoNanoseconds(options_.idle_timeout),
        .keep_alive_pings = true});
    ws_.read_message_max(options_.message_bytes_max);
    ws_.auto_fragment(false);
    ws_.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
      for (const auto& [name, value] : options_.headers) request.insert(name, value);
      if (!options_.subprotocols.empty()) {
        request.set(beast::http::field::sec_websocket_protocol,
                    absl::StrJoin(options_.subprotocols, ", "));
      }
    }));
    ws_.async_handshake(
        response_, HostHeader(options_.url), options_.url.target,
        [self = this->shared_from_this()](error_code error) { self->OnUpgraded(error); });
  }

  void OnUpgraded(error_code error) {
    if (error == websocket::error::upgrade_declined) {
      const auto status = static_cast<int>(response_.result_int());
      End({.reason = fmt::format("upgrade refused with HTTP status {}", status),
           .http_status = status,
           .retry_after = RetryAfter(response_)});
    }
    if (Failed(error, "upgrade")) return;
    const auto chosen = response_[beast::http::field::sec_websocket_protocol];
    const std::string subprotocol(chosen.data(), chosen.size());
    const auto& offered = options_.subprotocols;
    if (!subprotocol.empty() &&
        std::find(offered.begin(), offered.end(), subprotocol) == offered.end()) {
      return Abort("upgrade: the server chose a subprotocol that was not offered");  // 4.1
    }
    open_ = true;
    deadline_.cancel();
    events_.on_open(subprotocol);
    if (!ended_) ReadNext();
  }

  void ReadNext() {
    ws_.async_read(incoming_, [self = this->shared_from_this()](error_code error, size_t) {
      if (self->ended_) return;
      if (error) return self->closing_ ? void() : self->OnClosed(error);
      const auto octets = self->incoming_.cdata();
      self->events_.on_message({static_cast<const char*>(octets.data()), octets.size()},
                               !self->ws_.got_text());
      self->incoming_.clear();
      if (!self->ended_) self->ReadNext();
    });
  }

  void OnClosed(error_code error) {
    if (error != websocket::error::closed) {
      return End({.reason = error == beast::error::timeout
                                ? fmt::format("nothing came within {}",
                                              absl::FormatDuration(options_.idle_timeout))
                                : error.message()});
    }
    constexpr uint16_t kNoStatus = 1005;
    const websocket::close_reason& close = ws_.reason();
    End({.code = close.code == websocket::close_code::none ? kNoStatus : close.code,
         .reason = std::string(close.reason.data(), close.reason.size())});
  }

  const LinkOptions& options_;
  const LinkEvents events_;
  asio::ip::tcp::resolver resolver_;
  asio::steady_timer deadline_;  // until it is open
  websocket::stream<Stream> ws_;
  websocket::response_type response_;
  beast::flat_buffer incoming_;
  std::string outgoing_;
  bool open_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

class BeastDialer final : public Dialer {
 public:
  explicit BeastDialer(LinkOptions options) : options_(std::move(options)) {}

  absl::Status PrepareTls() {
    if (!options_.url.tls) return absl::OkStatus();
    tls_.emplace(asio::ssl::context::tls_client);
    error_code error;
    tls_->set_verify_mode(asio::ssl::verify_peer, error);
    SSL_CTX_set_min_proto_version(tls_->native_handle(), TLS1_2_VERSION);
    if (options_.ca_file.empty()) {
      tls_->set_default_verify_paths(error);
    } else {
      tls_->load_verify_file(options_.ca_file, error);
    }
    if (!error) return absl::OkStatus();
    return absl::InvalidArgumentError(
        fmt::format("CA file '{}': {}", options_.ca_file, error.message()));
  }

  std::shared_ptr<Link> Dial(asio::io_context& io, LinkEvents events) override {
    return tls_ ? Begin(std::move(events), io, TlsStream(io, *tls_))
                : Begin(std::move(events), io, PlainStream(io));
  }

 private:
  template <typename Stream>
  std::shared_ptr<Link> Begin(LinkEvents events, asio::io_context& io, Stream stream) {
    auto link =
        std::make_shared<StreamLink<Stream>>(options_, std::move(events), io, std::move(stream));
    link->Start();
    return link;
  }

  const LinkOptions options_;
  std::optional<asio::ssl::context> tls_;  // for wss
};

}  // namespace

absl::StatusOr<std::unique_ptr<Dialer>> MakeDialer(LinkOptions options) {
  auto dialer = std::make_unique<BeastDialer>(std::move(options));
  const absl::Status status = dialer->PrepareTls();
  if (!status.ok()) return status;
  return dialer;
}

}  // namespace wsrouter::client
