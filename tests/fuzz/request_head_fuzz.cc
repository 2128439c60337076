// A request head, cut anywhere, must end as it ends whole, within its limits; a complete one must
// get a well-formed answer to its wish to upgrade.
//
// Input: the length of the first piece (1 octet), the length of the others (1 octet), the wire.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/request_head.h"
#include "gateway/upgrade.h"
#include "tests/support/request_heads.h"

namespace wsrouter {
namespace {

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "violated: " << what << '\n';
  std::abort();
}

const UpgradePolicy& Policy() {
  static const UpgradePolicy policy = {.paths = {"/ws", "/"},
                                       .prefixes = {"/chat"},
                                       .echo_path = "/echo",
                                       .allowed_origins = {"https://app.example", "null"},
                                       .subprotocols = {"wsrouter.v2", "wsrouter.v1"}};
  return policy;
}

void CheckHead(const RequestHead& head) {
  Require(!head.method.empty() && !head.target.empty() && !head.host.empty(), "fields are there");
  Require(head.path.starts_with('/'), "a path begins with a slash");
  Require(head.path.find('?') == std::string::npos, "a path has no query");
  Require(head.headers.size() <= kRequestHeadersMax, "headers are within their limit");
  for (const RequestHeader& header : head.headers) {
    Require(!header.name.empty(), "a header has a name");
    for (const char octet : header.value) {
      Require(octet == '\t' || (octet >= 0x20 && octet != 0x7F) || octet < 0,
              "a value has no control character");
    }
  }
}

void CheckResponse(const std::string& response) {
  const size_t end = response.find("\r\n\r\n");
  Require(response.starts_with("HTTP/1.1 ") && end != std::string::npos, "a response has a head");
  for (size_t i = 0; i < end; ++i) {
    Require((response[i] == '\r') == (response[i + 1] == '\n'), "lines end by CR LF");
    Require(response[i] != '\r' || response[i + 2] != '\r', "no line is empty");
  }
}

void CheckUpgrade(const RequestHead& head) {
  const UpgradeDecision decision = DecideUpgrade(head, Policy());
  if (const auto* refused = std::get_if<UpgradeRefused>(&decision)) {
    Require(refused->status >= 400 && refused->status < 600, "a refusal has the status of one");
    return CheckResponse(refused->response);
  }
  const auto& accepted = std::get<UpgradeAccepted>(decision);
  CheckResponse(accepted.response);
  Require(accepted.response.starts_with("HTTP/1.1 101 "), "an upgrade switches protocols");
  Require(accepted.response.ends_with("\r\n\r\n"), "an upgrade has no body");
  Require(accepted.accept_key.size() == 28, "an accept key is base64 of 20 octets");
  Require(head.method == "GET" && head.Values("sec-websocket-key").size() == 1,
          "an upgrade was asked for by the rules");
}

}  // namespace
}  // namespace wsrouter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wsrouter;
  std::string_view wire(reinterpret_cast<const char*>(data), size);
  if (wire.size() < 2) return 0;
  const size_t first = static_cast<uint8_t>(wire[0]);
  const size_t others = static_cast<uint8_t>(wire[1]) + size_t{1};
  wire.remove_prefix(2);

  const ParsedHead whole = ParseInPieces(wire, wire.size(), wire.size());
  Require(ParseInPieces(wire, first, others) == whole, "cuts do not matter");
  Require(ParseInPieces(wire, 1, 1) == whole, "octet by octet is the same");
  Require(whole.taken <= kRequestHeadBytesMax, "a head is within its limit");
  if (whole.state == RequestHeadParser::State::kNeedMore) {
    Require(whole.taken == wire.size(), "who needs more has taken all");
  }
  RequestHeadParser parser;
  if (parser.Feed(wire) != RequestHeadParser::State::kComplete) return 0;
  CheckHead(parser.head());
  CheckUpgrade(parser.head());
  return 0;
}
