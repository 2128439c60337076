#include "wsrouter/error.h"

#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <string>

#include "client/cpp/status.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace wsrouter::client {
namespace {

grpc::Status Overloaded() {
  google::rpc::ErrorInfo info;
  info.set_reason("OVERLOADED");
  info.set_domain("wsrouter");
  (*info.mutable_metadata())["limit"] = "limits.mailbox_messages_max";
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500'000'000);
  google::rpc::Status status;
  status.add_details()->PackFrom(info);
  status.add_details()->PackFrom(retry);
  return {grpc::StatusCode::UNAVAILABLE, "the node is overloaded", status.SerializeAsString()};
}

TEST(ErrorTest, StatusKeepsCodeMessageReasonMetadataAndRetryDelay) {
  const absl::Status status = FromGrpc(Overloaded());

  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(std::string(status.message()), "the node is overloaded");
  const ErrorDetails details = Details(status);
  EXPECT_EQ(details.reason, "OVERLOADED");
  EXPECT_EQ(Reason(status), "OVERLOADED");
  EXPECT_EQ(details.metadata.at("limit"), "limits.mailbox_messages_max");
  EXPECT_EQ(details.retry_delay, absl::Milliseconds(1500));
}

TEST(ErrorTest, ErrorThatIsNotTheNodesHasNoReason) {
  const absl::Status status = FromGrpc({grpc::StatusCode::UNAVAILABLE, "connection refused"});

  EXPECT_EQ(Reason(status), "");
  EXPECT_EQ(Details(status).retry_delay, std::nullopt);
}

TEST(ErrorTest, DetailsThatAreNotProtobufAreIgnored) {
  const absl::Status status = FromGrpc({grpc::StatusCode::INTERNAL, "x", "\xFF\xFF nonsense"});

  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Reason(status), "");
}

TEST(ErrorTest, SuccessIsOk) { EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok()); }

}  // namespace
}  // namespace wsrouter::client
