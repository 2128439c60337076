#ifndef WSROUTER_BASE_LISTEN_ADDRESS_H_
#define WSROUTER_BASE_LISTEN_ADDRESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wsrouter {

struct ListenAddress {
  std::string host;  // numeric, without the brackets of an IPv6 address
  uint16_t port = 0;

  std::string ToString() const;  // "127.0.0.1:8080", "[::1]:8080"
  // Whether only programs of this machine can reach it.
  bool IsLoopback() const;
};

// Nothing unless `text` is host:port with a numeric address (IPv6 in brackets) or localhost, which
// stands for 127.0.0.1.
std::optional<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace wsrouter

#endif  // WSROUTER_BASE_LISTEN_ADDRESS_H_
