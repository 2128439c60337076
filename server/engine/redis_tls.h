#ifndef WSROUTER_ENGINE_REDIS_TLS_H_
#define WSROUTER_ENGINE_REDIS_TLS_H_

#include <sys/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/redis_address.h"

struct ssl_st;

namespace wsrouter {

// TLS 1.2 or later (RFC 8446, RFC 5246) over a socket that does not block: hiredis has none.
//
// One thread. The socket is somebody else's and outlives it.
class RedisTls {
 public:
  // Reads the certificates, so that those of the next connection are the ones on disk by then.
  // `host` is what the server's certificate must be for, unless `options` say otherwise.
  static absl::StatusOr<RedisTls> Make(const RedisTlsOptions& options, const std::string& host,
                                       int socket);

  // As recv and send on the socket: -1 with errno EAGAIN where it has to be called again when the
  // socket can be read or written; error() says why for any other. The handshake is done inside.
  ssize_t Read(std::span<char> octets);
  ssize_t Write(std::string_view octets);
  const absl::Status& error() const { return error_; }
  // Behind EAGAIN: whether it waits for the socket to take something, rather than to give.
  bool wants_write() const;
  // Whether something was read from the socket that Read has not handed over.
  bool pending() const;

 private:
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
  };

  explicit RedisTls(ssl_st* ssl) : ssl_(ssl) {}
  ssize_t Failed(int result);

  std::unique_ptr<ssl_st, FreeSsl> ssl_;
  absl::Status error_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_TLS_H_
