#ifndef WSROUTER_GATEWAY_CREDENTIALS_H_
#define WSROUTER_GATEWAY_CREDENTIALS_H_

#include <string>

#include "core/event.h"
#include "gateway/request_head.h"

namespace wsrouter {

// Where a request may carry what proves who it comes from. Empty: not there.
struct CredentialPlaces {
  std::string token_query;           // the name of a parameter of the query
  bool token_authorization = false;  // `Authorization: Bearer ...` (RFC 6750 section 2.1)
  std::string token_cookie;          // the name of a cookie
  std::string token_subprotocol;     // what an offered subprotocol begins with: "bearer."
  std::string session_cookie;        // the name of a cookie that a web framework signed
};

struct Credentials {
  std::string token;  // the first that is found, in the order of CredentialPlaces
  std::string session;
  std::string client_session;  // the token of wsrouter.v1.json with which a client comes back
};

// Finds them, and takes out of `handshake` what is a secret: nobody who is shown it needs them. A
// subprotocol with a token in it is not offered any more.
Credentials TakeCredentials(const RequestHead& head, const CredentialPlaces& places,
                            Handshake& handshake);

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_CREDENTIALS_H_
