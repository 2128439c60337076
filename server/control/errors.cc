#include "control/errors.h"

#include <string>

#include "absl/strings/cord.h"
#include "base/strings.h"
#include "core/error.h"
#include "core/rate_limit.h"
#include "fmt/format.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace wsrouter {
namespace {

constexpr char kFieldUrl[] = "wsrouter/field";
constexpr char kLimitUrl[] = "wsrouter/limit";
constexpr char kDomain[] = "wsrouter";
// Long enough for a full mailbox to drain, short enough for a caller that waits.
constexpr absl::Duration kOverloadedWait = absl::Milliseconds(250);

// The configuration key of the limit that a reason is about; empty for other reasons.
std::string_view LimitOf(std::string_view reason) {
  if (reason == "CAPACITY_CONNECTIONS") return "limits.owner_capacity";
  if (reason == "CONNECTIONS_PER_CLIENT") return "limits.connections_per_client";
  if (reason == "CAPACITY_ROOM_MEMBERS") return "limits.room_members_capacity";
  if (reason == "ROOMS_PER_CONNECTION") return "limits.rooms_per_connection";
  if (reason == "RATE_ROOM") return "limits.room_rate";
  if (reason == "RATE_CLIENT") return "limits.client_rate";
  if (reason == "RATE_CALLER") return "control.calls_rate";
  if (reason == "TOO_MANY_WATCHERS") return "control.watchers_max";
  return {};
}

// The code that `reason` stands for, the same in both enums.
grpc::StatusCode CodeOf(const absl::Status& status, const std::string& reason) {
  return reason.empty() ? grpc::StatusCode::INTERNAL : static_cast<grpc::StatusCode>(status.code());
}

google::rpc::Status Details(const absl::Status& status, const std::string& reason) {
  google::rpc::Status details;
  details.set_code(CodeOf(status, reason));
  details.set_message(std::string(StdView(status.message())));
  google::rpc::ErrorInfo info;
  info.set_reason(reason.empty() ? "INTERNAL" : reason);
  info.set_domain(kDomain);
  if (const std::string_view limit = LimitOf(reason); !limit.empty()) {
    (*info.mutable_metadata())["limit"] = limit;
  }
  if (const auto key = status.GetPayload(kLimitUrl); key.has_value()) {
    (*info.mutable_metadata())["limit"] = std::string(*key);
  }
  const auto field = status.GetPayload(kFieldUrl);
  if (field.has_value()) (*info.mutable_metadata())["field"] = std::string(*field);
  details.add_details()->PackFrom(info);
  if (field.has_value()) {
    google::rpc::BadRequest bad;
    auto* violation = bad.add_field_violations();
    violation->set_field(std::string(*field));
    violation->set_description(details.message());
    details.add_details()->PackFrom(bad);
  }
  if (const absl::Duration wait = WaitOf(status); wait > absl::ZeroDuration()) {
    google::rpc::RetryInfo retry;
    absl::Duration part = wait;
    retry.mutable_retry_delay()->set_seconds(absl::IDivDuration(part, absl::Seconds(1), &part));
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(part)));
    details.add_details()->PackFrom(retry);
  }
  return details;
}

}  // namespace

absl::Status InField(absl::Status status, std::string_view field) {
  if (!status.ok()) status.SetPayload(kFieldUrl, absl::Cord(AbslView(field)));
  return status;
}

absl::Status OfLimit(absl::Status status, std::string_view key) {
  status.SetPayload(kLimitUrl, absl::Cord(AbslView(key)));
  return status;
}

absl::Status BadField(std::string_view field, std::string_view reason, std::string_view message) {
  return InField(
      Refusal(absl::StatusCode::kInvalidArgument, reason, fmt::format("{} {}", field, message)),
      field);
}

absl::Status Overloaded() {
  return Refusal(absl::StatusCode::kUnavailable, "OVERLOADED",
                 "a mailbox of the node is full (limits.mailbox_messages_max); nothing was done");
}

absl::Status RequestTooLarge(size_t bytes, size_t bytes_max) {
  return OfLimit(
      Refusal(absl::StatusCode::kResourceExhausted, "PAYLOAD_TOO_LARGE",
              fmt::format("the request has {} octets, want at most {}", bytes, bytes_max)),
      "control.message_bytes_max");
}

absl::Status NodeStopping() {
  return Refusal(absl::StatusCode::kUnavailable, "NODE_STOPPING", "the node is stopping");
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string reason = ReasonOf(status);
  const google::rpc::Status details = Details(status, reason);
  return {CodeOf(status, reason), details.message(), details.SerializeAsString()};
}

absl::Duration WaitOf(const absl::Status& status) {
  return ReasonOf(status) == "OVERLOADED" ? kOverloadedWait : RetryAfter(status);
}

}  // namespace wsrouter
