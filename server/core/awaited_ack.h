#ifndef WSROUTER_CORE_AWAITED_ACK_H_
#define WSROUTER_CORE_AWAITED_ACK_H_

#include <string>

#include "absl/status/status.h"

namespace wsrouter {

// What a client waits for whose message a service has not answered yet.
struct AwaitedAck {
  std::string id;
  absl::Status failure;  // of the first effect that did not happen
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_AWAITED_ACK_H_
