#include "engine/redis_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

absl::Status TlsError(std::string_view what) {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code != 0) ERR_error_string_n(code, text.data(), text.size());
  return absl::UnavailableError(
      fmt::format("tls: {}{}{}", what, code == 0 ? "" : ": ", text.data()));
}

absl::StatusOr<Context> MakeContext(const RedisTlsOptions& options) {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return TlsError("no context");
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const bool trusted = options.ca_file.empty()
                           ? SSL_CTX_set_default_verify_paths(raw) == 1
                           : SSL_CTX_load_verify_file(raw, options.ca_file.c_str()) == 1;
  if (!trusted) return TlsError(fmt::format("cannot use the authorities in {}", options.ca_file));
  if (options.cert_file.empty()) return context;
  if (SSL_CTX_use_certificate_chain_file(raw, options.cert_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(raw, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(raw) != 1) {
    return TlsError(
        fmt::format("cannot use certificate {} with key {}", options.cert_file, options.key_file));
  }
  return context;
}

bool IsIpAddress(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address;
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

// Whose certificate is wanted: RFC 6125 for names, RFC 5280 section 4.2.1.6 for addresses.
bool Expect(SSL* ssl, const std::string& host) {
  if (IsIpAddress(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

}  // namespace

void RedisTls::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

absl::StatusOr<RedisTls> RedisTls::Make(const RedisTlsOptions& options, const std::string& host,
                                        int socket) {
  ERR_clear_error();
  absl::StatusOr<Context> context = MakeContext(options);
  if (!context.ok()) return context.status();
  RedisTls tls(SSL_new(context->get()));
  if (tls.ssl_ == nullptr || SSL_set_fd(tls.ssl_.get(), socket) != 1 ||
      !Expect(tls.ssl_.get(), options.server_name.empty() ? host : options.server_name)) {
    return TlsError("cannot begin");
  }
  SSL_set_connect_state(tls.ssl_.get());
  return tls;
}

ssize_t RedisTls::Read(std::span<char> octets) {
  ERR_clear_error();
  const int result = SSL_read(ssl_.get(), octets.data(), static_cast<int>(octets.size()));
  return result > 0 ? result : Failed(result);
}

ssize_t RedisTls::Write(std::string_view octets) {
  ERR_clear_error();
  const size_t most = 1 << 20;
  const int result =
      SSL_write(ssl_.get(), octets.data(), static_cast<int>(std::min(octets.size(), most)));
  return result > 0 ? result : Failed(result);
}

bool RedisTls::wants_write() const { return SSL_want_write(ssl_.get()); }
bool RedisTls::pending() const { return SSL_pending(ssl_.get()) > 0; }

ssize_t RedisTls::Failed(int result) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      if (ERR_peek_error() == 0 && result == 0) return 0;
      if (ERR_peek_error() == 0) {
        error_ = absl::UnavailableError(std::generic_category().message(system_error));
        break;
      }
      [[fallthrough]];
    default: {
      const long verified = SSL_get_verify_result(ssl_.get());
      error_ = verified == X509_V_OK
                   ? TlsError("the connection failed")
                   : TlsError(fmt::format("the server's certificate: {}",
                                          X509_verify_cert_error_string(verified)));
    }
  }
  errno = EPROTO;
  return -1;
}

}  // namespace wsrouter
