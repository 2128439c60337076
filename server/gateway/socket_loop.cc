#include "gateway/socket_loop.h"

#include <ev.h>
#include <libwebsockets.h>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "base/clock.h"
#include "base/log.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr char kProtocol[] = "wsrouter";
constexpr unsigned kReadBytes = 64 * 1024;  // shared by all sockets of the loop

// What libwebsockets keeps for each socket: zeroed memory, filled by Adopt.
struct Slot {
  Session* session;
};

SocketLoop::Handler& HandlerOf(lws* socket) {
  return *static_cast<SocketLoop::Handler*>(lws_context_user(lws_get_context(socket)));
}

// libwebsockets shows the TLS context of a vhost only while it makes the vhost.
thread_local SSL_CTX* made_tls = nullptr;

struct FreeOpenSsl {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};
template <typename Thing>
using OpenSslPtr = std::unique_ptr<Thing, FreeOpenSsl>;

OpenSslPtr<BIO> Reading(std::string_view text) {
  return OpenSslPtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int OnLwsEvent(lws* socket, lws_callback_reasons reason, void* user, void* in, size_t size) {
  if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
    made_tls = static_cast<SSL_CTX*>(user);
    return 0;
  }
  Session* session = user == nullptr ? nullptr : static_cast<Slot*>(user)->session;
  switch (reason) {
    case LWS_CALLBACK_RAW_RX:
      if (session == nullptr) return -1;
      HandlerOf(socket).OnReceive(*session, {static_cast<const char*>(in), size});
      return 0;
    case LWS_CALLBACK_RAW_WRITEABLE:
      if (session == nullptr || lws_partial_buffered(socket) != 0) return 0;
      if (std::exchange(session->backlogged, false)) SocketLoop::UpdateReading(*session);
      HandlerOf(socket).OnWritable(*session);
      return 0;
    case LWS_CALLBACK_RAW_CLOSE:
      if (session == nullptr) return 0;
      static_cast<Slot*>(user)->session = nullptr;
      HandlerOf(socket).OnEnded(*session);
      return 0;
    default:
      return 0;
  }
}

// tx_packet_size: with the default, libwebsockets cuts a joined write into pieces of a few hundred
// octets and copies the rest.
const lws_protocols kProtocols[] = {
    {kProtocol, OnLwsEvent, sizeof(Slot), 0, 0, nullptr, 256 * 1024},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0},
};

void LogLws(int, const char* line) {
  static LogLimiter limiter(5);
  int64_t suppressed = 0;
  if (!limiter.Allow(absl::ToInt64Seconds(SystemClock().Now().uptime), &suppressed)) return;
  std::string_view text(line);
  while (text.ends_with('\n')) text.remove_suffix(1);
  Log(LogLevel::kWarning, "libwebsockets", {{"line", text}, {"suppressed", suppressed}});
}

}  // namespace

struct SocketLoop::Watchers {
  explicit Watchers(Handler& loop_handler)
      : loop(ev_loop_new(static_cast<unsigned>(EVFLAG_NOENV) |
                         static_cast<unsigned>(EVBACKEND_EPOLL))),
        handler(loop_handler) {}
  ~Watchers() {
    if (loop != nullptr) ev_loop_destroy(loop);
  }

  void Start() {
    wake.data = begin.data = end.data = tick.data = &handler;
    ev_async_init(&wake, [](struct ev_loop*, ev_async* w, int) { Of(w->data).OnWake(); });
    ev_check_init(&begin, [](struct ev_loop*, ev_check* w, int) { Of(w->data).OnTurnBegin(); });
    ev_prepare_init(&end, [](struct ev_loop*, ev_prepare* w, int) { Of(w->data).OnTurnEnd(); });
    const double seconds = absl::ToDoubleSeconds(TimerWheel::kTick);
    ev_timer_init(
        &tick, [](struct ev_loop*, ev_timer* w, int) { Of(w->data).OnTick(); }, seconds, seconds);
    ev_set_priority(&begin, EV_MAXPRI);  // before whatever else happens in the turn
    ev_async_start(loop, &wake);
    ev_check_start(loop, &begin);
    ev_prepare_start(loop, &end);
    ev_timer_start(loop, &tick);
  }
  void Stop() {
    ev_async_stop(loop, &wake);
    ev_check_stop(loop, &begin);
    ev_prepare_stop(loop, &end);
    ev_timer_stop(loop, &tick);
  }
  static Handler& Of(void* data) { return *static_cast<Handler*>(data); }

  struct ev_loop* const loop;
  Handler& handler;
  ev_async wake{};
  ev_check begin{};
  ev_prepare end{};
  ev_timer tick{};
};

SocketLoop::SocketLoop(Handler& handler)
    : handler_(handler), watchers_(std::make_unique<Watchers>(handler)) {}

absl::StatusOr<std::unique_ptr<SocketLoop>> SocketLoop::Create(Handler& handler,
                                                               const TlsFiles& tls) {
  static std::once_flag logging;  // the library's log settings are global
  std::call_once(logging, [] { lws_set_log_level(LLL_ERR, LogLws); });
  std::unique_ptr<SocketLoop> loop(new SocketLoop(handler));
  if (loop->watchers_->loop == nullptr) return absl::InternalError("no epoll event loop");
  if (absl::Status made = loop->CreateContext(tls); !made.ok()) return made;
  loop->watchers_->Start();
  return loop;
}

