#ifndef WSROUTER_TESTS_SUPPORT_WEBSOCKET_PEER_H_
#define WSROUTER_TESTS_SUPPORT_WEBSOCKET_PEER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace wsrouter::testing {

// A folder of its own, as long as this lives, with a new authority and a certificate signed by it.
// Aborts without the openssl command.
class TlsFiles {
 public:
  TlsFiles();
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;
  ~TlsFiles();

  std::string authority() const { return folder_ + "/ca.pem"; }
  std::string certificate() const { return folder_ + "/server.pem"; }  // localhost, 127.0.0.1
  std::string key() const { return folder_ + "/server.key"; }

 private:
  std::string folder_;
};

// One connection as the server's script sees it. All calls block.
class WebSocketPeer {
 public:
  virtual ~WebSocketPeer() = default;

  virtual std::string target() const = 0;  // of the upgrade request
  virtual std::string header(const std::string& name) const = 0;

  virtual void Accept(const std::string& subprotocol = "") = 0;
  // An empty `retry_after` is not said.
  virtual void Refuse(int http_status, const std::string& retry_after = "") = 0;

  // nullopt when the connection has ended.
  virtual std::optional<std::string> Read() = 0;
  // The code of the Close frame that ended Read, 0 if there was none.
  virtual int close_code() const = 0;
  virtual std::string close_reason() const = 0;

  virtual void Send(const std::string& octets, bool binary = false) = 0;
  virtual void Ping(const std::string& octets) = 0;
  virtual std::string last_pong() const = 0;  // seen by Read
  virtual void Close(uint16_t code, const std::string& reason = "") = 0;

  void EchoToTheEnd() {
    while (const auto message = Read()) Send(*message, last_was_binary);
  }

  bool last_was_binary = false;
};

// A server that serves one connection after another, each with the next script. A
// script that returns drops its connection without a Close frame. Its thread ends with the last
// script.
class WebSocketServer {
 public:
  using Script = std::function<void(WebSocketPeer&)>;

  // With files it speaks TLS.
  explicit WebSocketServer(std::vector<Script> scripts, const TlsFiles* files = nullptr);
  // Waits for the script that runs; drops the rest.
  ~WebSocketServer();

  int port() const;
  std::string url(const std::string& host = "127.0.0.1") const;

 private:
  struct Listener;

  void Serve(const std::vector<Script>& scripts);

  const std::unique_ptr<Listener> listener_;
  std::thread thread_;
};

}  // namespace wsrouter::testing

#endif  // WSROUTER_TESTS_SUPPORT_WEBSOCKET_PEER_H_
