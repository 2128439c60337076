#include "auth/token_options.h"

#include <set>
#include <string_view>

#include "base/strings.h"
#include "core/ids.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

absl::Status Bad(std::string_view what) { return absl::InvalidArgumentError(AbslView(what)); }

}  // namespace

absl::Status CheckTokenOptions(const TokenOptions& options) {
  if (options.issuers.empty() || options.issuers.size() > TokenOptions::kIssuersMax) {
    return Bad(fmt::format("{} issuers, wanted 1 to {}", options.issuers.size(),
                           TokenOptions::kIssuersMax));
  }
  std::set<std::string_view> names;
  for (const TokenIssuer& issuer : options.issuers) {
    if (!names.insert(issuer.name).second) {
      return Bad(fmt::format("the issuer \"{}\" is there twice", issuer.name));
    }
    if (issuer.algorithms.empty()) {
      return Bad(fmt::format("the issuer \"{}\" wants an algorithm", issuer.name));
    }
  }
  const ClaimNames& claims = options.claims;
  for (const std::string& claim :
       {claims.client_id, claims.rooms, claims.labels, claims.may_join}) {
    if (absl::Status name = CheckName("the name of a claim", claim); !name.ok()) return name;
  }
  if (options.may_join.size() > TokenOptions::kPatternsMax) {
    return Bad(fmt::format("{} patterns of rooms, wanted at most {}", options.may_join.size(),
                           TokenOptions::kPatternsMax));
  }
  for (const std::string& pattern : options.may_join) {
    if (absl::Status name = CheckName("a pattern of rooms", pattern); !name.ok()) return name;
  }
  if (options.clock_slack < absl::ZeroDuration() ||
      options.clock_slack > TokenOptions::kClockSlackMax) {
    return Bad(fmt::format("wanted a clock slack of 0 to {} s",
                           absl::ToInt64Seconds(TokenOptions::kClockSlackMax)));
  }
  if (options.lifetime_max <= absl::ZeroDuration()) return Bad("wanted a lifetime above zero");
  return absl::OkStatus();
}

}  // namespace wsrouter
