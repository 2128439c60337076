#include "auth/issuer_line.h"

#include <vector>

namespace wsrouter {
namespace {

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return words;
    words.push_back(text.substr(0, text.find(' ')));
    text.remove_prefix(words.back().size());
  }
}

// RFC 8725 section 3.10 and common sense: whoever can change the keys on their way signs tokens.
bool MayFetch(std::string_view url) {
  if (url.starts_with("https://")) return url.size() > 8;
  for (const std::string_view local : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (!url.starts_with(local)) continue;
    url.remove_prefix(local.size());
    return url.starts_with(':') || url.starts_with('/');
  }
  return false;
}

}  // namespace

absl::StatusOr<IssuerLine> ParseIssuerLine(std::string_view text) {
  const std::vector<std::string_view> words = Words(text);
  if (words.size() != 3 && words.size() != 4) {
    return absl::InvalidArgumentError("wanted <issuer> <algorithm> <keys>[ <prefix>]");
  }
  const auto algorithm = ParseAlgorithm(words[1]);
  if (!algorithm.has_value()) {
    return absl::InvalidArgumentError("wanted HS256, RS256, ES256 or EdDSA behind the issuer");
  }
  IssuerLine line = {.issuer = std::string(words[0] == "-" ? "" : words[0]),
                     .algorithm = *algorithm,
                     .keys = std::string(words[2]),
                     .client_id_prefix = std::string(words.size() == 4 ? words[3] : "")};
  if (line.by_url() && !MayFetch(line.keys)) {
    return absl::InvalidArgumentError("keys come from a file or by https (http from this machine)");
  }
  if (line.by_url() && line.algorithm == Algorithm::kHs256) {
    return absl::InvalidArgumentError("secrets for HS256 come from a file, never by URL");
  }
  return line;
}

}  // namespace wsrouter
