#ifndef WSROUTER_TESTS_SUPPORT_RAW_CALL_H_
#define WSROUTER_TESTS_SUPPORT_RAW_CALL_H_

#include <string>

#include "grpcpp/channel.h"
#include "grpcpp/support/status.h"

namespace wsrouter {

struct RawAnswer {
  grpc::Status status;
  std::string octets;  // the first response
};

// Sends octets as the one request of `method`, whatever they are, and waits for the first
// response or the end. Of a stream only the beginning is read. `authorization` is sent as metadata
// unless it is empty.
RawAnswer RawCall(grpc::Channel& channel, const std::string& method, const std::string& request,
                  const std::string& authorization = {});

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_RAW_CALL_H_
