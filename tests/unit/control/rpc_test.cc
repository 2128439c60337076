#include "control/rpc.h"

#include "control/events_service.h"
#include "core/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {
namespace {

using testing::HasSubstr;

grpc::ByteBuffer Buffer(const std::string& octets) {
  const grpc::Slice slice(octets);
  return grpc::ByteBuffer(&slice, 1);
}

// The message of the refusal that a request with these octets gets.
template <typename Request>
std::string Refused(const std::string& octets) {
  Request request;
  const absl::Status parsed = ParseRequest(Buffer(octets), request);
  EXPECT_EQ(ReasonOf(parsed), "FIELD_INVALID");
  return std::string(parsed.message());
}

TEST(ParseRequestTest, WhatWasSerializedIsRead) {
  v1::PushRequest request;
  request.set_room("lobby");
  v1::PushRequest read;
  EXPECT_TRUE(ParseRequest(SerializeResponse(request), read).ok());
  EXPECT_EQ(read.room(), "lobby");
}

TEST(ParseRequestTest, RequestIsReadAcrossItsSlices) {
  const grpc::Slice slices[] = {grpc::Slice("\x0A\x05lo"), grpc::Slice("b"), grpc::Slice("by")};
  v1::PushRequest read;
  EXPECT_TRUE(ParseRequest(grpc::ByteBuffer(slices, 3), read).ok());
  EXPECT_EQ(read.room(), "lobby");
}

TEST(ParseRequestTest, NoOctetsAreAnEmptyRequest) {
  v1::PushRequest request;
  EXPECT_TRUE(ParseRequest(grpc::ByteBuffer(), request).ok());
}

TEST(ParseRequestTest, StringThatIsNotUtf8IsNamed) {
  EXPECT_THAT(Refused<v1::PushRequest>("\x0A\x02"
                                       "a\xFF"),
              HasSubstr("room is not UTF-8"));
  EXPECT_THAT(Refused<v1::PushRequest>("\x12\x01"
                                       "a"
                                       "\x12\x01\xFF"),
              HasSubstr("rooms[1] is not UTF-8"));
  EXPECT_THAT(Refused<v1::PushRequest>("\x1A\x03\x0A\x01\xFF"),
              HasSubstr("payload.text is not UTF-8"));
  EXPECT_THAT(Refused<v1::OwnRequest>("\x2A\x06\x0A\x01k\x12\x01\xFF"),
              HasSubstr("labels.value is not UTF-8"));
}

TEST(ParseRequestTest, BinaryPayloadMayHoldAnything) {
  v1::PushRequest request;
  EXPECT_TRUE(ParseRequest(Buffer("\x1A\x03\x12\x01\xFF"), request).ok());
}

TEST(ParseRequestTest, OctetsThatAreNoMessageNameTheTypeThatWasWanted) {
  EXPECT_THAT(Refused<v1::PushRequest>("\xFF\xFF\xFF"), HasSubstr("wsrouter.v1.PushRequest"));
  EXPECT_THAT(Refused<v1::PushRequest>("\x0A\x7F"), HasSubstr("wsrouter.v1.PushRequest"));
}

TEST(ReadFilterTest, MessagesAreShownOnlyWhenAskedFor) {
  const size_t message = Event::Detail(event::Message{}).index();
  v1::WatchRequest request;
  EXPECT_FALSE(ReadFilter(request)->kinds.test(message));
  EXPECT_EQ(ReadFilter(request)->kinds.count(), std::variant_size_v<Event::Detail> - 1);
  request.set_include_messages(true);
  EXPECT_TRUE(ReadFilter(request)->kinds.all());
}

TEST(ReadFilterTest, NamedKindsOnlyAreShown) {
  v1::WatchRequest request;
  request.add_kinds(v1::EVENT_KIND_JOINED);
  const auto filter = ReadFilter(request);
  EXPECT_EQ(filter->kinds.count(), 1u);
  EXPECT_TRUE(filter->kinds.test(Event::Detail(event::Joined{}).index()));
}

TEST(ReadFilterTest, KindsThatAreAlwaysToldAskForNoOther) {
  for (const v1::EventKind kind : {v1::EVENT_KIND_READY, v1::EVENT_KIND_MISSED}) {
    v1::WatchRequest request;
    request.add_kinds(kind);
    EXPECT_TRUE(ReadFilter(request)->kinds.none());
    request.set_include_messages(true);
    EXPECT_EQ(ReadFilter(request)->kinds, EventKinds().set(kEventKind<event::Message>));
  }
}

TEST(ReadFilterTest, UnknownKindIsRefused) {
  v1::WatchRequest request;
  request.add_kinds(static_cast<v1::EventKind>(99));
  EXPECT_EQ(ReasonOf(ReadFilter(request).status()), "FIELD_INVALID");
  request.set_kinds(0, v1::EVENT_KIND_UNSPECIFIED);
  EXPECT_EQ(ReasonOf(ReadFilter(request).status()), "FIELD_INVALID");
}

}  // namespace
}  // namespace wsrouter
