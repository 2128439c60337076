#include "control/checks.h"

#include <string>

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Checks::Names Names(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

std::string Reason(const Checks& checks) { return ReasonOf(checks.status()); }

TEST(ChecksTest, OrdinaryPunctuationIsPlainText) {
  Checks checks;
  for (const char* name : {"a:b", "{x}", "*", "7", "alice@example.org", "\xC3\xA9t\xC3\xA9"}) {
    EXPECT_EQ(checks.Required<RoomName>("room", name).value, name);
  }
  EXPECT_TRUE(checks.ok()) << checks.status();
}

TEST(ChecksTest, FirstFaultIsKept) {
  Checks checks;
  checks.Required<ClientId>("client_id", "");
  checks.Required<RoomName>("room", std::string(300, 'r'));

  EXPECT_EQ(Reason(checks), "FIELD_MISSING");
  EXPECT_THAT(std::string(checks.status().message()), HasSubstr("client_id"));
}

TEST(ChecksTest, NameWithNulIsInvalid) {
  Checks checks;
  checks.Required<RoomName>("room", std::string("a\0b", 3));
  EXPECT_EQ(Reason(checks), "FIELD_INVALID");
}

TEST(ChecksTest, RepeatedNamesCountOnceInTheirFirstPlace) {
  Checks checks;
  EXPECT_THAT(checks.List<RoomName>("rooms", Names({"b", "a", "b"})),
              ElementsAre(RoomName{"b"}, RoomName{"a"}));
}

TEST(ChecksTest, FaultInAListNamesItsPlace) {
  Checks checks;
  checks.List<RoomName>("rooms", Names({"a", ""}));
  EXPECT_THAT(std::string(checks.status().message()), HasSubstr("rooms[1]"));
  Checks ids;
  ids.Connections("except_connection_ids", Names({"nonsense", "b", "a\nb"}));
  EXPECT_THAT(std::string(ids.status().message()), HasSubstr("except_connection_ids[2]"));
}

TEST(ChecksTest, ListsAreBounded) {
  Checks checks;
  checks.List<RoomName>("rooms", Names(std::vector<std::string>(kNamesMax, "r")));
  EXPECT_TRUE(checks.ok());
  checks.List<RoomName>("rooms", Names(std::vector<std::string>(kNamesMax + 1, "r")));
  EXPECT_EQ(Reason(checks), "TOO_MANY_ITEMS");
}

TEST(ChecksTest, EmptyListIsMissingWhereOneIsNeeded) {
  Checks checks;
  checks.NonEmptyList<RoomName>("rooms", {});
  EXPECT_EQ(Reason(checks), "FIELD_MISSING");
}

TEST(ChecksTest, TextThatIsNoConnectionIdIsAbsentAndNoFault) {
  Checks checks;
  EXPECT_FALSE(checks.Connection("connection_id", "nonsense").has_value());
  EXPECT_THAT(checks.Connections("except_connection_ids", Names({"nonsense"})), IsEmpty());
  EXPECT_TRUE(checks.ok());
}

TEST(ChecksTest, PayloadMustBeThereButMayBeEmpty) {
  Checks checks;
  v1::Payload payload;
  payload.set_text("");
  EXPECT_EQ(checks.Payload(payload, 10)->opcode(), Opcode::kText);
  payload.set_binary("");
  EXPECT_EQ(checks.Payload(payload, 10)->opcode(), Opcode::kBinary);
  EXPECT_TRUE(checks.ok());
  EXPECT_EQ(checks.Payload({}, 10), nullptr);
  EXPECT_EQ(Reason(checks), "FIELD_MISSING");
}

TEST(ChecksTest, PayloadMayFillItsLimitAndNoMore) {
  Checks checks;
  v1::Payload payload;
  payload.set_text("1234567890");
  EXPECT_EQ(checks.Payload(payload, 10)->payload(), "1234567890");
  EXPECT_EQ(checks.Payload(payload, 9), nullptr);
  EXPECT_EQ(Reason(checks), "PAYLOAD_TOO_LARGE");
}

TEST(ChecksTest, LabelsAreBounded) {
  const auto reason_of = [](const std::string& key, const std::string& value, int count = 1) {
    google::protobuf::Map<std::string, std::string> labels;
    for (int i = 0; i < count; ++i) labels[count == 1 ? key : std::to_string(i)] = value;
    Checks checks;
    checks.LabelMap(labels);
    return Reason(checks);
  };
  EXPECT_EQ(reason_of("device", "phone"), "");
  EXPECT_EQ(reason_of("device", ""), "");
  EXPECT_EQ(reason_of("", "x"), "FIELD_MISSING");
  EXPECT_EQ(reason_of("k", std::string(kLabelBytesMax, 'x')), "FIELD_TOO_LONG");
  EXPECT_EQ(reason_of("k", "a\nb"), "FIELD_INVALID");
  EXPECT_EQ(reason_of("k", "a\xC2\x85z"), "FIELD_INVALID");
  EXPECT_EQ(reason_of("", "x", kLabelsMax), "");
  EXPECT_EQ(reason_of("", "x", kLabelsMax + 1), "TOO_MANY_ITEMS");
}

TEST(ChecksTest, ExpiryMustLieAheadAndBeATime) {
  const absl::Time now = absl::FromUnixSeconds(1000);
  const auto reason_of = [&](int64_t seconds, int32_t nanos) {
    google::protobuf::Timestamp timestamp;
    timestamp.set_seconds(seconds);
    timestamp.set_nanos(nanos);
    Checks checks;
    checks.Expiry(timestamp, now);
    return Reason(checks);
  };
  EXPECT_EQ(reason_of(1001, 0), "");
  EXPECT_EQ(reason_of(1000, 1), "");
  EXPECT_EQ(reason_of(253402300799, 999'999'999), "");
  EXPECT_EQ(reason_of(1000, 0), "FIELD_INVALID");
  EXPECT_EQ(reason_of(2000, -1), "FIELD_INVALID");
  EXPECT_EQ(reason_of(2000, 1'000'000'000), "FIELD_INVALID");
  EXPECT_EQ(reason_of(INT64_MAX, 0), "FIELD_INVALID");
  EXPECT_EQ(reason_of(INT64_MIN, 0), "FIELD_INVALID");
}

TEST(ChecksTest, OnlyCodesThatServicesMayUseCloseAConnection) {
  for (const uint32_t code : {1000u, 1001u, 1008u, 1011u, 1012u, 1013u, 3000u, 4999u}) {
    Checks checks;
    EXPECT_EQ(checks.Closing("", code, "").code, code);
    EXPECT_TRUE(checks.ok()) << code;
  }
  for (const uint32_t code :
       {1u, 999u, 1002u, 1005u, 1006u, 1007u, 1009u, 1010u, 1014u, 1015u, 2999u, 5000u, 69536u}) {
    Checks checks;
    checks.Closing("", code, "");
    EXPECT_EQ(Reason(checks), "FIELD_OUT_OF_RANGE") << code;
  }
}

TEST(ChecksTest, CodeZeroStandsForDisconnected) {
  Checks checks;
  EXPECT_EQ(checks.Closing("", 0, "bye").code, 4021);
}

TEST(ChecksTest, CloseReasonFitsAControlFrame) {
  Checks checks;
  checks.Closing("", 0, std::string(123, 'x'));
  EXPECT_TRUE(checks.ok());
  checks.Closing("close.", 0, std::string(124, 'x'));
  EXPECT_EQ(Reason(checks), "FIELD_TOO_LONG");
  EXPECT_THAT(std::string(checks.status().message()), HasSubstr("close.reason"));
}

TEST(ChecksTest, PageCountHasADefaultAndAMaximum) {
  Checks checks;
  EXPECT_EQ(checks.PageCount(0), 100u);
  EXPECT_EQ(checks.PageCount(1000), 1000u);
  EXPECT_TRUE(checks.ok());
  checks.PageCount(1001);
  EXPECT_EQ(Reason(checks), "FIELD_OUT_OF_RANGE");
}

}  // namespace
}  // namespace wsrouter
