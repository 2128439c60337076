#ifndef WSROUTER_GATEWAY_LISTENER_H_
#define WSROUTER_GATEWAY_LISTENER_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace wsrouter {

// A bound TCP socket that listens, and does not block.
struct Listener {
  UniqueFd fd;
  std::string address;  // with the port that was picked
};

// `address` is host:port or [IPv6]:port; port 0 picks a free one. An IPv6 listener takes IPv6 only,
// so that 0.0.0.0 and [::] can be listened on side by side.
absl::StatusOr<Listener> Listen(const std::string& address);

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_LISTENER_H_
