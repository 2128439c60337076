#include "gateway/connect_info.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "core/client_protocol.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr std::string_view kWhiteSpace = " \t";

std::string_view Trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kWhiteSpace), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(kWhiteSpace) + 1));
  return text;
}

// Calls take(piece) for each trimmed piece of `text` between separators.
template <typename Take>
void Split(std::string_view text, char separator, Take take) {
  while (true) {
    const size_t end = text.find(separator);
    take(Trim(text.substr(0, end)));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

std::map<std::string, std::string> ShownHeaders(const RequestHead& head,
                                                const std::vector<std::string>& names) {
  std::map<std::string, std::string> shown;
  for (const std::string& name : names) {
    const std::vector<std::string_view> values = head.Values(name);
    if (values.empty()) continue;
    shown[name] = fmt::format("{}", fmt::join(values, ", "));
  }
  return shown;
}

// Calls take(name, value) for each cookie, in their order.
template <typename Take>
void ForEachCookie(const RequestHead& head, Take take) {
  for (const std::string_view header : head.Values("cookie")) {
    Split(header, ';', [&](std::string_view pair) {
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos) return;
      take(Trim(pair.substr(0, equals)), Trim(pair.substr(equals + 1)));
    });
  }
}

std::map<std::string, std::string> ShownCookies(const RequestHead& head,
                                                const std::vector<std::string>& names) {
  std::map<std::string, std::string> shown;
  if (names.empty()) return shown;
  ForEachCookie(head, [&](std::string_view name, std::string_view value) {
    if (std::ranges::find(names, name) != names.end()) shown.emplace(name, value);
  });
  return shown;
}

}  // namespace

Handshake MakeHandshake(const RequestHead& head, ConnectFacts facts) {
  Handshake handshake = {.path = head.path,
                         .query = head.query,
                         .peer = std::move(facts.peer),
                         .subprotocol = std::move(facts.subprotocol),
                         .offered_subprotocols = {},
                         .headers = ShownHeaders(head, facts.headers),
                         .cookies = ShownCookies(head, facts.cookies),
                         .tls = facts.tls};
  handshake.speaks = facts.client_protocol && handshake.subprotocol == kClientProtocol;
  for (const std::string_view offered : head.Values("sec-websocket-protocol")) {
    Split(offered, ',',
          [&](std::string_view name) { handshake.offered_subprotocols.emplace_back(name); });
  }
  return handshake;
}

std::string CookieOf(const RequestHead& head, std::string_view name) {
  std::optional<std::string> found;
  ForEachCookie(head, [&](std::string_view other, std::string_view value) {
    if (!found.has_value() && other == name) found = value;
  });
  return found.value_or("");
}

bool WantsPage(const RequestHead& head) {
  return head.path == "/" && (head.method == "GET" || head.method == "HEAD") &&
         head.Values("upgrade").empty();
}

std::string PageResponse(const RequestHead& head, std::string_view page) {
  std::string response = fmt::format(
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: text/html; charset=utf-8\r\n"
      "Content-Length: {}\r\n"
      "Cache-Control: no-cache\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Connection: close\r\n\r\n",
      page.size());
  if (head.method == "GET") response.append(page);
  return response;
}

}  // namespace wsrouter
