#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

sockaddr_storage AddressOf(const std::string& text, socklen_t& size) {
  sockaddr_storage address{};
  const size_t colon = text.rfind(':');
  const auto port = htons(static_cast<uint16_t>(std::stoi(text.substr(colon + 1))));
  if (text.front() == '[') {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = port;
    inet_pton(AF_INET6, text.substr(1, colon - 2).c_str(), &v6.sin6_addr);
    size = sizeof(v6);
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    v4.sin_port = port;
    inet_pton(AF_INET, text.substr(0, colon).c_str(), &v4.sin_addr);
    size = sizeof(v4);
  }
  return address;
}

}  // namespace

RawClient::RawClient(const std::string& address, const Options& options)
    : context_(nullptr, SSL_CTX_free), ssl_(nullptr, SSL_free) {
  connected_ = Connect(address, options) && (!options.tls || StartTls(options));
}
RawClient::RawClient(RawClient&&) noexcept = default;
RawClient& RawClient::operator=(RawClient&&) noexcept = default;
RawClient::~RawClient() = default;

bool RawClient::Connect(const std::string& address, const Options& options) {
  socklen_t size = 0;
  const sockaddr_storage to = AddressOf(address, size);
  fd_ = UniqueFd(socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  EXPECT_TRUE(fd_.valid()) << strerror(errno);
  const int on = 1;
  (void)setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (options.receive_bytes > 0) {
    const int bytes = static_cast<int>(options.receive_bytes);
    (void)setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  }
  if (!options.source.empty()) {
    socklen_t source_size = 0;
    const sockaddr_storage source = AddressOf(options.source + ":0", source_size);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&source), source_size), 0);
  }
  if (options.before_connect) options.before_connect();
  if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), size) == 0) return true;
  events_ = POLLOUT;
  if (errno != EINPROGRESS || !Wait(std::chrono::steady_clock::now() + kPatience, "connect")) {
    return false;
  }
  int error = 0;
  socklen_t error_size = sizeof(error);
  (void)getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
  return error == 0;
}

bool RawClient::StartTls(const Options& options) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (options.tls_version_max != 0) {
    SSL_CTX_set_security_level(context_.get(), 0);  // OpenSSL itself would refuse what is too old
    SSL_CTX_set_max_proto_version(context_.get(), options.tls_version_max);
    SSL_CTX_set_min_proto_version(context_.get(), options.tls_version_max);
  }
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_.get());
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    const ptrdiff_t result = AfterTls(SSL_connect(ssl_.get()));
    if (result >= 0) return result > 0;
    if (!Wait(deadline, "a TLS handshake")) return false;
  }
}

std::string RawClient::certificate() const {
  X509* shown = SSL_get1_peer_certificate(ssl_.get());
  unsigned char* octets = nullptr;
  const int size = shown == nullptr ? 0 : i2d_X509(shown, &octets);
  std::string text(reinterpret_cast<const char*>(octets), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(octets);
  X509_free(shown);
  return text;
}

std::string RawClient::tls_version() const { return SSL_get_version(ssl_.get()); }

bool RawClient::tls_ended_well() const {
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

uint16_t RawClient::local_port() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  (void)getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

bool RawClient::Wait(Deadline deadline, std::string_view what) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd polled = {.fd = fd_.get(), .events = events_, .revents = 0};
    const int ready = poll(&polled, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready < 0 && errno == EINTR) continue;
    ADD_FAILURE() << "waited in vain for " << what;
    return false;
  }
}

ptrdiff_t RawClient::AfterTls(int result) {
  if (result > 0) return result;
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  events_ = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
  return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ ? -1 : 0;
}

ptrdiff_t RawClient::TrySend(std::string_view octets) {
  if (ssl_ != nullptr) {
    return AfterTls(SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size())));
  }
  const ptrdiff_t sent = send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
  events_ = POLLOUT;
  return sent < 0 && errno != EAGAIN ? 0 : sent;
}

