#ifndef WSROUTER_TESTS_SUPPORT_WIRE_H_
#define WSROUTER_TESTS_SUPPORT_WIRE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace wsrouter {

struct HttpAnswer {
  int status = 0;
  std::string head;  // to the empty line, inclusive
  std::string body;  // as Content-Length says

  // The value of the header, empty where there is none.
  std::string Header(std::string_view name) const;
};

// A WebSocket request to `target`; `headers` are more lines, each with its CR LF.
std::string UpgradeRequest(std::string_view target, std::string_view headers = "");

// A client frame, masked, in its shortest form. `first_octet` holds FIN, the reserved bits and the
// opcode.
std::string ClientFrameOf(uint8_t first_octet, std::string_view payload);
std::string ClientText(std::string_view payload);
std::string ClientBinary(std::string_view payload);
std::string ClientPing(std::string_view payload);
std::string ClientClose(uint16_t code, std::string_view reason = "");

// A server frame as a test compares it: "text hello", "binary ...", "ping p", "pong p",
// "close 1000 reason", "close" for one without a code, "bad ..." for what no server may send.
std::string DescribeFrame(uint8_t opcode, const std::string& payload);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_WIRE_H_
