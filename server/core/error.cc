#include "core/error.h"

#include "absl/strings/cord.h"
#include "base/strings.h"

namespace wsrouter {
namespace {
constexpr char kReasonUrl[] = "wsrouter/reason";
}

absl::Status Refusal(absl::StatusCode code, std::string_view reason, std::string_view message) {
  absl::Status status(code, AbslView(message));
  status.SetPayload(kReasonUrl, absl::Cord(AbslView(reason)));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto reason = status.GetPayload(kReasonUrl);
  return reason.has_value() ? std::string(*reason) : std::string();
}

absl::Status ConnectionGone() {
  return Refusal(absl::StatusCode::kNotFound, "CONNECTION_GONE",
                 "the connection is closed, or no node ever gave this id");
}

absl::Status ConnectionNotOwned() {
  return Refusal(absl::StatusCode::kFailedPrecondition, "CONNECTION_NOT_OWNED",
                 "nobody owns the connection");
}

}  // namespace wsrouter
