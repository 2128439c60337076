#ifndef WSROUTER_AUTH_KEY_SET_H_
#define WSROUTER_AUTH_KEY_SET_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "auth/verification_key.h"

namespace wsrouter {

// The keys of one issuer, each with its name (`kid`) or without one; a few keys may share a name.
// Read by any thread once it is filled.
class KeySet {
 public:
  static constexpr size_t kKeysMax = 64;
  static constexpr size_t kJwksBytesMax = size_t{256} << 10;
  static constexpr size_t kTriedMax = 8;  // keys that one token may cost
  static constexpr size_t kNameBytesMax = 255;

  // A JWK Set (RFC 7517 section 5), or a single JWK. Keys that are for something else than
  // verifying by one of `algorithms`, or that we cannot use, are left out, as that section has it;
  // it is an error if none is left. What a server sends that anybody can ask must not be read with
  // HS256 among the algorithms.
  static absl::StatusOr<KeySet> ParseJwks(std::string_view text,
                                          const std::vector<Algorithm>& algorithms);

  // `name` is empty where the key has none.
  absl::Status Add(std::string name, VerificationKey key);
  absl::Status AddAll(const KeySet& other);

  // Whether a key has the name, whatever its algorithm.
  bool Has(std::string_view name) const;
  // The keys of that name, or without any if none has it, that are for the algorithm. An empty name
  // stands for all keys of the algorithm. At most kTriedMax, in the order in which they were added;
  // good as long as the set is.
  std::vector<const VerificationKey*> Find(Algorithm algorithm, std::string_view name) const;

  size_t size() const { return keys_.size(); }

 private:
  struct NamedKey {
    std::string name;
    VerificationKey key;
  };
  std::vector<NamedKey> keys_;
};

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_KEY_SET_H_
