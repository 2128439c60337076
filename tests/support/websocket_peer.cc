#include "tests/support/websocket_peer.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <cstdlib>
#include <filesystem>
#include <type_traits>
#include <utility>

namespace wsrouter::testing {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using Tls = beast::ssl_stream<beast::tcp_stream>;

template <typename Stream>
class Peer final : public WebSocketPeer {
 public:
  template <typename... Args>
  explicit Peer(Args&&... args) : ws_(std::forward<Args>(args)...) {
    error_code error;
    if constexpr (std::is_same_v<Stream, Tls>) {
      ws_.next_layer().handshake(asio::ssl::stream_base::server, error);
    }
    if (!error) http::read(ws_.next_layer(), buffer_, request_, error);
    ws_.control_callback([this](websocket::frame_type type, beast::string_view octets) {
      if (type == websocket::frame_type::pong) last_pong_ = std::string(octets);
    });
  }

  std::string target() const override { return std::string(request_.target()); }
  std::string header(const std::string& name) const override { return std::string(request_[name]); }

  void Accept(const std::string& subprotocol) override {
    ws_.set_option(websocket::stream_base::decorator([&](websocket::response_type& response) {
      if (!subprotocol.empty()) response.set(http::field::sec_websocket_protocol, subprotocol);
    }));
    error_code error;
    ws_.accept(request_, error);
  }

  void Refuse(int http_status, const std::string& retry_after) override {
    http::response<http::empty_body> response(static_cast<http::status>(http_status), 11);
    response.content_length(0);
    if (!retry_after.empty()) response.set(http::field::retry_after, retry_after);
    error_code error;
    http::write(ws_.next_layer(), response, error);
  }

  std::optional<std::string> Read() override {
    error_code error;
    ws_.read(buffer_, error);
    if (error) {
      if (error == websocket::error::closed) close_ = ws_.reason();
      return std::nullopt;
    }
    last_was_binary = ws_.got_binary();
    std::string octets = beast::buffers_to_string(buffer_.data());
    buffer_.clear();
    return octets;
  }
  int close_code() const override { return close_.code; }
  std::string close_reason() const override {
    return std::string(close_.reason.data(), close_.reason.size());
  }

  void Send(const std::string& octets, bool binary) override {
    error_code error;
    ws_.binary(binary);
    ws_.write(asio::buffer(octets), error);
  }
  void Ping(const std::string& octets) override {
    error_code error;
    ws_.ping(websocket::ping_data(octets), error);
  }
  std::string last_pong() const override { return last_pong_; }
  void Close(uint16_t code, const std::string& reason) override {
    error_code error;
    ws_.close({static_cast<websocket::close_code>(code), reason}, error);
  }

 private:
  websocket::stream<Stream> ws_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  websocket::close_reason close_;
  std::string last_pong_;
};

}  // namespace

TlsFiles::TlsFiles()
    : folder_((std::filesystem::temp_directory_path() / "wsrouter-tls-XXXXXX").string()) {
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  const std::string command = fmt::format(
      "set -e; cd {0}; exec 2>openssl.log;"
      "openssl req -x509 {1} -days 2 -subj '/CN=Test CA' -keyout ca.key -out ca.pem;"
      "openssl req {1} -subj /CN=localhost -keyout server.key -out server.csr;"
      "echo subjectAltName=DNS:localhost,IP:127.0.0.1 >names;"
      "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
      " -extfile names -out server.pem",
      mkdtemp(folder_.data()), key);
  if (std::system(command.c_str()) != 0) std::abort();
}

TlsFiles::~TlsFiles() { std::filesystem::remove_all(folder_); }

struct WebSocketServer::Listener {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor{io, {asio::ip::address_v4::any(), 0}};
  std::optional<asio::ssl::context> tls;
};

WebSocketServer::WebSocketServer(std::vector<Script> scripts, const TlsFiles* files)
    : listener_(std::make_unique<Listener>()) {
  if (files != nullptr) {
    listener_->tls.emplace(asio::ssl::context::tls_server);
    listener_->tls->use_certificate_chain_file(files->certificate());
    listener_->tls->use_private_key_file(files->key(), asio::ssl::context::pem);
  }
  thread_ = std::thread([this, scripts = std::move(scripts)] { Serve(scripts); });
}

WebSocketServer::~WebSocketServer() {
  shutdown(listener_->acceptor.native_handle(), SHUT_RDWR);  // ends a waiting accept
  thread_.join();
}

int WebSocketServer::port() const { return listener_->acceptor.local_endpoint().port(); }

std::string WebSocketServer::url(const std::string& host) const {
  return fmt::format("{}://{}:{}/ws", listener_->tls ? "wss" : "ws", host, port());
}

void WebSocketServer::Serve(const std::vector<Script>& scripts) {
  for (const Script& script : scripts) {
    error_code error;
    asio::ip::tcp::socket socket(listener_->io);
    listener_->acceptor.accept(socket, error);
    if (error) return;
    if (listener_->tls) {
      Peer<Tls> peer(beast::tcp_stream(std::move(socket)), *listener_->tls);
      script(peer);
    } else {
      Peer<beast::tcp_stream> peer(std::move(socket));
      script(peer);
    }
  }
}

}  // namespace wsrouter::testing
