#ifndef WSROUTER_GATEWAY_SOCKET_LOOP_H_
#define WSROUTER_GATEWAY_SOCKET_LOOP_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/certificate.h"
#include "base/unique_fd.h"
#include "gateway/session.h"

struct lws_context;
struct lws_vhost;
struct ssl_ctx_st;

namespace wsrouter {

// One thread's event loop: libev and a libwebsockets context in the raw role, which does sockets
// and TLS and knows nothing of WebSockets. Both C libraries stop here.
//
// Create, Run, and everything but Wake belong to the loop's thread.
class SocketLoop {
 public:
  // What the loop tells its owner. A session may be ended (Kill) in OnTurnEnd only: libwebsockets
  // does not survive a synchronous kill inside a callback of the same socket.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnTurnBegin() = 0;  // the loop has slept and something is about to happen
    virtual void OnTurnEnd() = 0;    // everything has happened; before the loop sleeps
    virtual void OnWake() = 0;       // Wake was called, once or more often
    virtual void OnTick() = 0;       // every TimerWheel::kTick
    virtual void OnReceive(Session& session, std::string_view octets) = 0;
    virtual void OnWritable(Session& session) = 0;  // no longer backlogged
    // The socket has ended; the last call for the session, which its owner now destroys.
    virtual void OnEnded(Session& session) = 0;
  };
  // `tls` without a certificate: no TLS.
  static absl::StatusOr<std::unique_ptr<SocketLoop>> Create(Handler& handler, const TlsFiles& tls);
  ~SocketLoop();

  void Run();  // until Break
  void Break();
  void Wake();  // any thread

  // Handshakes that begin from now on show this certificate, which is one that OpenSSL has taken
  // before (base/certificate.h).
  void SetCertificate(const Certificate& certificate);

  // Puts the session on its socket. False when that failed: the descriptor is closed by then, and
  // OnEnded has not been and will not be called.
  [[nodiscard]] bool Adopt(UniqueFd fd, Session& session);

  // Takes all of `octets`: what the socket does not accept now, libwebsockets copies and sends
  // first. While such a copy waits, session.backlogged is true, nothing more may be written and no
  // input is read; OnWritable tells when it is gone. False when the socket is dead.
  [[nodiscard]] static bool Write(Session& session, std::string_view octets);
  // Whether input is read: not while session.backlogged, nor while session.paused unless it is
  // watched.
  static void UpdateReading(const Session& session);
  // Octets that were written and that the peer's system has not acknowledged.
  static uint32_t UnackedBytes(const Session& session);
  // Ends our side of the stream; the peer sees the end of what was sent.
  static void ShutWrite(Session& session);
  // Ends the socket now; OnEnded is called inside.
  static void Kill(Session& session);

  struct Watchers;

 private:
  explicit SocketLoop(Handler& handler);
  absl::Status CreateContext(const TlsFiles& tls);

  Handler& handler_;
  std::unique_ptr<Watchers> watchers_;
  lws_context* context_ = nullptr;
  lws_vhost* vhost_ = nullptr;
  // For TLS of clients, of which there are none. Were the library to make its own, each loop would
  // load the trust store of the system, and lose it at the end: what it finds it by is one variable
  // of the process, which each context overwrites (4.1.6, openssl_SSL_CTX_private_data_index).
  std::shared_ptr<ssl_ctx_st> no_client_tls_;
  ssl_ctx_st* tls_ = nullptr;  // the vhost's; null without TLS
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_SOCKET_LOOP_H_
