// Who is let in by a token or a signed cookie, with and without a service behind.
#include "auth/token_door.h"

#include <memory>
#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_backend.h"
#include "tests/support/fakes.h"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;

class OneKey final : public KeySource {
 public:
  explicit OneKey(const TokenSigner& signer) {
    auto keys = std::make_shared<KeySet>();
    EXPECT_TRUE(
        keys->Add("", *VerificationKey::FromPem(Algorithm::kEdDsa, signer.PublicPem())).ok());
    keys_ = std::move(keys);
  }
  std::shared_ptr<const KeySet> Keys(std::string_view) override { return keys_; }
  void Missed(std::string_view, std::string_view) override {}

 private:
  std::shared_ptr<const KeySet> keys_;
};

class TokenDoorTest : public testing::Test {
 protected:
  TokenDoor Door(Backend* services = nullptr, bool required = true) {
    TokenOptions options;
    options.issuers = {
        {.name = "id", .audiences = {}, .algorithms = {Algorithm::kEdDsa}, .client_id_prefix = ""}};
    return TokenDoor(
        {.tokens = TokenVerifier::Create(options, std::make_shared<OneKey>(signer_)).value(),
         .sessions = SessionCookie::Create(
                         {.form = CookieForm::kHex, .secrets = {"0123456789abcdef"}, .field = ""})
                         .value(),
         .required = required,
         .services = services,
         .clock = clock_});
  }
  std::string Token(int64_t expires_in, std::string_view more = "") const {
    return signer_.TokenOf(fmt::format(R"({{"iss":"id","sub":"alice","exp":{}{}}})",
                                       absl::ToUnixSeconds(clock_.now.wall) + expires_in, more));
  }
  ConnectAnswer Ask(TokenDoor& door, std::string token, std::string session = "") {
    ConnectQuestion question;
    question.handshake = std::make_shared<const Handshake>(Handshake{.path = "/ws"});
    question.token = std::move(token);
    question.session = std::move(session);
    ConnectAnswer answer;
    bool answered = false;
    door.Connect(std::move(question), [&](ConnectAnswer given) {
      answer = std::move(given);
      answered = true;
    });
    EXPECT_TRUE(answered);
    return answer;
  }
  static CloseWith Refusal(const ConnectAnswer& answer) {
    const auto* denial = std::get_if<Denial>(&answer);
    return denial == nullptr ? CloseWith{} : denial->close;
  }

  ManualClock clock_;
  const TokenSigner signer_ = TokenSigner::EdDsa();
};

TEST_F(TokenDoorTest, AGoodTokenIsWhoItSays) {
  TokenDoor door = Door();
  const ConnectAnswer answer =
      Ask(door, Token(60, R"(,"rooms":["lobby"],"labels":{"plan":"pro"})"));
  const auto* admission = std::get_if<Admission>(&answer);
  ASSERT_NE(admission, nullptr);
  ASSERT_TRUE(admission->own.has_value());
  EXPECT_EQ(admission->own->client.value, "alice");
  EXPECT_THAT(admission->own->rooms, ElementsAre(RoomName{"lobby"}));
  EXPECT_EQ(admission->own->labels.at("plan"), "pro");
  EXPECT_GE(admission->own->expires_at, clock_.now.wall + absl::Seconds(60));
}

TEST_F(TokenDoorTest, BadAndMissingTokensAreToldApartByCodeAndReason) {
  TokenDoor door = Door();
  EXPECT_EQ(Refusal(Ask(door, "")).code, 4001);
  EXPECT_EQ(Refusal(Ask(door, "")).reason, "TOKEN_MISSING");
  EXPECT_EQ(Refusal(Ask(door, "x.y.z")).code, 4002);
  EXPECT_EQ(Refusal(Ask(door, Token(-3600))).reason, "TOKEN_EXPIRED");
  const std::string good = Token(60);
  const std::string other = Token(61);
  const std::string forged = good.substr(0, good.rfind('.')) + other.substr(other.rfind('.'));
  EXPECT_EQ(Refusal(Ask(door, forged)).reason, "TOKEN_BAD_SIGNATURE");
}

TEST_F(TokenDoorTest, ABadTokenIsRefusedAlsoWhereNoneIsRequired) {
  TokenDoor door = Door(nullptr, false);
  EXPECT_EQ(Refusal(Ask(door, "x.y.z")).code, 4002);
  const ConnectAnswer answer = Ask(door, "");
  const auto* admission = std::get_if<Admission>(&answer);
  ASSERT_NE(admission, nullptr);
  EXPECT_FALSE(admission->own.has_value());
}

TEST_F(TokenDoorTest, ASignedCookieIsAsGoodAsAToken) {
  TokenDoor door = Door();
  const std::string mac = HmacSha256Of("0123456789abcdef", "bob");
  std::string hex;
  for (const char c : mac) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  const ConnectAnswer answer = Ask(door, "", "bob." + hex);
  ASSERT_TRUE(std::holds_alternative<Admission>(answer)) << Refusal(answer).reason;
  EXPECT_EQ(std::get<Admission>(answer).own->client.value, "bob");
  EXPECT_EQ(Refusal(Ask(door, "", "eve." + hex)).code, 4002);
}

TEST_F(TokenDoorTest, TheServiceIsToldWhoWasProvedAndNeverTheToken) {
  FakeBackend services;
  TokenDoor door = Door(&services);
  ConnectQuestion question;
  question.handshake = std::make_shared<const Handshake>(Handshake{.path = "/ws"});
  question.token = Token(60);
  question.session = "s";
  door.Connect(std::move(question), [](ConnectAnswer) {});
  const auto asked = services.AwaitConnect();
  ASSERT_TRUE(asked.question.proved.has_value());
  EXPECT_EQ(asked.question.proved->client.value, "alice");
  EXPECT_EQ(asked.question.token, "");
  EXPECT_EQ(asked.question.session, "");
}

TEST_F(TokenDoorTest, NoServiceIsAskedAboutABadToken) {
  FakeBackend services;
  TokenDoor door = Door(&services);
  EXPECT_EQ(Refusal(Ask(door, "x.y.z")).code, 4002);
  EXPECT_EQ(services.waiting(), 0u);
}

}  // namespace
}  // namespace wsrouter
