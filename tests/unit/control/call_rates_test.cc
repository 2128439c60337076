#include "control/call_rates.h"

#include "control/access.h"
#include "core/error.h"
#include "gtest/gtest.h"
#include "tests/support/fakes.h"

namespace wsrouter {
namespace {

TEST(CallRatesTest, EachCallerHasItsOwnCallsInAnyWindow) {
  ManualClock clock;
  CallRates rates({.n = 2, .window = absl::Seconds(1)}, clock);
  EXPECT_TRUE(rates.Admit("token a").ok());
  EXPECT_TRUE(rates.Admit("token a").ok());
  const absl::Status refused = rates.Admit("token a");
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_EQ(ReasonOf(refused), "RATE_CALLER");
  EXPECT_EQ(RetryAfter(refused), absl::Seconds(1));
  EXPECT_TRUE(rates.Admit("token b").ok());
  clock.Advance(absl::Seconds(1));
  EXPECT_TRUE(rates.Admit("token a").ok());
}

TEST(CallRatesTest, AHostIsOneCallerWhateverItsPorts) {
  EXPECT_EQ(PeerHost("ipv4:10.0.0.7:4711"), "ipv4:10.0.0.7");
  EXPECT_EQ(PeerHost("ipv6:%5B2001:db8:1:2:3::4%5D:4711"), "ipv6:2001:db8:1:2::/64");
  EXPECT_EQ(PeerHost("ipv6:[2001:db8:1:2::9]:4711"), "ipv6:2001:db8:1:2::/64");
  EXPECT_EQ(PeerHost("unix:/run/x"), "unix:/run/x");
}

TEST(CallRatesTest, ACallerIsKnownByItsTokenOrItsCertificate) {
  const std::string token(32, 't');
  const auto table = std::make_shared<const TokenTable>(
      TokenTable::Parse("chat publish " + token + "\nchat read " + std::string(32, 'u')).value());
  const Access access({{.name = "a.example", .role = Role::kRead}}, table);
  const std::string bearer = "Bearer " + token;
  EXPECT_EQ(access.NameOf({.names = {}, .authorization = {bearer}}, absl::UnixEpoch()),
            "token chat");
  EXPECT_EQ(access.NameOf({.names = {"x", "a.example"}, .authorization = {}}, absl::UnixEpoch()),
            "certificate a.example");
}

}  // namespace
}  // namespace wsrouter
