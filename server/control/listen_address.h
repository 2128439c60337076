#ifndef WSROUTER_CONTROL_LISTEN_ADDRESS_H_
#define WSROUTER_CONTROL_LISTEN_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wsrouter {

struct ListenAddress {
  std::string host;  // without the brackets of an IPv6 address
  uint16_t port = 0;

  std::string ToString() const;
  // Whether only programs of this machine can reach it.
  bool IsLoopback() const;
};

// "host:port" or "[host]:port".
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

// Why nothing can listen at `address`, in words of the system. Binds a socket to find out.
absl::Status WhyNotBound(const ListenAddress& address);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_LISTEN_ADDRESS_H_