ptrdiff_t RawClient::TryReceive(char* into, size_t size) {
  if (ssl_ != nullptr) return AfterTls(SSL_read(ssl_.get(), into, static_cast<int>(size)));
  const ptrdiff_t received = recv(fd_.get(), into, size, 0);
  events_ = POLLIN;
  return received < 0 && errno != EAGAIN ? 0 : received;
}

bool RawClient::Send(std::string_view octets) {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  while (!octets.empty()) {
    const ptrdiff_t sent = TrySend(octets);
    if (sent == 0) return false;
    if (sent > 0) octets.remove_prefix(static_cast<size_t>(sent));
    if (sent < 0 && !Wait(deadline, "the peer to read")) return false;
  }
  return true;
}

size_t RawClient::SendSome(std::string_view octets) {
  size_t total = 0;
  while (total < octets.size()) {
    const ptrdiff_t sent = TrySend(octets.substr(total));
    if (sent <= 0) break;
    total += static_cast<size_t>(sent);
  }
  return total;
}

bool RawClient::Fill(Deadline deadline) {
  char piece[65536];
  while (true) {
    const ptrdiff_t received = TryReceive(piece, sizeof(piece));
    if (received > 0) {
      buffer_.erase(0, std::exchange(taken_, 0));
      buffer_.append(piece, static_cast<size_t>(received));
    }
    if (received >= 0) return received > 0;
    if (!Wait(deadline, "octets from the gateway")) return false;
  }
}

bool RawClient::FillTo(size_t count) {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  while (waiting() < count) {
    if (!Fill(deadline)) return false;
  }
  return true;
}

std::string RawClient::Take(size_t count) {
  count = std::min(count, waiting());
  std::string octets = buffer_.substr(taken_, count);
  taken_ += count;
  return octets;
}

HttpAnswer RawClient::ReadHttp() {
  HttpAnswer answer;
  while (buffer_.find("\r\n\r\n", taken_) == std::string::npos) {
    if (!FillTo(waiting() + 1)) return answer;
  }
  answer.head = Take(buffer_.find("\r\n\r\n", taken_) + 4 - taken_);
  if (answer.head.starts_with("HTTP/1.1 ")) answer.status = std::stoi(answer.head.substr(9));
  size_t length = 0;
  if (absl::SimpleAtoi(answer.Header("Content-Length"), &length)) answer.body = ReadOctets(length);
  return answer;
}

std::string RawClient::ReadFrame() {
  if (!FillTo(2)) return waiting() == 0 ? "end" : "bad end inside a frame";
  const std::string start = Take(2);
  const auto first = static_cast<uint8_t>(start[0]);
  const auto second = static_cast<uint8_t>(start[1]);
  if ((first & 0xF0) != 0x80) return fmt::format("bad first octet {:02x}", first);
  if ((second & 0x80) != 0) return "bad mask";
  uint64_t length = second;
  if (second >= 126) {
    length = 0;
    for (const char octet : ReadOctets(second == 126 ? 2 : 8)) {
      length = length << 8 | static_cast<uint8_t>(octet);
    }
    if (length < 126 || (second == 127 && length < 0x10000)) return "bad length form";
  }
  const std::string payload = ReadOctets(length);
  if (payload.size() < length) return "bad end inside a frame";
  return DescribeFrame(first & 0x0F, payload);
}

std::string RawClient::ReadOctets(size_t count) {
  (void)FillTo(count);
  return Take(count);
}

std::string RawClient::ReadToEnd() {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  while (Fill(deadline)) {
  }
  return Take(waiting());
}

bool RawClient::Quiet() {
  char octet = 0;
  return waiting() == 0 && recv(fd_.get(), &octet, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

bool RawClient::Upgrade(std::string_view target, std::string_view headers) {
  return Send(UpgradeRequest(target, headers)) && ReadHttp().status == 101;
}

void RawClient::HalfClose() { (void)shutdown(fd_.get(), SHUT_WR); }

void RawClient::Reset() {
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  Close();
}

void RawClient::Close() {
  ssl_.reset();
  fd_.Reset();
}

}  // namespace wsrouter
