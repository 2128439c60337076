#ifndef WSROUTER_CLIENT_CPP_STATUS_H_
#define WSROUTER_CLIENT_CPP_STATUS_H_

#include "absl/status/status.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace wsrouter::client {

// The same code and message; each detail of google.rpc.Status becomes a payload, which
// Details reads again.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_CPP_STATUS_H_
