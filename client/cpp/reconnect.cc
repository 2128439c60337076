#include "wsrouter/reconnect.h"

#include "wsrouter/v1/events.pb.h"

namespace wsrouter::client {

Reconnect AfterCloseCode(uint16_t code) {
  switch (code) {
    case v1::CLOSE_CODE_NORMAL:
    case v1::CLOSE_CODE_PROTOCOL_ERROR:
    case v1::CLOSE_CODE_UNSUPPORTED:
    case v1::CLOSE_CODE_BAD_UTF8:
    case v1::CLOSE_CODE_POLICY:
    case v1::CLOSE_CODE_NOT_AUTHENTICATED:
    case v1::CLOSE_CODE_BAD_CREDENTIALS:
    case v1::CLOSE_CODE_FORBIDDEN:
    case v1::CLOSE_CODE_SUPERSEDED:
    case v1::CLOSE_CODE_DISCONNECTED:
      return Reconnect::kNever;
    case v1::CLOSE_CODE_TOO_BIG:
    case v1::CLOSE_CODE_SERVICE_RESTART:
    case v1::CLOSE_CODE_IDLE:
      return Reconnect::kAtOnce;
    default:
      return Reconnect::kAfterBackoff;
  }
}

Reconnect AfterHttpStatus(int status) {
  constexpr int kRequestTimeout = 408;
  constexpr int kTooEarly = 425;
  constexpr int kTooManyRequests = 429;
  if (status == kRequestTimeout || status == kTooEarly || status == kTooManyRequests) {
    return Reconnect::kAfterBackoff;
  }
  return status >= 300 && status < 500 ? Reconnect::kNever : Reconnect::kAfterBackoff;
}

}  // namespace wsrouter::client
