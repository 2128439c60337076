#ifndef WSROUTER_BASE_CERTIFICATE_H_
#define WSROUTER_BASE_CERTIFICATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wsrouter {

// Where a listener's certificate is, all PEM.
struct TlsFiles {
  std::string cert;       // with those of its issuers behind it; empty: none is shown
  std::string key;        // without a password
  std::string client_ca;  // whose certificates clients must show; empty: they show none
};

// What was in these files, and is fit for use.
struct Certificate {
  std::string chain;
  std::string key;
  std::string client_ca;
  absl::Time expires_at;  // of the listener's own certificate
};

// Refused unless the key is the certificate's, the certificate is valid at `now`, and all that is
// there can be read; authorities may be there alone, without the pair. The message names the file
// and has nothing of what is in it.
absl::StatusOr<Certificate> ReadCertificate(const TlsFiles& files, absl::Time now);

}  // namespace wsrouter

#endif  // WSROUTER_BASE_CERTIFICATE_H_
