#ifndef WSROUTER_AUTH_SESSION_COOKIE_H_
#define WSROUTER_AUTH_SESSION_COOKIE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/ids.h"

namespace wsrouter {

// How a framework writes the HMAC-SHA-256 of a cookie's value behind the value.
enum class CookieForm : uint8_t {
  kBase64Url,  // value.signature without padding, as itsdangerous does with key derivation `none`
  kHex,        // value.signature in hexadecimal
  kExpress,    // s:value.signature in base64 without padding, all of it percent-encoded
};

struct SessionCookieOptions {
  CookieForm form = CookieForm::kBase64Url;
  std::vector<std::string> secrets;  // each is accepted, so that they can be rotated
  // Empty: the value is the client id. Otherwise the value is a JSON object, or base64url of one
  // (kExpress: may begin with `j:`), and this member of it, text or an integer, is the client id.
  std::string field;
};

// Reads the cookies that a web framework signed, so that its sessions need no backend here. Such a
// cookie has no time, no audience and no end of its own: it is good as long as its secret is.
// Immutable; any thread.
class SessionCookie {
 public:
  static constexpr size_t kSecretBytesMin = 16;
  static constexpr size_t kSecretsMax = 8;

  static absl::StatusOr<SessionCookie> Create(SessionCookieOptions options);

  // `cookie` is the value as the request has it. Refused as TOKEN_TOO_LONG, TOKEN_MALFORMED,
  // TOKEN_BAD_SIGNATURE or TOKEN_CLAIMS (auth/token_refusal.h); nothing of the value is read before
  // its signature is proved.
  absl::StatusOr<ClientId> Verify(std::string_view cookie) const;

 private:
  explicit SessionCookie(SessionCookieOptions options) : options_(std::move(options)) {}
  absl::StatusOr<std::string> Value(std::string_view cookie) const;
  absl::StatusOr<ClientId> ClientOf(std::string_view value) const;

  SessionCookieOptions options_;
};

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_SESSION_COOKIE_H_
