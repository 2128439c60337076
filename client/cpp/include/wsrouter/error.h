#ifndef WSROUTER_CLIENT_ERROR_H_
#define WSROUTER_CLIENT_ERROR_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace wsrouter::client {

// What a node said about an error, beside the code and the message of the status.
struct ErrorDetails {
  // A name of v1::ErrorReason without its prefix, such as "CONNECTION_GONE": stable, made to be
  // compared. Empty when the error is not the node's, for example when it could not be reached.
  std::string reason;
  // "field" with INVALID_ARGUMENT; "limit" and "max" with RESOURCE_EXHAUSTED.
  std::map<std::string, std::string> metadata;
  // When a retry makes sense.
  std::optional<absl::Duration> retry_delay;
};

ErrorDetails Details(const absl::Status& status);

// Details(status).reason
std::string Reason(const absl::Status& status);

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_ERROR_H_
