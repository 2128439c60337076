#ifndef WSROUTER_CONTROL_ERRORS_H_
#define WSROUTER_CONTROL_ERRORS_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"

namespace wsrouter {

// Names the request's field that a refusal is about. An OK status stays OK.
absl::Status InField(absl::Status status, std::string_view field);

// Names the configuration key of the limit that a refusal is about, where its reason does not.
absl::Status OfLimit(absl::Status status, std::string_view key);

// A refusal of a request for what is in `field`, INVALID_ARGUMENT.
absl::Status BadField(std::string_view field, std::string_view reason, std::string_view message);

absl::Status Overloaded();
// A request of more octets than control.message_bytes_max.
absl::Status RequestTooLarge(size_t bytes, size_t bytes_max);
absl::Status NodeStopping();

// What the caller of an RPC gets: code and message, with a google.rpc.Status of ErrorInfo (always),
// BadRequest (where a field is named) and RetryInfo (where the error passes by itself). A status
// without a reason is a fault of the node and is sent as INTERNAL.
grpc::Status ToGrpc(const absl::Status& status);
// When the call may be tried again; zero where nothing is known about that.
absl::Duration WaitOf(const absl::Status& status);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ERRORS_H_
