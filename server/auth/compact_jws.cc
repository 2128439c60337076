#include "auth/compact_jws.h"

#include <optional>
#include <utility>

#include "auth/base64url.h"
#include "auth/key_set.h"
#include "auth/strict_json.h"
#include "auth/token_refusal.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

absl::Status Malformed(std::string_view what) { return RefuseToken(kTokenMalformed, what); }

std::optional<nlohmann::json> DecodeObject(std::string_view part) {
  const std::optional<std::string> text = DecodeBase64Url(part);
  return text ? ParseJsonObject(*text) : std::nullopt;
}

}  // namespace

absl::StatusOr<CompactJws> ParseCompactJws(std::string_view text) {
  if (text.size() > kTokenBytesMax) {
    return RefuseToken(kTokenTooLong, fmt::format("the token has {} octets, wanted at most {}",
                                                  text.size(), kTokenBytesMax));
  }
  const size_t first = text.find('.');
  const size_t last = text.rfind('.');
  if (first == last || text.find('.', first + 1) != last) {
    return Malformed("the token has not the three parts of a signed JWT");
  }
  const std::optional<nlohmann::json> header = DecodeObject(text.substr(0, first));
  if (!header) return Malformed("the token's header is no JSON object in base64url");
  const std::string* algorithm = FindString(*header, "alg");
  if (algorithm == nullptr) return Malformed("the token's header has no alg");
  if (header->contains("crit")) return Malformed("the token's header demands an extension (crit)");
  const std::string* kid = FindString(*header, "kid");
  if (header->contains("kid") &&
      (kid == nullptr || kid->empty() || kid->size() > KeySet::kNameBytesMax)) {
    return Malformed(
        fmt::format("the token's kid is no text of 1 to {} octets", KeySet::kNameBytesMax));
  }
  std::optional<nlohmann::json> claims = DecodeObject(text.substr(first + 1, last - first - 1));
  if (!claims) return Malformed("the token's claims are no JSON object in base64url");
  std::optional<std::string> signature = DecodeBase64Url(text.substr(last + 1));
  if (!signature) return Malformed("the token's signature is not in base64url");
  return CompactJws{.algorithm = *algorithm,
                    .kid = kid == nullptr ? "" : *kid,
                    .claims = *std::move(claims),
                    .signature = *std::move(signature),
                    .signed_part = text.substr(0, last)};
}

}  // namespace wsrouter
