#include "gateway/upgrade.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/client_protocol.h"
#include "core/path.h"
#include "fmt/format.h"
#include "gateway/http_token.h"

namespace wsrouter {
namespace {

using Values = std::vector<std::string_view>;

constexpr std::string_view kKeySalt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr size_t kKeyBytes = 16;
constexpr size_t kEncodedKeyBytes = 24;

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Refused";
  }
}

// What a status obliges to tell: RFC 9110 sections 15.5.2, 15.5.6 and 7.8, RFC 6455 section 4.4.
std::string_view HeadersOf(int status) {
  switch (status) {
    case 401:
      return "Connection: close\r\nWWW-Authenticate: Bearer\r\n";
    case 405:
      return "Connection: close\r\nAllow: GET\r\n";
    case 426:
      return "Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    default:
      return "Connection: close\r\n";
  }
}

bool HasElement(const Values& values, std::string_view token) {
  for (std::string_view value : values) {
    for (std::string_view element : SplitList(value)) {
      if (EqualsIgnoringCase(element, token)) return true;
    }
  }
  return false;
}

bool Contains(const std::vector<std::string>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

std::string EncodeBase64(const unsigned char* octets, size_t size) {
  std::string encoded((size + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends its text with a NUL
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), octets, static_cast<int>(size));
  encoded.pop_back();
  return encoded;
}

// Base64 of 16 octets as RFC 4648 section 4 writes it, to the unused bits of its last digit.
bool IsCanonicalKey(std::string_view key) {
  if (key.size() != kEncodedKeyBytes) return false;
  std::array<unsigned char, kEncodedKeyBytes / 4 * 3> octets;
  if (EVP_DecodeBlock(octets.data(), reinterpret_cast<const unsigned char*>(key.data()),
                      static_cast<int>(key.size())) < 0) {
    return false;
  }
  return EncodeBase64(octets.data(), kKeyBytes) == key;
}

// RFC 6455 section 4.2.2. Empty if this OpenSSL has no SHA-1.
std::string AcceptKey(std::string_view key) {
  const std::string salted = fmt::format("{}{}", key, kKeySalt);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (EVP_Digest(salted.data(), salted.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    return {};
  }
  return EncodeBase64(digest.data(), size);
}

// The node has no use for a body, and none may be mistaken for frames (RFC 9112 section 6.3).
bool AnnouncesBody(const RequestHead& head) {
  const Values lengths = head.Values("content-length");
  return !head.Values("transfer-encoding").empty() ||
         std::any_of(lengths.begin(), lengths.end(), [](auto length) { return length != "0"; });
}

std::optional<UpgradeRefused> CheckWebSocketHeaders(const RequestHead& head) {
  if (!HasElement(head.Values("connection"), "upgrade") ||
      !HasElement(head.Values("upgrade"), "websocket")) {
    return RefuseUpgrade(426, "an upgrade to websocket is wanted here");
  }
  const Values versions = head.Values("sec-websocket-version");
  if (versions.size() > 1) return RefuseUpgrade(400, "more than one Sec-WebSocket-Version");
  if (versions.empty() || versions.front() != "13") {
    return RefuseUpgrade(426, "only version 13 of WebSocket is spoken here");
  }
  const Values keys = head.Values("sec-websocket-key");
  if (keys.size() != 1) return RefuseUpgrade(400, "exactly one Sec-WebSocket-Key is wanted");
  if (!IsCanonicalKey(keys.front())) {
    return RefuseUpgrade(400, "Sec-WebSocket-Key is not base64 of 16 octets");
  }
  return std::nullopt;
}

std::optional<UpgradeRefused> CheckOrigin(const RequestHead& head, const UpgradePolicy& policy) {
  const Values origins = head.Values("origin");
  if (origins.size() > 1) return RefuseUpgrade(400, "more than one Origin");
  const std::vector<std::string>& allowed = policy.allowed_origins;
  if (origins.empty() || allowed.empty() || Contains(allowed, "*") ||
      Contains(allowed, origins.front())) {
    return std::nullopt;
  }
  return RefuseUpgrade(403, "this Origin is not allowed");
}

// What the client offers, sorted; nothing if it is malformed (RFC 6455 section 4.1, item 10).
std::optional<Values> OfferedSubprotocols(const RequestHead& head) {
  Values offered;
  for (std::string_view value : head.Values("sec-websocket-protocol")) {
    for (std::string_view element : SplitList(value)) {
      if (!IsToken(element)) return std::nullopt;
      offered.push_back(element);
    }
  }
  std::sort(offered.begin(), offered.end());
  const bool repeats = std::adjacent_find(offered.begin(), offered.end()) != offered.end();
  return repeats ? std::nullopt : std::optional(std::move(offered));
}

bool IsEcho(const RequestHead& head, const UpgradePolicy& policy) {
  return !policy.echo_path.empty() && head.path == policy.echo_path;
}

UpgradeDecision Accept(const RequestHead& head, const UpgradePolicy& policy,
                       const Values& offered) {
  UpgradeAccepted accepted;
  accepted.echo = IsEcho(head, policy);
  accepted.accept_key = AcceptKey(head.Values("sec-websocket-key").front());
  if (accepted.accept_key.empty()) return RefuseUpgrade(500, "the answer cannot be computed");
  for (const std::string& preferred : policy.subprotocols) {
    if (!std::binary_search(offered.begin(), offered.end(), std::string_view(preferred))) continue;
    if (accepted.echo && preferred == kClientProtocol) continue;  // nobody speaks it there
    accepted.subprotocol = preferred;
    break;
  }
  accepted.response = SwitchingProtocols(accepted.accept_key, accepted.subprotocol);
  return accepted;
}

UpgradeDecision Decide(const RequestHead& head, const UpgradePolicy& policy) {
  const bool below = std::any_of(policy.prefixes.begin(), policy.prefixes.end(),
                                 [&](const auto& prefix) { return IsBelow(head.path, prefix); });
  if (!below && !Contains(policy.paths, head.path) && !IsEcho(head, policy)) {
    return RefuseUpgrade(404, "nothing is served at this path");
  }
  if (head.method != "GET") return RefuseUpgrade(405, "only GET opens a WebSocket");
  if (AnnouncesBody(head)) return RefuseUpgrade(400, "an upgrade has no body");
  if (auto refused = CheckWebSocketHeaders(head)) return *std::move(refused);
  if (auto refused = CheckOrigin(head, policy)) return *std::move(refused);
  const std::optional<Values> offered = OfferedSubprotocols(head);
  if (!offered) return RefuseUpgrade(400, "Sec-WebSocket-Protocol is malformed");
  return Accept(head, policy, *offered);
}

// RFC 9110 section 9.3.2: HEAD is answered by a head alone.
void DropBody(std::string& response) { response.resize(response.find("\r\n\r\n") + 4); }

}  // namespace

std::string SwitchingProtocols(std::string_view accept_key, std::string_view subprotocol) {
  return fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\n{}{}{}\r\n",
      accept_key, subprotocol.empty() ? "" : "Sec-WebSocket-Protocol: ", subprotocol,
      subprotocol.empty() ? "" : "\r\n");
}

UpgradeDecision DecideUpgrade(const RequestHead& head, const UpgradePolicy& policy) {
  UpgradeDecision decision = Decide(head, policy);
  auto* refused = std::get_if<UpgradeRefused>(&decision);
  if (refused != nullptr && head.method == "HEAD") DropBody(refused->response);
  return decision;
}

UpgradeRefused RefuseUpgrade(int status, std::string_view reason,
                             std::chrono::seconds retry_after) {
  std::string response =
      fmt::format("HTTP/1.1 {} {}\r\n{}", status, ReasonPhrase(status), HeadersOf(status));
  if (retry_after.count() > 0) {
    response += fmt::format("Retry-After: {}\r\n", retry_after.count());
  }
  response +=
      fmt::format("Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{}\n",
                  reason.size() + 1, reason);
  return {status, reason, std::move(response)};
}

}  // namespace wsrouter
