#include "auth/token_claims.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "auth/strict_json.h"
#include "auth/token_refusal.h"
#include "base/utf8.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

// The end of the year 9999. A date in milliseconds, a common mistake, is beyond.
constexpr double kSecondsMax = 253402300799;

absl::Status BadClaim(std::string_view name, std::string_view what) {
  return RefuseToken(kTokenClaims, fmt::format("the claim {} {}", name, what));
}

// RFC 7519 section 2, NumericDate: seconds, not always whole ones. Nothing where there is no claim.
absl::StatusOr<std::optional<absl::Time>> Date(const nlohmann::json& claims,
                                               std::string_view name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::optional<absl::Time>();
  const double seconds = found->is_number() ? found->get<double>() : -1;
  if (!(seconds >= 0 && seconds <= kSecondsMax)) {
    return BadClaim(name, "is no date in seconds since 1970");
  }
  return std::optional(absl::UnixEpoch() + absl::Seconds(seconds));
}

// The items of a claim that is an array of names; none where there is no claim.
absl::StatusOr<std::vector<std::string>> Names(const nlohmann::json& claims, std::string_view claim,
                                               size_t count_max) {
  const auto found = claims.find(claim);
  if (found == claims.end()) return std::vector<std::string>();
  std::optional<std::vector<std::string>> names = StringsOf(*found);
  if (!names) return BadClaim(claim, "is no array of text");
  if (names->size() > count_max) {
    return BadClaim(claim,
                    fmt::format("has {} entries, wanted at most {}", names->size(), count_max));
  }
  for (const std::string& name : *names) {
    if (!CheckName(claim, name).ok()) {
      return BadClaim(claim, "has an entry that is no name of a room");
    }
  }
  return *std::move(names);
}

absl::StatusOr<Labels> LabelsOf(const nlohmann::json& claims, std::string_view claim) {
  Labels labels;
  const auto found = claims.find(claim);
  if (found == claims.end()) return labels;
  if (!found->is_object()) return BadClaim(claim, "is no object");
  if (found->size() > kLabelsMax) {
    return BadClaim(claim,
                    fmt::format("has {} entries, wanted at most {}", found->size(), kLabelsMax));
  }
  for (const auto& [key, value] : found->items()) {
    const auto* text = value.get_ptr<const std::string*>();
    if (text == nullptr) return BadClaim(claim, "has an entry that is no text");
    if (key.empty() || key.size() + text->size() > kLabelBytesMax || !IsPlainText(key) ||
        !IsPlainText(*text)) {
      return BadClaim(claim, fmt::format("has an entry that is no label: a key and a value of at "
                                         "most {} octets together, without control characters",
                                         kLabelBytesMax));
    }
    labels.emplace(key, *text);
  }
  return labels;
}

absl::StatusOr<ClientId> ClientOf(const nlohmann::json& claims, std::string_view claim,
                                  std::string_view prefix) {
  const auto found = claims.find(claim);
  if (found == claims.end()) return BadClaim(claim, "is missing");
  std::string id;
  if (found->is_string()) {
    id = found->get_ref<const std::string&>();
  } else if (found->is_number_integer()) {
    id = found->dump();
  } else {
    return BadClaim(claim, "is neither text nor an integer");
  }
  if (id.empty()) return BadClaim(claim, "is empty");
  ClientId client = {.value = fmt::format("{}{}", prefix, id)};
  if (!CheckName(claim, client.value).ok()) {
    return BadClaim(claim, fmt::format("is no client id: at most {} octets of UTF-8 without "
                                       "control characters",
                                       kNameBytesMax));
  }
  return client;
}

}  // namespace

absl::StatusOr<absl::Time> CheckTimes(const nlohmann::json& claims, const TokenOptions& options,
                                      absl::Time now) {
  const auto expires = Date(claims, "exp");
  const auto begins = Date(claims, "nbf");
  const auto issued = Date(claims, "iat");
  for (const auto* date : {&expires, &begins, &issued}) {
    if (!date->ok()) return date->status();
  }
  if (options.require_expiry && !expires->has_value()) return BadClaim("exp", "is missing");
  const absl::Time end = expires->value_or(absl::InfiniteFuture()) + options.clock_slack;
  if (now >= end) return RefuseToken(kTokenExpired, "the token has expired");
  for (const auto& begin : {*begins, *issued}) {
    if (begin.has_value() && now < *begin - options.clock_slack) {
      return RefuseToken(kTokenNotYetValid, "the token is not valid yet");
    }
  }
  if (options.lifetime_max == absl::InfiniteDuration()) return end;
  if (!issued->has_value()) return BadClaim("iat", "is missing");
  if (expires->value_or(absl::InfiniteFuture()) - **issued > options.lifetime_max) {
    return BadClaim("exp", fmt::format("is more than {} s behind iat",
                                       absl::ToInt64Seconds(options.lifetime_max)));
  }
  return end;
}

absl::Status CheckAudience(const nlohmann::json& claims, const TokenIssuer& issuer) {
  const auto found = claims.find("aud");
  if (found == claims.end() && issuer.audiences.empty()) return absl::OkStatus();
  // RFC 7519 section 4.1.3: one, or an array.
  std::vector<std::string> named;
  if (const std::string* one = FindString(claims, "aud")) {
    named.push_back(*one);
  } else if (found != claims.end()) {
    named = StringsOf(*found).value_or(named);
  }
  for (const std::string& audience : issuer.audiences) {
    if (std::ranges::find(named, audience) != named.end()) return absl::OkStatus();
  }
  return RefuseToken(kTokenWrongAudience, "the token is not meant for this server (aud)");
}

absl::StatusOr<VerifiedToken> MapClaims(const nlohmann::json& claims, const TokenIssuer& issuer,
                                        const TokenOptions& options) {
  auto client = ClientOf(claims, options.claims.client_id, issuer.client_id_prefix);
  if (!client.ok()) return client.status();
  auto rooms = Names(claims, options.claims.rooms, options.rooms_max);
  if (!rooms.ok()) return rooms.status();
  auto labels = LabelsOf(claims, options.claims.labels);
  if (!labels.ok()) return labels.status();
  auto may_join = Names(claims, options.claims.may_join, TokenOptions::kPatternsMax);
  if (!may_join.ok()) return may_join.status();
  if (!claims.contains(options.claims.may_join)) may_join = options.may_join;
  VerifiedToken token = {.issuer = issuer.name,
                         .client_id = *std::move(client),
                         .labels = *std::move(labels),
                         .may_join = *std::move(may_join)};
  for (std::string& room : *rooms) token.rooms.push_back({.value = std::move(room)});
  return token;
}

}  // namespace wsrouter
