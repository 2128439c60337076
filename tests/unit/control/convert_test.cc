#include "control/convert.h"

#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

using Result = RoomChange::Result;

v1::RoomResult Fold(const std::vector<RoomChange>& changes) {
  return FoldRooms({RoomName{"lobby"}}, changes).front();
}
RoomChange Change(Result result, uint64_t members = 0, uint64_t connections = 0) {
  return {.room = {"lobby"}, .result = result, .members = members, .connections = connections};
}

TEST(FoldRoomsTest, RowsStandInTheOrderOfTheRequest) {
  const auto rows = FoldRooms({{"b"}, {"a"}}, {{.room = {"a"}, .result = Result::kJoined},
                                               {.room = {"b"}, .result = Result::kAlreadyMember}});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].room(), "b");
  EXPECT_EQ(rows[0].result(), v1::MEMBERSHIP_RESULT_ALREADY_MEMBER);
  EXPECT_EQ(rows[1].room(), "a");
  EXPECT_EQ(rows[1].result(), v1::MEMBERSHIP_RESULT_JOINED);
}

TEST(FoldRoomsTest, JoinsAddUpAndShowTheLargestSize) {
  const auto row = Fold({Change(Result::kJoined, 1, 2), Change(Result::kJoined, 1, 1),
                         Change(Result::kAlreadyMember, 1, 1)});
  EXPECT_EQ(row.result(), v1::MEMBERSHIP_RESULT_JOINED);
  EXPECT_EQ(row.changed(), 2u);
  EXPECT_EQ(row.connections(), 2u);
}

TEST(FoldRoomsTest, LeavesAddUpAndShowTheSmallestSize) {
  const auto row =
      Fold({Change(Result::kLeft, 2, 3), Change(Result::kLeft, 1, 2), Change(Result::kNotAMember)});
  EXPECT_EQ(row.result(), v1::MEMBERSHIP_RESULT_LEFT);
  EXPECT_EQ(row.changed(), 2u);
  EXPECT_EQ(row.members(), 1u);
  EXPECT_EQ(row.connections(), 2u);
}

TEST(FoldRoomsTest, OneRefusalShowsWithItsReasonAndHowManyJoined) {
  RoomChange refused = Change(Result::kRefused);
  refused.refusal = Refusal(absl::StatusCode::kResourceExhausted, "ROOMS_PER_CONNECTION", "full");

  const auto row = Fold({Change(Result::kJoined, 1, 1), refused});

  EXPECT_EQ(row.result(), v1::MEMBERSHIP_RESULT_REFUSED);
  EXPECT_EQ(row.reason(), "ROOMS_PER_CONNECTION");
  EXPECT_EQ(row.changed(), 1u);
  EXPECT_EQ(row.connections(), 0u);
}

TEST(FoldRoomsTest, JoinThatWasWithdrawnIsNoRefusal) {
  RoomChange withdrawn = Change(Result::kRefused);
  withdrawn.refusal = absl::CancelledError("no longer wanted");

  EXPECT_EQ(Fold({withdrawn}).result(), v1::MEMBERSHIP_RESULT_NOT_A_MEMBER);
  EXPECT_EQ(Fold({withdrawn}).reason(), "");
  EXPECT_EQ(Fold({withdrawn, Change(Result::kJoined, 1, 1)}).result(),
            v1::MEMBERSHIP_RESULT_JOINED);
}

TEST(FoldRoomsTest, RoomThatNothingIsKnownOfHasNoMemberInQuestion) {
  EXPECT_EQ(Fold({}).result(), v1::MEMBERSHIP_RESULT_NOT_A_MEMBER);
}

TEST(ConvertTest, OctetsThatAreNotUtf8AreReplacedOneByOne) {
  EXPECT_EQ(ToUtf8("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(ToUtf8("a\xFF\xC3z"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(ToUtf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(ConvertTest, TimesBeforeTheEpochAreValidTimestamps) {
  const auto timestamp = ToProto(absl::FromUnixSeconds(-1) + absl::Nanoseconds(5));
  EXPECT_EQ(timestamp.seconds(), -1);
  EXPECT_EQ(timestamp.nanos(), 5);
}

TEST(ConvertTest, EveryKindOfEventHasItsKindAndDetail) {
  const std::vector<std::pair<Event::Detail, v1::EventKind>> kinds = {
      {event::Connected{std::make_shared<const Handshake>()}, v1::EVENT_KIND_CONNECTED},
      {event::Owned{}, v1::EVENT_KIND_OWNED},
      {event::Released{}, v1::EVENT_KIND_RELEASED},
      {event::Message{}, v1::EVENT_KIND_MESSAGE},
      {event::Joined{}, v1::EVENT_KIND_JOINED},
      {event::Left{}, v1::EVENT_KIND_LEFT},
      {event::Slow{}, v1::EVENT_KIND_SLOW},
      {event::Disconnected{}, v1::EVENT_KIND_DISCONNECTED},
      {event::Resumed{}, v1::EVENT_KIND_RESUMED},
  };
  ASSERT_EQ(kinds.size(), std::variant_size_v<Event::Detail>);
  for (const auto& [detail, kind] : kinds) {
    const v1::Event event = ToProto(Event{.at = absl::FromUnixSeconds(1), .detail = detail});
    EXPECT_EQ(event.kind(), kind);
    EXPECT_NE(event.detail_case(), v1::Event::DETAIL_NOT_SET) << kind;
  }
}

TEST(ConvertTest, EveryCauseOfACloseIsNamed) {
  for (int cause = 0; cause <= static_cast<int>(CloseCause::kNodeStopping); ++cause) {
    const Event event = {.at = absl::FromUnixSeconds(1),
                         .detail = event::Disconnected{.cause = static_cast<CloseCause>(cause)}};
    EXPECT_NE(ToProto(event).disconnected().cause(), v1::DISCONNECT_CAUSE_UNSPECIFIED) << cause;
  }
}

}  // namespace
}  // namespace wsrouter
