#ifndef WSROUTER_GATEWAY_CONNECT_INFO_H_
#define WSROUTER_GATEWAY_CONNECT_INFO_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "gateway/request_head.h"

namespace wsrouter {

// What an upgraded connection is known by besides its request.
struct ConnectFacts {
  std::string peer;
  std::string subprotocol;
  bool tls = false;
  bool client_protocol = false;             // the node speaks wsrouter.v1.json
  const std::vector<std::string>& headers;  // lower case: the names that may be shown
  const std::vector<std::string>& cookies;  // likewise, as they are
};

// What services are told of a request. Of headers and cookies only what is on the lists; a header
// that came several times is joined by ", " (RFC 9110 section 5.3), of cookies with one name the
// first counts (RFC 6265 section 5.4 sends the most specific first).
Handshake MakeHandshake(const RequestHead& head, ConnectFacts facts);

// The value of the first cookie of that name; empty where there is none.
std::string CookieOf(const RequestHead& head, std::string_view name);

// Whether a browser asks for the page at `/`, and the answer to it.
bool WantsPage(const RequestHead& head);
std::string PageResponse(const RequestHead& head, std::string_view page);

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_CONNECT_INFO_H_
