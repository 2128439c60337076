#include "tests/bench/pressure_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/wire.h"

namespace wsrouter {

FrameSocket::FrameSocket(uint16_t port, const std::string& source, int receive_bytes)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_bytes > 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
  }
  sockaddr_in from{};
  from.sin_family = AF_INET;
  inet_pton(AF_INET, source.c_str(), &from.sin_addr);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  connected_ = bind(fd_, reinterpret_cast<sockaddr*>(&from), sizeof(from)) == 0 &&
               connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
}

FrameSocket::~FrameSocket() {
  const linger reset = {.l_onoff = 1, .l_linger = 0};  // thousands in TIME_WAIT help nobody
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  close(fd_);
}

uint16_t FrameSocket::local_port() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

bool FrameSocket::Upgrade(const std::string& path) {
  if (!Send(UpgradeRequest(path))) return false;
  while (received_.find("\r\n\r\n") == std::string::npos) {
    if (!Fill()) return false;
  }
  const bool upgraded = received_.starts_with("HTTP/1.1 101");
  received_.erase(0, received_.find("\r\n\r\n") + 4);
  return upgraded;
}

bool FrameSocket::Send(std::string_view octets) const {
  while (!octets.empty()) {
    const ssize_t sent = send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return true;  // of one that does not block: left out
    if (sent <= 0) return false;
    octets.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool FrameSocket::Fill() {
  char piece[65536];
  const ssize_t got = recv(fd_, piece, sizeof(piece), 0);
  if (got > 0) received_.append(piece, static_cast<size_t>(got));
  return got > 0 || (got < 0 && errno == EAGAIN);
}

bool FrameSocket::TakeMessage(std::string& payload) {
  while (received_.size() >= 2) {
    const auto octet = [&](size_t at) { return static_cast<uint8_t>(received_[at]); };
    size_t head = 2;
    uint64_t size = octet(1);
    if (size >= 126) {
      head = size == 126 ? 4 : 10;
      if (received_.size() < head) return false;
      size = 0;
      for (size_t i = 2; i < head; ++i) size = size << 8 | octet(i);
    }
    if (received_.size() < head + size) return false;
    const uint8_t opcode = octet(0) & 0x0F;
    payload = received_.substr(head, size);
    received_.erase(0, head + size);
    if (opcode == 0x1 || opcode == 0x2) return true;
    if (opcode == 0x9) Send(ClientFrameOf(0x8A, payload));
  }
  return false;
}

}  // namespace wsrouter
