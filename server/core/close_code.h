#ifndef WSROUTER_CORE_CLOSE_CODE_H_
#define WSROUTER_CORE_CLOSE_CODE_H_

#include <cstdint>

namespace wsrouter {

// The codes that the node itself closes with: RFC 6455 section 7.4.1, the IANA registry, and our
// own from 4000 on. Their advice to the client stands with CloseCode in router.proto.
enum class CloseCode : uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kInvalidPayload = 1007,
  kPolicy = 1008,
  kTooBig = 1009,
  kInternal = 1011,
  kServiceRestart = 1012,
  kTryAgainLater = 1013,
  kNotAuthenticated = 4001,
  kExpired = 4002,
  kForbidden = 4003,
  kCapacity = 4013,
  kSlowConsumer = 4014,
  kSuperseded = 4020,
  kDisconnected = 4021,
  kRateLimited = 4029,
  kIdle = 4040,
};

// Whether a service may ask the node to close with `code`: 1000, 1001, 1008, 1011 to 1013 and
// 3000 to 4999. The others are statements about the protocol that only the node can make.
constexpr bool MayCloseWith(uint32_t code) {
  return code == 1000 || code == 1001 || code == 1008 || (code >= 1011 && code <= 1013) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace wsrouter

#endif  // WSROUTER_CORE_CLOSE_CODE_H_