absl::Status SocketLoop::CreateContext(const TlsFiles& tls) {
  void* foreign_loop = watchers_->loop;
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.protocols = kProtocols;
  info.foreign_loops = &foreign_loop;
  info.user = &handler_;
  info.pt_serv_buf_size = kReadBytes;
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_LIBEV;
  if (!tls.cert.empty()) info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  context_ = lws_create_context(&info);
  if (context_ == nullptr) {
    return absl::InternalError("libwebsockets: no context; is its libev plugin installed?");
  }
  info.vhost_name = kProtocol;
  if (!tls.cert.empty()) {
    info.ssl_cert_filepath = tls.cert.c_str();
    info.ssl_private_key_filepath = tls.key.c_str();
    info.ssl_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION;
    info.alpn = "http/1.1";
    no_client_tls_.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    info.provided_client_ssl_ctx = no_client_tls_.get();
  }
  made_tls = nullptr;
  vhost_ = lws_create_vhost(context_, &info);
  tls_ = made_tls;
  if (vhost_ == nullptr) {
    return absl::InvalidArgumentError(
        fmt::format("tls: cannot use certificate {} with key {}", tls.cert, tls.key));
  }
  return absl::OkStatus();
}

SocketLoop::~SocketLoop() {
  if (context_ == nullptr) return;
  watchers_->Stop();
  lws_context_destroy(context_);
  ev_run(watchers_->loop, EVRUN_NOWAIT);  // libwebsockets lets go of a foreign loop in a last turn
}

void SocketLoop::SetCertificate(const Certificate& certificate) {
  if (tls_ == nullptr) return;
  const OpenSslPtr<BIO> chain_text = Reading(certificate.chain);
  const OpenSslPtr<BIO> key_text = Reading(certificate.key);
  const OpenSslPtr<X509> own(PEM_read_bio_X509_AUX(chain_text.get(), nullptr, nullptr, nullptr));
  const OpenSslPtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  const OpenSslPtr<STACK_OF(X509)> issuers(sk_X509_new_null());
  while (X509* issuer = PEM_read_bio_X509(chain_text.get(), nullptr, nullptr, nullptr)) {
    sk_X509_push(issuers.get(), issuer);
  }
  const bool set = own != nullptr && key != nullptr &&
                   SSL_CTX_use_cert_and_key(tls_, own.get(), key.get(), issuers.get(), 1) == 1;
  ERR_clear_error();  // of the end of the chain, for which nobody else shall be blamed
  if (!set) Log(LogLevel::kWarning, "certificate_refused", {{"port", "gateway"}});
}

void SocketLoop::Run() { ev_run(watchers_->loop, 0); }
void SocketLoop::Break() { ev_break(watchers_->loop, EVBREAK_ALL); }
void SocketLoop::Wake() { ev_async_send(watchers_->loop, &watchers_->wake); }

bool SocketLoop::Adopt(UniqueFd fd, Session& session) {
  const auto type =
      static_cast<lws_adoption_type>(LWS_ADOPT_SOCKET | (session.tls ? LWS_ADOPT_ALLOW_SSL : 0));
  lws_sock_file_fd_type descriptor{};
  descriptor.sockfd = fd.Release();  // libwebsockets closes it, whatever happens
  lws* socket = lws_adopt_descriptor_vhost(vhost_, type, descriptor, kProtocol, nullptr);
  if (socket == nullptr) return false;
  lws_set_timeout(socket, NO_PENDING_TIMEOUT, 0);  // timeouts are the owner's
  static_cast<Slot*>(lws_wsi_user(socket))->session = &session;
  session.socket = socket;
  session.fd = lws_get_socket_fd(socket);
  return true;
}

bool SocketLoop::Write(Session& session, std::string_view octets) {
  if (!session.tls) {
    // What the socket takes at once, it takes without the library, whose own state is cold by then.
    const ssize_t sent = send(session.fd, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(octets.size())) return true;
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    octets.remove_prefix(static_cast<size_t>(std::max<ssize_t>(sent, 0)));
  }
  // In the raw role the library only reads what it is given, although its type says otherwise.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(octets.data()));
  if (lws_write(session.socket, data, octets.size(), LWS_WRITE_RAW) < 0) return false;
  if (lws_partial_buffered(session.socket) == 0) return true;
  session.backlogged = true;
  // The library reads no input while output waits, but would be woken by it all the time.
  UpdateReading(session);
  (void)lws_callback_on_writable(session.socket);
  return true;
}

void SocketLoop::UpdateReading(const Session& session) {
  const bool waits = session.paused && !session.watched;
  lws_rx_flow_control(session.socket, waits || session.backlogged ? 0 : 1);
}

uint32_t SocketLoop::UnackedBytes(const Session& session) {
  int bytes = 0;
  return ioctl(session.fd, SIOCOUTQ, &bytes) == 0 ? static_cast<uint32_t>(bytes) : 0;
}

void SocketLoop::ShutWrite(Session& session) {
  // TLS has an end of its own, without which the peer must fear that something was cut off.
  if (session.tls) (void)SSL_shutdown(lws_get_ssl(session.socket));
  (void)shutdown(lws_get_socket_fd(session.socket), SHUT_WR);
}

void SocketLoop::Kill(Session& session) {
  lws_set_timeout(session.socket, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

}  // namespace wsrouter
