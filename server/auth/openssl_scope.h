#ifndef WSROUTER_AUTH_OPENSSL_SCOPE_H_
#define WSROUTER_AUTH_OPENSSL_SCOPE_H_

#include <openssl/err.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace wsrouter {

// Takes out of the thread's queue of errors what was put there in its lifetime: SSL_get_error reads
// the same queue, and would blame a connection for a bad token.
class OpenSslScope {
 public:
  OpenSslScope() { ERR_set_mark(); }
  ~OpenSslScope() { ERR_pop_to_mark(); }
  OpenSslScope(const OpenSslScope&) = delete;
  OpenSslScope& operator=(const OpenSslScope&) = delete;
};

// Owns what one of OpenSSL's functions frees.
template <auto free>
struct OpenSslFree {
  template <typename Object>
  void operator()(Object* object) const {
    free(object);
  }
};
template <typename Object, auto free>
using OpenSslPtr = std::unique_ptr<Object, OpenSslFree<free>>;

inline const uint8_t* OpenSslBytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_OPENSSL_SCOPE_H_
