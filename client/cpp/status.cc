#include "status.h"

#include <grpcpp/support/status.h>

#include <string>

#include "absl/strings/cord.h"
#include "absl/types/optional.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "wsrouter/error.h"

namespace wsrouter::client {
namespace {

constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";

// False when the status has no such detail, or what has its name is not one.
template <typename Message>
bool ReadDetail(const absl::Status& status, const char* url, Message& message) {
  const absl::optional<absl::Cord> octets = status.GetPayload(url);
  return octets && message.ParseFromString(std::string(*octets));
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  // The codes of gRPC and of Abseil are the same numbers.
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (!result.ok() && details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return result;
}

ErrorDetails Details(const absl::Status& status) {
  ErrorDetails details;
  google::rpc::ErrorInfo info;
  if (ReadDetail(status, kErrorInfoUrl, info)) {
    details.reason = info.reason();
    details.metadata.insert(info.metadata().begin(), info.metadata().end());
  }
  google::rpc::RetryInfo retry;
  if (ReadDetail(status, kRetryInfoUrl, retry)) {
    details.retry_delay = absl::Seconds(retry.retry_delay().seconds()) +
                          absl::Nanoseconds(retry.retry_delay().nanos());
  }
  return details;
}

std::string Reason(const absl::Status& status) { return Details(status).reason; }

}  // namespace wsrouter::client
