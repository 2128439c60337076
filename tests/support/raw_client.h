#ifndef WSROUTER_TESTS_SUPPORT_RAW_CLIENT_H_
#define WSROUTER_TESTS_SUPPORT_RAW_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "tests/support/wire.h"

struct ssl_st;
struct ssl_ctx_st;

namespace wsrouter {

// A socket that sends exactly the octets it is told and shows exactly those that came. It knows
// nothing of the rules: what is wrong is sent as readily as what is right.
//
// Every call has a deadline of ten seconds; when that passes, the test fails and the call answers
// as if the connection had ended. One thread at a time.
class RawClient {
 public:
  struct Options {
    std::string source;        // an address of this machine to connect from
    size_t receive_bytes = 0;  // of the kernel's receive buffer; 0: as it is
    bool tls = false;
    int tls_version_max = 0;               // as OpenSSL numbers them; 0: the best
    std::function<void()> before_connect;  // runs when the socket is there already
  };

  // `address` is host:port or [IPv6]:port.
  explicit RawClient(const std::string& address) : RawClient(address, Options()) {}
  RawClient(const std::string& address, const Options& options);
  RawClient(RawClient&&) noexcept;
  RawClient& operator=(RawClient&&) noexcept;
  ~RawClient();

  // TCP is connected and TLS, where wanted, agreed.
  bool connected() const { return connected_; }
  std::string tls_version() const;
  // The certificate that the server has shown, in DER.
  std::string certificate() const;
  // The peer has said that it sends no more, so nothing was cut off (RFC 8446 section 6.1).
  bool tls_ended_well() const;
  uint16_t local_port() const;

  // False when the peer takes no more: it has closed or reset.
  bool Send(std::string_view octets);
  // Sends what the socket takes without waiting. Returns how much that was.
  size_t SendSome(std::string_view octets);

  HttpAnswer ReadHttp();
  // The next frame: "text hello", "binary ...", "ping p", "pong p", "close 1000 reason", "close"
  // for one without a code; "end" when the connection has ended, "bad ..." for a frame that no
  // server may send.
  std::string ReadFrame();
  // Exactly that many octets, fewer only at the end.
  std::string ReadOctets(size_t count);
  // Everything to the end. Also right when the end is a reset.
  std::string ReadToEnd();

  // Whether nothing has come that was not asked for yet. Waits for nothing.
  bool Quiet();

  // Sends the request and reads the answer. False when that is no 101.
  bool Upgrade(std::string_view target, std::string_view headers = "");

  void HalfClose();
  void Reset();
  void Close();

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  bool Connect(const std::string& address, const Options& options);
  bool StartTls(const Options& options);
  // Waits for `events_`. False when the deadline has passed.
  bool Wait(Deadline deadline, std::string_view what);
  // How many octets; 0 at the end; -1 when the socket must be waited for.
  ptrdiff_t TrySend(std::string_view octets);
  ptrdiff_t TryReceive(char* into, size_t size);
  ptrdiff_t AfterTls(int result);
  // Reads more into buffer_. False at the end.
  bool Fill(Deadline deadline);
  // Fills until `count` octets wait. False at the end.
  bool FillTo(size_t count);
  std::string Take(size_t count);
  size_t waiting() const { return buffer_.size() - taken_; }

  UniqueFd fd_;
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
  short events_ = 0;
  bool connected_ = false;
  std::string buffer_;  // read from the socket, not yet asked for
  size_t taken_ = 0;    // of buffer_
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_RAW_CLIENT_H_
