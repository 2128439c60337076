#include "control/backend_question.h"

#include "control/errors.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

const ConnectQuestion kProved = {.proved = Own{.client = {"bob"}}};

// The close code that refuses; 0: let in.
int Refusing(const absl::Status& failure, ConnectOutage outage,
             const ConnectQuestion& question = kProved) {
  const ConnectAnswer answer = AnswerForService(question, failure, outage, absl::Seconds(1));
  const auto* denial = std::get_if<Denial>(&answer);
  return denial == nullptr ? 0 : denial->close.code;
}

TEST(BackendQuestionTest, ThePolicyLetsInOnlyWhomATokenProvedAndOnlyInAnOutage) {
  const auto proved = ConnectOutage::kAcceptProved;
  EXPECT_EQ(Refusing(absl::UnavailableError(""), proved), 0);
  EXPECT_EQ(Refusing(absl::DeadlineExceededError(""), proved), 0);
  EXPECT_EQ(Refusing(absl::UnavailableError(""), proved, {}), 1013);
  EXPECT_EQ(Refusing(absl::UnavailableError(""), ConnectOutage::kRefuse), 1013);
  EXPECT_EQ(Refusing(absl::UnavailableError(""), ConnectOutage::kHold), 1013);
}

TEST(BackendQuestionTest, AnyOtherFailureRefuses) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status failure(static_cast<absl::StatusCode>(code), "");
    if (IsOutage(failure)) continue;
    const int expected = absl::IsPermissionDenied(failure)  ? 4003
                         : absl::IsUnauthenticated(failure) ? 4001
                                                            : 1013;
    EXPECT_EQ(Refusing(failure, ConnectOutage::kAcceptProved), expected) << failure;
    EXPECT_EQ(Refusing(failure, ConnectOutage::kHold), expected) << failure;
  }
}

TEST(BackendQuestionTest, WhatTheNodeFoundIsOursAndWhatAServiceAnsweredIsNot) {
  EXPECT_TRUE(IsOurs(Unasked("FULL", "too much waits")));
  EXPECT_TRUE(IsOurs(BadField("decision", "FIELD_MISSING", "is missing")));
  EXPECT_FALSE(IsOurs(absl::UnavailableError("too much waits")));
  EXPECT_FALSE(IsOurs(absl::InvalidArgumentError("decision is missing")));
}

TEST(BackendQuestionTest, OnlyWhatGrpcNeverSaysOfItselfIsOfTheMethod) {
  EXPECT_TRUE(IsOfTheMethod(absl::OkStatus()));
  EXPECT_TRUE(IsOfTheMethod(absl::InvalidArgumentError("")));
  EXPECT_FALSE(IsOfTheMethod(absl::UnimplementedError("")));
  EXPECT_FALSE(IsOfTheMethod(absl::UnavailableError("")));
  EXPECT_FALSE(IsOfTheMethod(absl::InternalError("")));
}

}  // namespace
}  // namespace wsrouter
