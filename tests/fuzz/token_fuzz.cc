// Texts from strangers are refused, never accepted, as tokens, cookies and keys, and tokens that
// were signed and then changed are refused. What an issuer signed is refused with a reason, or
// grants only what the rules of core allow. The first octet says what the rest is.

#include <openssl/err.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "auth/key_source.h"
#include "auth/session_cookie.h"
#include "auth/token_refusal.h"
#include "auth/token_verifier.h"
#include "fmt/format.h"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr std::string_view kClaims = R"({"iss":"https://id","aud":"ws","sub":"u","exp":1800000060,)"
                                     R"("rooms":["a"],"labels":{"a":"b"}})";
const std::vector<Algorithm> kAll = {Algorithm::kHs256, Algorithm::kRs256, Algorithm::kEs256,
                                     Algorithm::kEdDsa};
const std::string kSecret(32, 's');

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "violated: " << what << '\n';
  std::abort();
}

class OneSet final : public KeySource {
 public:
  explicit OneSet(KeySet set) : set_(std::make_shared<const KeySet>(std::move(set))) {}
  std::shared_ptr<const KeySet> Keys(std::string_view issuer) override {
    Require(issuer == "https://id", "keys are wanted of configured issuers only");
    return set_;
  }
  void Missed(std::string_view issuer, std::string_view) override {
    Require(issuer == "https://id", "keys are missed of configured issuers only");
  }

 private:
  std::shared_ptr<const KeySet> set_;
};

struct World {
  World() {
    std::string jwks = R"({"keys":[)";
    for (const TokenSigner& signer : signers) {
      jwks += signer.Jwk(signer.algorithm()) + ",";
      tokens.push_back(signer.TokenOf(kClaims, signer.algorithm()));
    }
    jwks.back() = ']';
    auto keys = std::make_shared<OneSet>(KeySet::ParseJwks(jwks + "}", kAll).value());
    verifier.emplace(
        TokenVerifier::Create(
            {.issuers = {{.name = "https://id", .audiences = {"ws"}, .algorithms = kAll}}}, keys)
            .value());
    for (const std::string& token : tokens) {
      Require(verifier->Verify(token, kNow).ok(), "what the signer signed is accepted");
    }
  }

  const std::vector<TokenSigner> signers = {TokenSigner::Hs256(kSecret),
                                            TokenSigner::EdDsaOf(std::string(32, 'e')),
                                            TokenSigner::Es256(), TokenSigner::Rs256()};
  std::vector<std::string> tokens;
  std::optional<TokenVerifier> verifier;
};

std::string_view SignedPart(std::string_view token) { return token.substr(0, token.rfind('.')); }

void RequireRefusal(const absl::Status& status) {
  Require(absl::IsUnauthenticated(status), "a refusal is UNAUTHENTICATED");
  Require(ReasonOf(status).starts_with("TOKEN_"), "a refusal has a reason");
}

void CheckStrange(const World& world, std::string_view text) {
  const auto verified = world.verifier->Verify(text, kNow);
  if (!verified.ok()) return RequireRefusal(verified.status());
  // A signature by ECDSA has a twin that verifies as well.
  Require(std::ranges::any_of(
              world.tokens,
              [&](const std::string& token) { return SignedPart(token) == SignedPart(text); }),
          "nobody else can sign a token");
}

// Triples: where (two octets), and what is put there.
void CheckChanged(const World& world, std::string_view edits) {
  if (edits.empty()) return;
  std::string token = world.tokens[static_cast<uint8_t>(edits[0]) % world.tokens.size()];
  for (edits.remove_prefix(1); edits.size() >= 3; edits.remove_prefix(3)) {
    const auto at = static_cast<uint8_t>(edits[0]) * 256U + static_cast<uint8_t>(edits[1]);
    token[at % token.size()] = edits[2];
  }
  CheckStrange(world, token);
}

// The header's text, a line break, and that of the claims.
void CheckSigned(const World& world, std::string_view text) {
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return;
  const auto verified = world.verifier->Verify(
      world.signers[0].Token(text.substr(0, line), text.substr(line + 1)), kNow);
  if (!verified.ok()) return RequireRefusal(verified.status());
  Require(CheckName("", verified->client_id.value).ok(), "a client id is a name");
  Require(verified->expires_at > kNow, "an accepted token has not expired");
  Require(verified->rooms.size() <= Limits{}.rooms_per_connection, "rooms are bounded");
  for (const RoomName& room : verified->rooms) {
    Require(CheckName("", room.value).ok(), "a room is a name");
  }
  Require(verified->labels.size() <= kLabelsMax, "labels are bounded");
}

void CheckCookies(std::string_view text) {
  for (const CookieForm form : {CookieForm::kBase64Url, CookieForm::kHex, CookieForm::kExpress}) {
    for (const char* field : {"", "uid"}) {
      const auto cookie =
          SessionCookie::Create({.form = form, .secrets = {kSecret}, .field = field}).value();
      const auto stranger = cookie.Verify(text);
      Require(!stranger.ok(), "nobody else can sign a cookie");
      RequireRefusal(stranger.status());
      const auto client =
          cookie.Verify(fmt::format("{}.{}", text, Base64UrlOf(HmacSha256Of(kSecret, text))));
      if (client.ok()) Require(CheckName("", client->value).ok(), "a client id is a name");
    }
  }
}

void CheckInput(std::string_view input) {
  static const World world;
  if (input.empty()) return;
  const std::string_view rest = input.substr(1);
  switch (input[0]) {
    case 't':
      CheckStrange(world, rest);
      break;
    case 'e':
      CheckChanged(world, rest);
      break;
    case 's':
      CheckSigned(world, rest);
      break;
    case 'c':
      CheckCookies(rest);
      break;
    case 'k':
      (void)KeySet::ParseJwks(rest, kAll);
      break;
    case 'p':
      (void)VerificationKey::FromPem(Algorithm::kRs256, rest);
      break;
    default:
      break;
  }
  Require(ERR_peek_error() == 0, "no error is left for others to find");
}

}  // namespace
}  // namespace wsrouter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wsrouter::CheckInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
