#ifndef WSROUTER_CONTROL_TOKEN_FILE_H_
#define WSROUTER_CONTROL_TOKEN_FILE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "control/role.h"

namespace wsrouter {

// The tokens of callers, as digests: the tokens themselves are not kept. Any thread.
class TokenTable {
 public:
  static constexpr size_t kTokenBytesMin = 32;
  static constexpr size_t kTokensMax = 1000;

  // A file of lines "<name> <role> <token>[ <expiry>]", the expiry as RFC 3339 writes it; empty
  // lines and those that begin with '#' do not count. One name may have several tokens. Refused as
  // a whole; the message says the line and nothing of what is in it. A file without a token is
  // taken for one that is being written, and refused.
  static absl::StatusOr<TokenTable> Parse(std::string_view text);

  // The role of a token that has not expired. Takes the same time for all tokens of a length,
  // whatever they have in common with those of the table.
  std::optional<Role> RoleOf(std::string_view token, absl::Time now) const {
    const Entry* entry = Find(token, now);
    return entry == nullptr ? std::nullopt : std::optional(entry->role);
  }
  // Whose it is; empty where RoleOf is absent.
  std::string_view NameOf(std::string_view token, absl::Time now) const {
    const Entry* entry = Find(token, now);
    return entry == nullptr ? std::string_view() : std::string_view(entry->name);
  }

  size_t size() const { return entries_.size(); }

 private:
  using Digest = std::array<uint8_t, 32>;  // SHA-256
  struct Entry {
    Digest digest;
    Role role;
    absl::Time expires_at;
    std::string name;
  };

  static Digest DigestOf(std::string_view token);
  absl::Status Add(std::string_view line);
  const Entry* Find(std::string_view token, absl::Time now) const;

  std::vector<Entry> entries_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_TOKEN_FILE_H_
