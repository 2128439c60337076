#include "base/listen_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <system_error>

#include "fmt/format.h"

namespace wsrouter {
namespace {

bool IsNumeric(int family, const std::string& host) {
  in6_addr address{};  // the larger one
  return inet_pton(family, host.c_str(), &address) == 1;
}

}  // namespace

std::string ListenAddress::ToString() const {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

bool ListenAddress::IsLoopback() const {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::optional<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  ListenAddress address{.host = std::string(text.substr(0, colon))};
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  std::string& host = address.host;
  if (host == "localhost") host = "127.0.0.1";
  if (IsNumeric(AF_INET, host)) return address;
  if (!host.starts_with('[') || !host.ends_with(']')) return std::nullopt;
  host = host.substr(1, host.size() - 2);
  return IsNumeric(AF_INET6, host) ? std::optional(address) : std::nullopt;
}

}  // namespace wsrouter
