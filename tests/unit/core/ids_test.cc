#include "core/ids.h"

#include <string>

#include "core/error.h"
#include "gmock/gmock.h"

namespace wsrouter {
namespace {

TEST(ConnectionIdTest, NamesNodeIncarnationShardAndCounter) {
  const ConnectionId id = {
      .node = {.server_id = "gw-1", .incarnation = 0x6f2c9d0a51e7b384}, .shard = 0, .counter = 42};
  EXPECT_EQ(id.ToString(), "gw-1.6f2c9d0a51e7b384.00.2a");
}

TEST(ConnectionIdTest, ParsesWhatItWrote) {
  for (const std::string server : {"a", "host.example.org:17", ".", "..", "a.0000000000000001.00.1",
                                   "\xC3\xA4", " ", "%s", "{}"}) {
    for (const uint64_t incarnation : {uint64_t{0}, uint64_t{1}, UINT64_MAX}) {
      for (const uint16_t shard : {0, 1, 255, 256, 65535}) {
        for (const uint64_t counter : {uint64_t{0}, uint64_t{1}, uint64_t{0xABC}, UINT64_MAX}) {
          const ConnectionId id = {.node = {.server_id = server, .incarnation = incarnation},
                                   .shard = shard,
                                   .counter = counter};
          EXPECT_EQ(ConnectionId::Parse(id.ToString()), id) << id.ToString();
        }
      }
    }
  }
}

TEST(ConnectionIdTest, RefusesTextThatItWouldNotHaveWritten) {
  for (const std::string_view text : {"",
                                      ".",
                                      "...",
                                      "....",
                                      "gw-1",
                                      "gw-1.6f2c9d0a51e7b384.00",
                                      "gw-1.6f2c9d0a51e7b384.00.",
                                      "gw-1..00.2a",
                                      "gw-1.6f2c9d0a51e7b384..2a",
                                      ".6f2c9d0a51e7b384.00.2a",
                                      "gw-1.6F2C9D0A51E7B384.00.2a",     // upper case
                                      "gw-1.6f2c9d0a51e7b384.00.2A",     //
                                      "gw-1.6f2c9d0a51e7b384.00.02a",    // a leading zero
                                      "gw-1.6f2c9d0a51e7b384.000.2a",    //
                                      "gw-1.6f2c9d0a51e7b384.0.2a",      // one digit too few
                                      "gw-1.f2c9d0a51e7b384.00.2a",      //
                                      "gw-1.06f2c9d0a51e7b384.00.2a",    // one too many
                                      "gw-1.6f2c9d0a51e7b384.10000.2a",  // beyond sixteen bits
                                      "gw-1.6f2c9d0a51e7b384.00.10000000000000000",
                                      "gw-1.6f2c9d0a51e7b384.00.-1",
                                      "gw-1.6f2c9d0a51e7b384.00.+1",
                                      "gw-1.6f2c9d0a51e7b384.00.0x1",
                                      "gw-1.6f2c9d0a51e7b384.00.2a ",
                                      "gw-1.6f2c9d0a51e7b384.00. 2a",
                                      "gw-1.6f2c9d0a51e7b384.00.2a\n",
                                      "gw-1.6f2c9d0a51e7b384.0g.2a"}) {
    EXPECT_EQ(ConnectionId::Parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(ConnectionId::Parse(std::string_view("gw-1.6f2c9d0a51e7b384.00.2a\0", 28)),
            std::nullopt);
}

struct NameCase {
  std::string name;
  std::string reason;  // empty: the name is fine
};

TEST(CheckNameTest, TakesUtf8WithoutControlCharactersUpTo255Octets) {
  using namespace std::string_literals;
  const NameCase cases[] = {
      {"7", ""},
      {"user:7", ""},
      {"a b", ""},
      {" ", ""},
      {"\xC3\xA4", ""},          // U+00E4
      {"\xC2\xA0", ""},          // U+00A0, the first after the C1 controls
      {"\xF0\x9F\x98\x80", ""},  // U+1F600
      {"\xF4\x8F\xBF\xBF", ""},  // U+10FFFF
      {"\xED\x9F\xBF", ""},      // U+D7FF, the last before the surrogates
      {"\xEE\x80\x80", ""},      // U+E000, the first after them
      {"\xE0\xA0\x80", ""},      // U+0800, the shortest of three octets
      {std::string(255, 'x'), ""},
      {"", "FIELD_MISSING"},
      {std::string(256, 'x'), "FIELD_TOO_LONG"},
      {std::string(254, 'x') + "\xC3\xA4", "FIELD_TOO_LONG"},
      {"\0"s, "FIELD_INVALID"},
      {"a\0b"s, "FIELD_INVALID"},
      {"a\n", "FIELD_INVALID"},
      {"\x1F", "FIELD_INVALID"},
      {"\x7F", "FIELD_INVALID"},
      {"\xC2\x80", "FIELD_INVALID"},          // U+0080
      {"\xC2\x85", "FIELD_INVALID"},          // NEL
      {"\xC2\x9F", "FIELD_INVALID"},          // U+009F
      {"\xC0\x80", "FIELD_INVALID"},          // NUL in two octets
      {"\xC1\xBF", "FIELD_INVALID"},          // overlong
      {"\xE0\x9F\xBF", "FIELD_INVALID"},      // overlong
      {"\xF0\x8F\xBF\xBF", "FIELD_INVALID"},  // overlong
      {"\xED\xA0\x80", "FIELD_INVALID"},      // U+D800
      {"\xED\xBF\xBF", "FIELD_INVALID"},      // U+DFFF
      {"\xF4\x90\x80\x80", "FIELD_INVALID"},  // beyond U+10FFFF
      {"\xF5\x80\x80\x80", "FIELD_INVALID"},
      {"\xFF", "FIELD_INVALID"},
      {"\x80", "FIELD_INVALID"},   // a continuation alone
      {"a\xC3", "FIELD_INVALID"},  // cut off
      {"\xE2\x82", "FIELD_INVALID"},
      {"\xF0\x9F\x98", "FIELD_INVALID"},
      {"\xC3\x41", "FIELD_INVALID"},
  };
  for (const NameCase& c : cases) {
    const absl::Status status = CheckName("room", c.name);
    EXPECT_EQ(ReasonOf(status), c.reason) << testing::PrintToString(c.name);
    EXPECT_EQ(status.ok(), c.reason.empty());
  }
}

TEST(CheckNameTest, SaysWhichFieldAndWhere) {
  const absl::Status status = CheckName("client_id", "ab\ncd");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()), "client_id has a control character at octet 2");
}

TEST(RefusalTest, CarriesItsReasonBesideTheMessage) {
  const absl::Status status = Refusal(absl::StatusCode::kNotFound, "CONNECTION_GONE", "it is gone");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "CONNECTION_GONE");
  EXPECT_EQ(std::string(status.message()), "it is gone");
  EXPECT_EQ(ReasonOf(absl::InternalError("x")), "");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
}

}  // namespace
}  // namespace wsrouter
