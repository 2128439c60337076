#include "control/errors.h"

#include "core/error.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {
namespace {

google::rpc::Status Details(const absl::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(ToGrpc(status).error_details()));
  return details;
}

template <typename Detail>
std::optional<Detail> Find(const absl::Status& status) {
  const google::rpc::Status details = Details(status);
  for (const auto& any : details.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

TEST(ErrorsTest, OkIsOk) { EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok()); }

TEST(ErrorsTest, ReasonAndDomainStandInErrorInfo) {
  const absl::Status gone = ConnectionGone();

  EXPECT_EQ(ToGrpc(gone).error_code(), grpc::StatusCode::NOT_FOUND);
  const auto info = Find<google::rpc::ErrorInfo>(gone);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason(), "CONNECTION_GONE");
  EXPECT_EQ(info->domain(), "wsrouter");
}

TEST(ErrorsTest, DetailsRepeatCodeAndMessage) {
  const absl::Status gone = ConnectionGone();

  EXPECT_EQ(Details(gone).code(), 5);
  EXPECT_EQ(Details(gone).message(), ToGrpc(gone).error_message());
}

TEST(ErrorsTest, FieldStandsInBadRequestAndMetadata) {
  const absl::Status bad = BadField("rooms[2]", "FIELD_TOO_LONG", "has 300 octets");

  EXPECT_EQ(ToGrpc(bad).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Find<google::rpc::ErrorInfo>(bad)->metadata().at("field"), "rooms[2]");
  const auto request = Find<google::rpc::BadRequest>(bad);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->field_violations(0).field(), "rooms[2]");
  EXPECT_EQ(request->field_violations(0).description(), "rooms[2] has 300 octets");
}

TEST(ErrorsTest, LimitIsNamedByItsKey) {
  const absl::Status full =
      Refusal(absl::StatusCode::kResourceExhausted, "CAPACITY_ROOM_MEMBERS", "full");

  EXPECT_EQ(Find<google::rpc::ErrorInfo>(full)->metadata().at("limit"),
            "limits.room_members_capacity");
}

TEST(ErrorsTest, OverloadedSaysWhenToRetryAndGoneDoesNot) {
  EXPECT_GT(Find<google::rpc::RetryInfo>(Overloaded())->retry_delay().nanos(), 0);
  EXPECT_FALSE(Find<google::rpc::RetryInfo>(ConnectionGone()).has_value());
}

TEST(ErrorsTest, StatusWithoutAReasonIsAFaultOfTheNode) {
  const absl::Status unknown = absl::CancelledError("no longer wanted");

  EXPECT_EQ(ToGrpc(unknown).error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(Find<google::rpc::ErrorInfo>(unknown)->reason(), "INTERNAL");
}

TEST(ErrorsTest, EveryReasonIsOneOfTheApi) {
  for (const absl::Status& status : {ConnectionGone(), Overloaded(), NodeStopping()}) {
    v1::ErrorReason reason;
    EXPECT_TRUE(v1::ErrorReason_Parse("ERROR_REASON_" + ReasonOf(status), &reason))
        << ReasonOf(status);
  }
}

}  // namespace
}  // namespace wsrouter
