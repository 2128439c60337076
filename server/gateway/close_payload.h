#ifndef WSROUTER_GATEWAY_CLOSE_PAYLOAD_H_
#define WSROUTER_GATEWAY_CLOSE_PAYLOAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wsrouter {

inline constexpr uint16_t kCloseCodeAbsent = 1005;  // stands for an empty payload, never sent
inline constexpr size_t kControlPayloadBytesMax = 125;

// Whether an endpoint may send this code (RFC 6455 section 7.4, and what IANA registered since).
bool IsSendableCloseCode(uint16_t code);

// The payload of a Close frame. `reason` is cut at a code point boundary to what a control frame
// holds, or where it stops being UTF-8. A code that must not be sent gives an empty payload, which
// is also the answer to a Close without a code.
std::string EncodeClosePayload(uint16_t code, std::string_view reason);

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_CLOSE_PAYLOAD_H_
