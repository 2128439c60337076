#include "base/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <utility>

#include "base/small_file.h"
#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

template <auto free>
struct Free {
  template <typename Object>
  void operator()(Object* object) const {
    free(object);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;

absl::Status Bad(const std::string& file, std::string_view what) {
  return absl::InvalidArgumentError(AbslView(fmt::format("{} {}", file, what)));
}

Bio Reading(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Without it OpenSSL would ask for a password at the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

X509Ptr NextCertificate(BIO* pem) {
  return X509Ptr(PEM_read_bio_X509(pem, nullptr, &NoPassword, nullptr));
}

absl::Time ToTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

// gRPC makes such a context of the pair at the next handshake, and would only log what is wrong.
absl::Status CheckPair(const TlsFiles& files, X509* own, EVP_PKEY* key) {
  const Context context(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate(context.get(), own) != 1) {
    return Bad(files.cert, "has a certificate that is too weak or not for a server");
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return Bad(files.key, fmt::format("is not the key of the certificate in {}", files.cert));
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> CheckChain(const TlsFiles& files, const Certificate& read,
                                      absl::Time now) {
  const Bio chain = Reading(read.chain);
  const X509Ptr own = NextCertificate(chain.get());
  if (own == nullptr) return Bad(files.cert, "has no certificate in PEM");
  while (NextCertificate(chain.get()) != nullptr) continue;
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return Bad(files.cert, "has a certificate of an issuer that cannot be read");
  }
  const Key key(PEM_read_bio_PrivateKey(Reading(read.key).get(), nullptr, &NoPassword, nullptr));
  if (key == nullptr) return Bad(files.key, "has no private key in PEM without a password");
  const absl::Status pair = CheckPair(files, own.get(), key.get());
  if (!pair.ok()) return pair;
  const absl::Time begins = ToTime(X509_get0_notBefore(own.get()));
  const absl::Time ends = ToTime(X509_get0_notAfter(own.get()));
  if (now >= ends) {
    return Bad(files.cert,
               fmt::format("has expired at {}", absl::FormatTime(ends, absl::UTCTimeZone())));
  }
  if (now < begins) {
    return Bad(files.cert, fmt::format("is valid from {} on only",
                                       absl::FormatTime(begins, absl::UTCTimeZone())));
  }
  return ends;
}

absl::Status CheckClientCa(const TlsFiles& files, const Certificate& read) {
  if (files.client_ca.empty()) return absl::OkStatus();
  const Bio authorities = Reading(read.client_ca);
  int count = 0;
  while (NextCertificate(authorities.get()) != nullptr) ++count;
  if (count > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
    return absl::OkStatus();
  }
  return Bad(files.client_ca, "has no certificate in PEM, or one that cannot be read");
}

}  // namespace

absl::StatusOr<Certificate> ReadCertificate(const TlsFiles& files, absl::Time now) {
  Certificate read;
  for (const auto& [file, text] :
       {std::pair(&files.cert, &read.chain), std::pair(&files.key, &read.key),
        std::pair(&files.client_ca, &read.client_ca)}) {
    if (file->empty()) continue;
    absl::StatusOr<std::string> octets = ReadSmallFile(*file);
    if (!octets.ok()) return octets.status();
    *text = *std::move(octets);
  }
  // Errors of OpenSSL stay in the thread's queue, where other users of the library look.
  ERR_set_mark();
  const bool alone = files.cert.empty() && files.key.empty() && !files.client_ca.empty();
  const absl::StatusOr<absl::Time> expires_at =
      alone ? absl::InfiniteFuture() : CheckChain(files, read, now);
  const absl::Status client_ca = CheckClientCa(files, read);
  ERR_pop_to_mark();
  if (!expires_at.ok()) return expires_at.status();
  if (!client_ca.ok()) return client_ca;
  read.expires_at = *expires_at;
  return read;
}

}  // namespace wsrouter
