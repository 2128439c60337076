#include "gateway/http_token.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"

namespace wsrouter {
namespace {

constexpr std::array<bool, 256> kTokenOctets = [] {
  std::array<bool, 256> octets{};
  for (unsigned char c = '0'; c <= '9'; ++c) octets[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) octets[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) octets[c] = true;
  for (unsigned char c : std::string_view("!#$%&'*+-.^_`|~")) octets[c] = true;
  return octets;
}();

}  // namespace

bool IsTokenOctet(unsigned char octet) { return kTokenOctets[octet]; }

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenOctet);
}

bool EqualsIgnoringCase(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return absl::ascii_tolower(a) == absl::ascii_tolower(b);
  });
}

std::string_view TrimOws(std::string_view text) {
  constexpr std::string_view kOws = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kOws), text.size()));
  return text.substr(0, text.find_last_not_of(kOws) + 1);
}

std::vector<std::string_view> SplitList(std::string_view text) {
  std::vector<std::string_view> elements;
  size_t comma;
  while ((comma = text.find(',')) != std::string_view::npos) {
    elements.push_back(TrimOws(text.substr(0, comma)));
    text.remove_prefix(comma + 1);
  }
  elements.push_back(TrimOws(text));
  return elements;
}

}  // namespace wsrouter
