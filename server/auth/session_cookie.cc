#include "auth/session_cookie.h"

#include <optional>
#include <utility>

#include "auth/base64url.h"
#include "auth/hmac_sha256.h"
#include "auth/strict_json.h"
#include "auth/token_refusal.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

absl::Status Malformed(std::string_view what) { return RefuseToken(kTokenMalformed, what); }

absl::Status BadValue(std::string_view what) { return RefuseToken(kTokenClaims, what); }

// RFC 3986 section 2.1.
std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string octets;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      octets.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const std::optional<std::string> octet = DecodeHex(text.substr(i + 1, 2));
    if (!octet) return std::nullopt;
    octets.append(*octet);
    i += 2;
  }
  return octets;
}

std::optional<std::string> DecodeSignature(CookieForm form, std::string_view text) {
  switch (form) {
    case CookieForm::kBase64Url:
      return DecodeBase64Url(text);
    case CookieForm::kHex:
      return DecodeHex(text);
    case CookieForm::kExpress:
      return DecodeBase64(text);
  }
  return std::nullopt;
}

std::optional<nlohmann::json> ObjectOf(CookieForm form, std::string_view value) {
  if (form == CookieForm::kExpress && value.starts_with("j:")) value.remove_prefix(2);
  if (value.starts_with('{')) return ParseJsonObject(value);
  const std::optional<std::string> text = DecodeBase64Url(value);
  return text ? ParseJsonObject(*text) : std::nullopt;
}

}  // namespace

absl::StatusOr<SessionCookie> SessionCookie::Create(SessionCookieOptions options) {
  if (options.secrets.empty() || options.secrets.size() > kSecretsMax) {
    return absl::InvalidArgumentError(
        AbslView(fmt::format("{} secrets, wanted 1 to {}", options.secrets.size(), kSecretsMax)));
  }
  for (const std::string& secret : options.secrets) {
    if (secret.size() < kSecretBytesMin) {
      return absl::InvalidArgumentError(AbslView(
          fmt::format("a secret of {} octets, wanted {} or more", secret.size(), kSecretBytesMin)));
    }
  }
  return SessionCookie(std::move(options));
}

absl::StatusOr<ClientId> SessionCookie::Verify(std::string_view cookie) const {
  if (cookie.size() > kTokenBytesMax) {
    return RefuseToken(kTokenTooLong, fmt::format("the cookie has {} octets, wanted at most {}",
                                                  cookie.size(), kTokenBytesMax));
  }
  if (options_.form != CookieForm::kExpress) {
    const absl::StatusOr<std::string> value = Value(cookie);
    return value.ok() ? ClientOf(*value) : value.status();
  }
  const std::optional<std::string> decoded = PercentDecoded(cookie);
  if (!decoded) return Malformed("the cookie is not percent-encoded");
  if (!decoded->starts_with("s:")) return Malformed("the cookie is not signed: wanted s: in front");
  const absl::StatusOr<std::string> value = Value(std::string_view(*decoded).substr(2));
  return value.ok() ? ClientOf(*value) : value.status();
}

absl::StatusOr<std::string> SessionCookie::Value(std::string_view cookie) const {
  const size_t dot = cookie.rfind('.');
  if (dot == std::string_view::npos) return Malformed("the cookie has no signature");
  const auto signature = DecodeSignature(options_.form, cookie.substr(dot + 1));
  if (!signature) return Malformed("the cookie's signature is not in the form configured");
  const std::string_view value = cookie.substr(0, dot);
  for (const std::string& secret : options_.secrets) {
    if (HmacSha256(secret, value).Matches(*signature)) return std::string(value);
  }
  return RefuseToken(kTokenBadSignature, "no secret proves the cookie's signature");
}

absl::StatusOr<ClientId> SessionCookie::ClientOf(std::string_view value) const {
  ClientId client = {.value = std::string(value)};
  if (!options_.field.empty()) {
    const std::optional<nlohmann::json> object = ObjectOf(options_.form, value);
    if (!object) return BadValue("the cookie's value is no JSON object");
    const auto found = object->find(options_.field);
    if (found == object->end()) {
      return BadValue(fmt::format("the cookie's value has no {}", options_.field));
    }
    if (!found->is_string() && !found->is_number_integer()) {
      return BadValue(
          fmt::format("the cookie's {} is neither text nor an integer", options_.field));
    }
    client.value = found->is_string() ? found->get<std::string>() : found->dump();
  }
  if (!CheckName("client_id", client.value).ok()) {
    return BadValue(
        fmt::format("the cookie has no client id: 1 to {} octets of UTF-8 without "
                    "control characters",
                    kNameBytesMax));
  }
  return client;
}

}  // namespace wsrouter
