#include "auth/key_set.h"

#include <algorithm>
#include <utility>

#include "auth/strict_json.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

absl::Status Bad(std::string_view what) { return absl::InvalidArgumentError(AbslView(what)); }

absl::StatusOr<VerificationKey> KeyFor(const std::vector<Algorithm>& algorithms,
                                       const nlohmann::json& jwk) {
  absl::StatusOr<VerificationKey> key = VerificationKey::FromJwk(jwk);
  if (key.ok() && std::ranges::find(algorithms, key->algorithm()) == algorithms.end()) {
    return Bad(
        fmt::format("the JWK is for {}, which is not wanted", AlgorithmName(key->algorithm())));
  }
  return key;
}

}  // namespace

absl::StatusOr<KeySet> KeySet::ParseJwks(std::string_view text,
                                         const std::vector<Algorithm>& algorithms) {
  if (text.size() > kJwksBytesMax) {
    return Bad(fmt::format("{} octets, wanted at most {}", text.size(), kJwksBytesMax));
  }
  const std::optional<nlohmann::json> parsed = ParseJsonObject(text);
  if (!parsed) return Bad("wanted a JWK Set: a JSON object with no name twice");
  const bool single = parsed->contains("kty") && !parsed->contains("keys");
  const nlohmann::json jwks =
      single ? nlohmann::json::array({*parsed}) : parsed->value("keys", nlohmann::json());
  if (!jwks.is_array()) return Bad("wanted a JWK Set with an array of keys");
  if (jwks.size() > kKeysMax) {
    return Bad(fmt::format("{} keys, wanted at most {}", jwks.size(), kKeysMax));
  }
  KeySet set;
  absl::Status first_left_out = Bad("the array is empty");
  for (size_t i = 0; i < jwks.size(); ++i) {
    absl::StatusOr<VerificationKey> key = KeyFor(algorithms, jwks[i]);
    absl::Status added = key.status();
    if (key.ok()) {
      const std::string* name = FindString(jwks[i], "kid");
      added = jwks[i].contains("kid") && name == nullptr
                  ? Bad("wanted a kid that is text")
                  : set.Add(name == nullptr ? "" : *name, *std::move(key));
    }
    if (!added.ok() && i == 0) first_left_out = added;
  }
  if (set.size() > 0) return set;
  return Bad(fmt::format("no key can be used; the first: {}", StdView(first_left_out.message())));
}

absl::Status KeySet::Add(std::string name, VerificationKey key) {
  if (name.size() > kNameBytesMax) {
    return Bad(fmt::format("a kid of {} octets, wanted at most {}", name.size(), kNameBytesMax));
  }
  if (keys_.size() == kKeysMax) return Bad(fmt::format("wanted at most {} keys", kKeysMax));
  keys_.push_back({std::move(name), std::move(key)});
  return absl::OkStatus();
}

absl::Status KeySet::AddAll(const KeySet& other) {
  for (const NamedKey& named : other.keys_) {
    if (absl::Status added = Add(named.name, named.key); !added.ok()) return added;
  }
  return absl::OkStatus();
}

bool KeySet::Has(std::string_view name) const {
  return std::ranges::find(keys_, name, &NamedKey::name) != keys_.end();
}

std::vector<const VerificationKey*> KeySet::Find(Algorithm algorithm, std::string_view name) const {
  const std::string_view wanted = Has(name) ? name : "";
  std::vector<const VerificationKey*> found;
  for (const NamedKey& named : keys_) {
    if (named.key.algorithm() != algorithm || (!name.empty() && named.name != wanted)) continue;
    found.push_back(&named.key);
    if (found.size() == kTriedMax) break;
  }
  return found;
}

}  // namespace wsrouter
