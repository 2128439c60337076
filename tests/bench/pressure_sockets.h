#ifndef WSROUTER_TESTS_BENCH_PRESSURE_SOCKETS_H_
#define WSROUTER_TESTS_BENCH_PRESSURE_SOCKETS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace wsrouter {

// A TCP connection from an address of 127.0.0.0/8, blocking, and the frames that come on it.
class FrameSocket {
 public:
  // `receive_bytes`: of the kernel's receive buffer; 0: as it is.
  FrameSocket(uint16_t port, const std::string& source, int receive_bytes = 0);
  ~FrameSocket();
  FrameSocket(const FrameSocket&) = delete;

  int fd() const { return fd_; }
  bool connected() const { return connected_; }
  uint16_t local_port() const;

  // False when the answer is no 101, or none.
  bool Upgrade(const std::string& path);
  // False when the peer takes no more.
  bool Send(std::string_view octets) const;

  // Reads once what is there. False at the end.
  bool Fill();
  // The payload of the next text or binary frame that is whole. Answers Pings.
  bool TakeMessage(std::string& payload);

 private:
  int fd_ = -1;
  bool connected_ = false;
  std::string received_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_BENCH_PRESSURE_SOCKETS_H_
