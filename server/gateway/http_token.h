#ifndef WSROUTER_GATEWAY_HTTP_TOKEN_H_
#define WSROUTER_GATEWAY_HTTP_TOKEN_H_

#include <string_view>
#include <vector>

namespace wsrouter {

// RFC 9110 section 5.6.2.
bool IsTokenOctet(unsigned char octet);
bool IsToken(std::string_view text);

bool EqualsIgnoringCase(std::string_view left, std::string_view right);

// Spaces and tabs at both ends are no part of a field value (RFC 9112 section 5.1).
std::string_view TrimOws(std::string_view text);

// The elements of a comma-separated list, trimmed; empty ones are kept, so that a caller may refuse
// them. There is always at least one.
std::vector<std::string_view> SplitList(std::string_view text);

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_HTTP_TOKEN_H_
