#ifndef WSROUTER_CLIENT_RECONNECT_H_
#define WSROUTER_CLIENT_RECONNECT_H_

#include <cstdint>

namespace wsrouter::client {

// What a client does after its connection ended.
enum class Reconnect {
  kNever,         // not by itself: something has to change first
  kAtOnce,        // the node asked for it, or it was this client's silence
  kAfterBackoff,  // everything that time may heal
};

// By the close code, as `CloseCode` in router.proto advises. Codes without a meaning there, and
// 1005 and 1006, are kAfterBackoff.
Reconnect AfterCloseCode(uint16_t code);

// By the status of an upgrade that was refused. Redirects are not followed.
Reconnect AfterHttpStatus(int status);

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_RECONNECT_H_
