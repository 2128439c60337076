#include "control/token_file.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

absl::Status Bad(std::string_view what) { return absl::InvalidArgumentError(AbslView(what)); }

// The date of an expiry has a time and a zone; without them a token would end at an hour that
// depends on who reads the file.
std::optional<absl::Time> ParseExpiry(std::string_view text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, AbslView(text), &time, &error)) return std::nullopt;
  return time;
}

}  // namespace

TokenTable::Digest TokenTable::DigestOf(std::string_view token) {
  Digest digest;
  unsigned size = 0;
  // It fails for want of memory or of OpenSSL's own algorithms only. A node that cannot check must
  // not go on.
  if (EVP_Digest(token.data(), token.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 ||
      size != digest.size()) {
    std::abort();
  }
  return digest;
}

absl::StatusOr<TokenTable> TokenTable::Parse(std::string_view text) {
  TokenTable table;
  int number = 0;
  for (const absl::string_view split : absl::StrSplit(AbslView(text), '\n')) {
    ++number;
    const std::string_view line = StdView(absl::StripAsciiWhitespace(split));
    if (line.empty() || line.front() == '#') continue;
    const absl::Status added = table.Add(line);
    if (!added.ok()) {
      return Bad(fmt::format("line {}: {}", number, StdView(added.message())));
    }
  }
  if (table.entries_.empty()) return Bad("has no token");
  return table;
}

absl::Status TokenTable::Add(std::string_view line) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(AbslView(line), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != 3 && words.size() != 4) {
    return Bad("wanted <name> <role> <token> and maybe <expiry>");
  }
  const std::optional<Role> role = ParseRole(StdView(words[1]));
  if (!role) return Bad("the second word is no role, wanted read, publish or admin");
  if (words[2].size() < kTokenBytesMin) {
    return Bad(fmt::format("the token is shorter than {} octets", kTokenBytesMin));
  }
  absl::Time expires_at = absl::InfiniteFuture();
  if (words.size() == 4) {
    const std::optional<absl::Time> expiry = ParseExpiry(StdView(words[3]));
    if (!expiry) return Bad("the fourth word is no time such as 2030-01-31T12:00:00Z");
    expires_at = *expiry;
  }
  const Digest digest = DigestOf(StdView(words[2]));
  const auto same = [&](const Entry& entry) { return entry.digest == digest; };
  if (std::any_of(entries_.begin(), entries_.end(), same)) {
    return Bad("the token stands in another line as well");
  }
  if (entries_.size() == kTokensMax) return Bad(fmt::format("more than {} tokens", kTokensMax));
  entries_.push_back({.digest = digest,
                      .role = *role,
                      .expires_at = expires_at,
                      .name = std::string(StdView(words[0]))});
  return absl::OkStatus();
}

const TokenTable::Entry* TokenTable::Find(std::string_view token, absl::Time now) const {
  const Digest digest = DigestOf(token);
  const Entry* found = nullptr;
  // All are compared, and each to its end.
  for (const Entry& entry : entries_) {
    const bool same = CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0;
    found = same ? &entry : found;
  }
  return found == nullptr || now >= found->expires_at ? nullptr : found;
}

}  // namespace wsrouter
