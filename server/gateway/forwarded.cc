#include "gateway/forwarded.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr unsigned kBits = 128;
constexpr unsigned kMappedBits = 96;

std::optional<std::array<uint8_t, 16>> ParseAddress(std::string_view text) {
  const std::string address(text);
  std::array<uint8_t, 16> octets{};
  if (inet_pton(AF_INET6, address.c_str(), octets.data()) == 1) return octets;
  if (inet_pton(AF_INET, address.c_str(), octets.data() + 12) != 1) return std::nullopt;
  octets[10] = octets[11] = 0xFF;
  return octets;
}

// "203.0.113.7:4711", "[2001:db8::7]:4711", and both without a port.
std::string_view HostOf(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    return end == std::string_view::npos ? std::string_view() : text.substr(1, end - 1);
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
    return text;
  }
  return text.substr(0, colon);
}

bool SameBits(const std::array<uint8_t, 16>& left, const std::array<uint8_t, 16>& right,
              unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(left.begin(), left.begin() + whole, right.begin())) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((left[whole] ^ right[whole]) >> (8 - rest)) == 0;
}

std::string_view TakeLast(std::string_view& list) {
  const size_t comma = list.rfind(',');
  std::string_view last = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
  last.remove_prefix(std::min(last.find_first_not_of(" \t"), last.size()));
  last.remove_suffix(last.size() - (last.find_last_not_of(" \t") + 1));
  return last;
}

}  // namespace

absl::StatusOr<TrustedProxies> TrustedProxies::Parse(const std::vector<std::string>& networks) {
  TrustedProxies proxies;
  for (const std::string& text : networks) {
    const size_t slash = text.find('/');
    const auto address = ParseAddress(std::string_view(text).substr(0, slash));
    const bool v4 = text.find(':') == std::string::npos;
    const unsigned most = v4 ? kBits - kMappedBits : kBits;
    unsigned bits = most;
    if (slash != std::string::npos) {
      const char* end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
      if (error != std::errc() || stop != end) bits = most + 1;
    }
    if (!address.has_value() || bits > most) {
      return absl::InvalidArgumentError(
          fmt::format("{} is no network, want 10.0.0.0/8 or 2001:db8::/32", text));
    }
    proxies.networks_.push_back({*address, v4 ? bits + kMappedBits : bits});
  }
  return proxies;
}

bool TrustedProxies::Trusts(std::string_view address) const {
  const auto octets = ParseAddress(address);
  return octets.has_value() &&
         std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
           return SameBits(network.address, *octets, network.bits);
         });
}

std::string ForwardedFor(const RequestHead& head, std::string_view peer,
                         const TrustedProxies& proxies) {
  if (proxies.empty() || !proxies.Trusts(HostOf(peer))) return {};
  std::string_view client;
  const std::vector<std::string_view> values = head.Values("x-forwarded-for");
  for (auto value = values.rbegin(); value != values.rend(); ++value) {
    std::string_view left = *value;
    while (!left.empty()) {
      const std::string_view host = HostOf(TakeLast(left));
      if (!ParseAddress(host).has_value()) return std::string(client);
      client = host;
      if (!proxies.Trusts(host)) return std::string(client);
    }
  }
  return std::string(client);
}

}  // namespace wsrouter
