#ifndef WSROUTER_GATEWAY_UPGRADE_H_
#define WSROUTER_GATEWAY_UPGRADE_H_

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/request_head.h"

namespace wsrouter {

struct UpgradePolicy {
  std::vector<std::string> paths;
  std::vector<std::string> prefixes;  // paths that are one of these, or below it
  std::string echo_path;              // empty: there is none
  // Compared octet by octet with Origin; "*" or an empty list lets any origin in. A request without
  // Origin does not come from a browser and is let in: it could have sent any (RFC 6455 section
  // 10.2).
  std::vector<std::string> allowed_origins;
  std::vector<std::string> subprotocols;  // the most wanted first
};

// The 101 to a request.
std::string SwitchingProtocols(std::string_view accept_key, std::string_view subprotocol);

struct UpgradeAccepted {
  bool echo = false;        // the path was `echo_path`
  std::string subprotocol;  // empty: none was selected, and the answer names none
  std::string accept_key;
  std::string response;  // the whole 101
};

struct UpgradeRefused {
  int status = 0;
  std::string_view reason;  // outlives everything
  std::string response;     // the whole answer; the connection must be closed behind it
};

using UpgradeDecision = std::variant<UpgradeAccepted, UpgradeRefused>;

// RFC 6455 section 4.2. Sec-WebSocket-Extensions is not looked at, since none is granted.
UpgradeDecision DecideUpgrade(const RequestHead& head, const UpgradePolicy& policy);

// A refusal with any status: 400, 401, 403, 404, 405, 408, 426, 429, 431, 500, 501, 503, 505.
// `reason` is the body; it must be a literal, hence nothing that the client sent. `retry_after` is
// told when it is positive.
UpgradeRefused RefuseUpgrade(int status, std::string_view reason,
                             std::chrono::seconds retry_after = std::chrono::seconds(0));

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_UPGRADE_H_
